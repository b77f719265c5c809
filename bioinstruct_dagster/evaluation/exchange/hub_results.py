"""Hugging Face's evaluation results: the files `.eval_results/*.yaml` of a model's repository.

The hub shows them on the page of the model and on the leaderboard of the benchmark. So only scores
go there that are comparable with those of others: the main metric of a task whose items are a whole
split of a data set of the hub, and no rehearsal. Belongs here: the files' content. Does not:
writing them (exchange.files), or sending them to the hub.
"""

from collections.abc import Iterable, Mapping

import yaml

from bioinstruct_dagster.evaluation.exchange.shared_scores import SharedScore
from bioinstruct_dagster.evaluation.shown import interval

FOLDER = ".eval_results"
_DEFAULT_TASK = "default"


def hub_results(
    scores: Iterable[SharedScore], whole_tasks: Mapping[str, bool], source: str | None = None
) -> dict[str, str]:
    """The content of each file, by its name; empty if no score belongs on the hub.

    Args:
        scores: of an adapter.
        whole_tasks: by task, whether all of its items were scored, and not a sample.
        source: the address of the adapter's page on the hub; None before it has one.
    """
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    files = {}
    for one in scores:
        if not one.main or one.rehearsal or not one.hub or not whole_tasks.get(one.task.name):
            continue
        entry = EvalResultEntry(
            dataset_id=one.hub.id,
            task_id=one.hub.config or _DEFAULT_TASK,
            value=one.adapter["score"],
            dataset_revision=one.hub.revision,
            date=one.adapter["scored_at"].date().isoformat(),
            source_url=source,
            source_name="Model card" if source else None,
            notes=_notes(one),
        )
        files[f"{one.task.name}.yaml"] = yaml.safe_dump(
            eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True
        )
    return files


def _notes(one: SharedScore) -> str:
    base = f"; base model {interval(one.base)}" if one.base else ""
    repeated = "; training rows repeat some items" if one.without_repeated else ""
    return (
        f"{one.metric} {interval(one.adapter)}, 95 % interval, n = {one.adapter['n']}, prompt "
        f"{one.adapter['prompt_version']}, by bioinstruct-dagster{base}{repeated}"
    )
