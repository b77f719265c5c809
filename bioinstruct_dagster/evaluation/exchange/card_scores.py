"""The scores on the card of an adapter: a table, and the `model-index` of its header.

Belongs here: both, from shared scores. Does not: their place on the card (models.score_place), or
writing it (exchange.files).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.evaluation.exchange.shared_scores import SharedScore
from bioinstruct_dagster.evaluation.shown import interval, rests_on_fixtures
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.markdown import one_line

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_HEADINGS = ("task", "metric", "base", "adapter", "difference", "p (Holm)", "n")
_TOLD = (
    "Each score has its 95 % interval. The difference is adapter minus base, paired by item. p is "
    "corrected over the tasks by Holm's method. For `loss`, lower is better. For the other "
    "metrics, higher is better."
)
_NO_SCORES = "No main metric was scored. The table `eval_scores` of the store holds all metrics."
_FIXTURES = "Scores on fixtures of this project mean nothing: {names}."
_SIGNIFICANT = 4


def scores_text(scores: Iterable[SharedScore]) -> str:
    """The section's text: the main metric of each task, with what limits its meaning."""
    main = [one for one in scores if one.main]
    if not main:
        return _NO_SCORES
    lines = [_HEADINGS, ("---", "---", "---:", "---:", "---:", "---:", "---:"), *map(_line, main)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    first = main[0].adapter
    made_on = f"Prompt `{first['prompt_version']}`, data set `{first['dataset_fingerprint'][:16]}`"
    notes = [
        f"{made_on}, scored on {first['scored_at'].date().isoformat()}.",
        *(_repeated(one) for one in main if one.without_repeated),
    ]
    fixtures = [one.task.name for one in main if rests_on_fixtures(one.adapter["items_source"])]
    if fixtures:
        notes.append(_FIXTURES.format(names=", ".join(fixtures)))
    return "\n\n".join([_TOLD, table, "\n".join(f"- {note}" for note in notes)])


def _line(one: SharedScore) -> tuple[str, ...]:
    return (
        one_line(one.task.name),
        one.metric,
        interval(one.base) if one.base else "",
        interval(one.adapter),
        interval(one.difference) if one.difference else "",
        _p(one.difference),
        f"{one.adapter['n']:,}",
    )


def _p(difference: Mapping[str, Any] | None) -> str:
    value = difference and difference["p_holm"]
    return "" if value is None else f"{value:.2g}"


def _repeated(one: SharedScore) -> str:
    clean = one.without_repeated or {}
    items = one.adapter["n"] - clean["n"]
    return (
        f"{one.task.name}: training rows repeat {items:,} of "
        f"{number_of(one.adapter['n'], 'item')}. Without them, "
        f"{one.metric} of the adapter is {interval(clean)}."
    )


def model_index(scores: Iterable[SharedScore]) -> "list[EvalResult]":
    """The scores as entries of the header's `model-index`, which the hub reads.

    The format has no field for an interval, so it stands among the metric's arguments. A
    rehearsal's score says so in its name.
    """
    from huggingface_hub import EvalResult

    return [
        EvalResult(
            task_type="text-generation",
            task_name=_named(one.task.name, one),
            dataset_type=one.hub.id if one.hub else _type_of(one),
            dataset_name=_named(one.hub.id if one.hub else _items_of(one), one),
            dataset_config=one.hub.config if one.hub else None,
            dataset_split=one.hub.split if one.hub else _split_of(one),
            dataset_revision=one.hub.revision if one.hub else None,
            metric_type=one.metric,
            metric_name=f"{one.metric} of the adapter",
            metric_value=_rounded(one.adapter["score"]),
            metric_args=arguments(one),
        )
        for one in scores
        if one.main
    ]


def arguments(one: SharedScore) -> dict[str, Any]:
    """What a reader must know of a score, as plain values; without what is not known."""
    row, difference = one.adapter, one.difference or {}
    values: dict[str, Any] = {
        "ci_low": _rounded(row["ci_low"]),
        "ci_high": _rounded(row["ci_high"]),
        "confidence": 0.95,
        "interval_method": row["method"],
        "n": row["n"],
        "clusters": row["clusters"],
        "base_score": _rounded(one.base["score"]) if one.base else None,
        "difference": _rounded(difference.get("score")),
        "difference_ci_low": _rounded(difference.get("ci_low")),
        "difference_ci_high": _rounded(difference.get("ci_high")),
        "p_holm": _rounded(difference.get("p_holm")),
        "items_source": row["items_source"],
        "items_fingerprint": row["items_fingerprint"][:16],
        "task_version": row["task_version"],
        "prompt_version": row["prompt_version"],
        "rehearsal": True if one.rehearsal else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _named(name: str, one: SharedScore) -> str:
    return f"{name} (rehearsal)" if one.rehearsal else name


def _items_of(one: SharedScore) -> str:
    if one.task.name == OWN_TASK:
        return f"held-out split of the data set {one.adapter['dataset_fingerprint'][:16]}"
    if rests_on_fixtures(one.adapter["items_source"]):
        return f"{one.task.name}, fixtures of this project"
    return f"{one.task.name}, from files"


def _type_of(one: SharedScore) -> str:
    """The name of the items. Fixtures must not pass for the items whose place they take."""
    fixture = rests_on_fixtures(one.adapter["items_source"])
    return f"{one.task.name}-fixture" if fixture else one.task.name


def _split_of(one: SharedScore) -> str | None:
    return "test" if one.task.name == OWN_TASK else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_SIGNIFICANT}g}")


def sorted_by_task(scores: Iterable[SharedScore]) -> Sequence[SharedScore]:
    """The scores in the order of the catalogue, the held-out split first."""
    return sorted(scores, key=lambda one: (one.task.name != OWN_TASK, one.task.place))
