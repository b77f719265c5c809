"""Scores and leaderboard as the printed report shows them.

Belongs here: lines of text. Does not: which scores are equal enough to be ranked
(evaluation.ranking.leaderboard), or the report's other parts (report).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bioinstruct_dagster.evaluation.ranking.leaderboard import groups_of_equals
from bioinstruct_dagster.evaluation.shown import rests_on_fixtures, score_table


def score_lines(
    scores: list[dict[str, Any]],
    older: Mapping[str, str],
    trained_on: Mapping[tuple[str, str, str], int],
) -> Iterator[str]:
    """The main scores of each experiment.

    Args:
        scores: rows of `eval_scores`.
        older: by experiment, on which older data set its scores rest.
        trained_on: the number of items that training rows repeat.
    """
    for experiment in dict.fromkeys((row["base_model"], row["recipe"]) for row in scores):
        members = [row for row in scores if (row["base_model"], row["recipe"]) == experiment]
        name = "|".join(experiment)
        yield f"  {name}  (prompt {members[0]['prompt_version']})"
        if name in older:
            yield f"    OLDER: {older[name]}"
        for row in score_table(members):
            line = f"    {row['task']:<20}{row['metric']:<22}n = {row['n']:<7}{_source(row)}"
            yield line.rstrip()
            if repeated := trained_on.get((name, row["task"], "")):
                yield f"      TRAINED ON: {_repeated(repeated, row['n'])}"
            yield (
                f"      base {row['base']}   adapter {row['adapter']}   "
                f"difference {row['difference']}   p {row['p (Holm)']}"
            )
        yield "    p: corrected over the tasks by Holm's method. Other metrics: table eval_scores"


def _source(row: Mapping[str, str]) -> str:
    return "fixture items: no meaning" if rests_on_fixtures(row["items from"]) else ""


def _repeated(items: int | str, n: str) -> str:
    noun = "item" if str(n) == "1" else "items"
    return f"training rows repeat {items} of {n} {noun}; see items = 'without_contaminated'"


def leaderboard_lines(rows: list[dict[str, str]], older: Mapping[str, str]) -> Iterator[str]:
    """The experiments side by side, if there are several. Only scores on equal items are ranked.

    Args:
        rows: as evaluation.ranking.leaderboard gives them.
        older: see `score_lines`.
    """
    if len({row["experiment"] for row in rows}) < 2:  # noqa: PLR2004  # nothing to compare
        return
    groups = groups_of_equals(rows)
    for group in groups:
        first = group[0]
        named = f"{first['task']} ({first['metric']}), n = {first['n']}, items {first['items']}"
        yield "  " + ", ".join(filter(None, [named, _source(first)]))
        for row in group:
            yield f"    {row['experiment']:<40} {row['score']}  {_marks(row, older)}".rstrip()
    if alone := len(rows) - sum(map(len, groups)):
        yield f"  {alone:,} scores are not ranked: no other adapter was scored on the same items."


def _marks(row: Mapping[str, str], older: Mapping[str, str]) -> str:
    """What keeps a score from being taken as it stands."""
    marks = ["rehearsal"] * (row["rehearsal"] == "yes")
    if row["items trained on"] != "0":
        marks.append(f"TRAINED ON: {_repeated(row['items trained on'], row['n'])}")
    if row["experiment"] in older:
        marks.append(f"OLDER: {older[row['experiment']]}")
    return "; ".join(marks)
