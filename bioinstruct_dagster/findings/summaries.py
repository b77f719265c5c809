"""What a finding says in a sentence or two, and which of its lines a page draws.

Belongs here: the words and the choice of lines. Does not: the rows (ranking, ablation, scaling).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.figures.forest import PlottedScore
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.figures.ablation import chosen_rows, training_set
from bioinstruct_dagster.findings.figures.leaderboard import ordered_experiments
from bioinstruct_dagster.findings.scaling import SizePair
from bioinstruct_dagster.findings.stored_scores import (
    AVERAGE,
    HELD_OUT,
    experiment_name,
    improvement,
    measure_key,
)
from bioinstruct_dagster.findings.wording import (
    amount,
    difference_unit,
    ends,
    has_interval,
    is_certain,
    measure_name,
    plotted_difference,
    score_text,
    unit,
)

Lines = tuple[str, dict[str, PlottedScore]]
MOST_NAMED = 4  # measures in a sentence
REHEARSED = "Rehearsal: no figure here says anything about medicine. "


def leaderboard_summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many experiments are ranked, and which may be the best."""
    if not rows:
        return "No experiment is scored yet. Materialize key:eval_scores first."
    experiments = {(row["base_model"], row["recipe"]) for row in rows}
    ranked = [row for row in rows if row["compared"] > 1]
    measures = {measure_key(row) for row in rows}
    text = (
        f"{_marked(rows)}{number_of(len(experiments), 'experiment')} on "
        f"{number_of(len(measures), 'measure')}"
    )
    if not ranked:
        return f"{text}. No two of them are on equal items, so none is ranked."
    ties = [
        measure
        for measure in {measure_key(row) for row in ranked}
        if sum(row["tied_with_best"] for row in ranked if measure_key(row) == measure) > 1
    ]
    compared = len({measure_key(row) for row in ranked})
    first = ordered_experiments(rows)[0]
    return (
        f"{text}. Tied for the best: in {len(ties)} of {compared} ranked measures. Best mean place:"
        f" {first}."
    )


def leaderboard_lines(rows: Sequence[Mapping[str, Any]]) -> Lines:
    """The title and the lines of the drawing: the gains of one measure by experiment."""
    measure = _most_compared(rows)
    mine = [row for row in rows if measure_key(row) == measure]
    one_base = len({row["base_model"] for row in mine}) == 1
    return _lines(mine, lambda row: row["recipe"] if one_base else experiment_name(row))


def ablation_summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """Which training set has the greatest gain in each evaluation category."""
    if not rows:
        return "No recipe of single categories or pairs is scored yet."
    mine = chosen_rows(rows)
    sets = len({row["trained_on"] for row in mine})
    text = f"{_marked(mine)}{number_of(sets, 'training set')} of {mine[0]['base_model']}. "
    found, equal = [], []
    for measure in dict.fromkeys(map(measure_key, mine)):
        of = [row for row in mine if measure_key(row) == measure and has_interval(row)]
        if len(of) < 2 or measure[:2] == (HELD_OUT, "all"):  # noqa: PLR2004 (nothing to compare)
            continue
        best = max(of, key=lambda row: improvement(row) or 0)
        ties = sum(bool(row["tied_with_best"]) for row in of)
        if ties == len(of) or not any(map(is_certain, of)):
            equal.append(measure_name(best))
        elif not is_certain(best) or (improvement(best) or 0) <= 0:
            found.append(f"{measure_name(best)}: no certain gain")
        else:
            tied = f" (tied with {ties - 1})" if best["tied_with_best"] and ties > 1 else ""
            found.append(f"{measure_name(best)}: {training_set(best)}{tied}")
    if found:
        text += f"Greatest gain by category: {'; '.join(found[:MOST_NAMED])}. "
    if equal:
        more = len(equal) - MOST_NAMED
        named = "; ".join(equal[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        text += f"No training set can be told from another on {named}."
    return text.strip()


def ablation_lines(rows: Sequence[Mapping[str, Any]]) -> Lines:
    """The title and the lines of the drawing: the gains of one category by training set."""
    mine = chosen_rows(rows)
    measure = _most_compared(mine)
    return _lines([row for row in mine if measure_key(row) == measure], training_set)


def scaling_summary(rows: Sequence[Mapping[str, Any]], pairs: Sequence[SizePair]) -> str:
    """How far the sizes reach, and what the largest gains over the smallest, paired by item."""
    if not rows:
        return "No recipe of several sizes is scored yet."
    curves: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (row["base_model"], row["variant"], row["trained_on"], row["dataset_fingerprint"])
        curves.setdefault((*key, *measure_key(row)), []).append(row)
    longest = max(curves.values(), key=lambda found: (len(found), found[0]["task"] == HELD_OUT))
    longest.sort(key=lambda row: row["train_rows"] or 0)
    first, last = longest[0], longest[-1]
    text = f"{_marked(rows)}{number_of(len(longest), 'size')} of {first['base_model']}"
    if first is last:
        return f"{text}. One size shows no effect of size: score more sizes."
    return (
        f"{text}, from {first['train_rows']:,.0f} to {last['train_rows']:,.0f} instructions. "
        f"{measure_name(first)}: {score_text(first)} to {score_text(last)} "
        f"{unit(first['metric'])}. "
        f"{_compared_sizes(first, last, pairs)}"
    )


def size_change(pair: SizePair) -> str:
    """What the larger size changed, with the interval, and whether 0 is in it."""
    low, high = pair.change.low, pair.change.high
    metric = pair.small["metric"]
    change = (
        f"{amount(pair.change.score, metric, sign=True)} {ends(low, high, metric, sign=True)} "
        f"{difference_unit(metric)}"
    )
    if low is not None and high is not None and (low > 0 or high < 0):
        gained = (pair.change.score < 0) == pair.small["lower_is_better"]
        return f"{change}, {'better' if gained else 'worse'}"
    return f"{change}, no certain difference"


def _compared_sizes(
    small: Mapping[str, Any], large: Mapping[str, Any], pairs: Sequence[SizePair]
) -> str:
    pair = next((one for one in pairs if one.small is small and one.large is large), None)
    if pair is None:
        return "The sizes are not compared in pairs."
    return f"Largest minus smallest size, paired by item: {size_change(pair)}."


def scaling_lines(rows: Sequence[Mapping[str, Any]]) -> Lines:
    """The title and the lines of the drawing: the gain over the base model by size."""
    measure = _most_compared(rows)
    mine = sorted(
        (row for row in rows if measure_key(row) == measure), key=lambda row: row["train_rows"] or 0
    )
    one_base = len({row["base_model"] for row in mine}) == 1
    return _lines(
        mine,
        lambda row: f"{row['train_rows'] or 0:,.0f} {'rows' if one_base else row['base_model']}",
    )


def _lines(rows: Sequence[Mapping[str, Any]], label: Any) -> Lines:
    known = [row for row in rows if has_interval(row)]
    if not known:
        return "", {}
    metric = known[0]["metric"]
    loss = " loss" if metric == "loss" else ""
    lines: dict[str, PlottedScore] = {}
    for row in known:
        name = found = f"{label(row)}{' (older)' if row['older'] else ''}"
        while name in lines:  # another variant of training
            name = f"{found} ({sum(one.startswith(found) for one in lines) + 1})"
        lines[name] = plotted_difference(row)
    return f"{measure_name(known[0])}{loss} minus base, {difference_unit(metric)}", lines


def _most_compared(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str, str] | None:
    """The measure of the most rows with an interval; of equals the whole test split, as in the
    headline of the report, then an average.
    """
    counts: dict[tuple[str, str, str], int] = {}
    for row in filter(has_interval, rows):
        counts[measure_key(row)] = counts.get(measure_key(row), 0) + 1
    return max(
        counts,
        key=lambda one: (counts[one], one[:2] == (HELD_OUT, "all"), one[0] == AVERAGE),
        default=None,
    )


def _marked(rows: Sequence[Mapping[str, Any]]) -> str:
    return REHEARSED if any(row["rehearsal"] for row in rows) else ""
