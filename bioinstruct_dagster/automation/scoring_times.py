"""How long scoring an adapter took in earlier runs, from the times of their steps.

Belongs here: the estimate of `evaluate_new_adapters`. Does not: estimates of training and of
dollars (run_estimates), which come from the store.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import dagster as dg

from bioinstruct_dagster.automation.run_estimates import HoursEstimate
from bioinstruct_dagster.models.experiments import Experiment

STEP = "eval_scores"
SCORES = dg.AssetKey(STEP)
_LATEST = 50  # scores that are looked at
_BASE_MODEL_TAG = "dagster/partition/base_model"


def scoring_hours(
    instance: dg.DagsterInstance, experiments: Sequence[Experiment], *, on_gpu: bool
) -> HoursEstimate:
    """How long scoring will take, by the seconds for each adapter of the same base model.

    Only runs with a step `eval_scores` count. The job `study` trains and scores in one step, whose
    time says nothing of scoring alone.

    Args:
        instance: with the events of earlier runs.
        experiments: to score.
        on_gpu: whether their adapters were trained on a GPU; scoring then uses it too.
    """
    seconds = _seconds_by_base(instance)
    lacking = sorted({base for base, _ in experiments} - seconds.keys())
    if lacking:
        basis = f"no earlier run scored an adapter of {', '.join(lacking)} in a step of its own"
        return HoursEstimate(None, on_gpu=on_gpu, basis=basis)
    total = sum(seconds[base][0] for base, _ in experiments)
    adapters = sum(seconds[base][1] for base in {base for base, _ in experiments})
    return HoursEstimate(
        total / 3600,
        on_gpu=on_gpu,
        basis=f"the time of {adapters} earlier scored adapters on the same base models; answers "
        "that are stored make it shorter, new evaluation sets longer",
    )


def _seconds_by_base(instance: dg.DagsterInstance) -> dict[str, tuple[float, int]]:
    """The mean seconds for an adapter of each base model, and over how many adapters."""
    records = instance.fetch_materializations(SCORES, limit=_LATEST).records
    adapters: dict[str, Counter[str]] = defaultdict(Counter)  # of a run, by base model
    for record in records:
        event = record.asset_materialization
        if event and (base := (event.tags or {}).get(_BASE_MODEL_TAG)):
            adapters[record.run_id][base] += 1
    took: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for run_id, scored in adapters.items():
        if len(scored) > 1:
            continue  # which base model took how long is not known
        [(base, count)] = scored.items()
        for step in instance.get_run_step_stats(run_id, [STEP]):
            if step.start_time and step.end_time:
                took[base].append((step.end_time - step.start_time, count))
    return {
        base: (sum(time for time, _ in runs) / sum(n for _, n in runs), sum(n for _, n in runs))
        for base, runs in took.items()
    }
