"""Scores of an experiment by its grades: means, differences, and what is left out and counted.

A grade that could not be read is in no mean, and every score says how many there are. Belongs here:
the rows of `judge_scores` of one task. Does not: corrected means (corrected), the win rate (wins),
or asking the judge (judging).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.evaluation.judge.answers import AnsweredItem, TaskAnswers
from bioinstruct_dagster.evaluation.judge.grades import SHARES, GradedText
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore
from bioinstruct_dagster.evaluation.judge.judging import Judgement
from bioinstruct_dagster.evaluation.judge.scores.corrected import corrected_rows
from bioinstruct_dagster.evaluation.judge.scores.facts import JudgeFacts
from bioinstruct_dagster.evaluation.judge.scores.given import (
    SUBJECTS,
    UNREADABLE,
    GivenGrades,
    score_row,
    values_of,
)
from bioinstruct_dagster.evaluation.judge.scores.wins import win_rows
from bioinstruct_dagster.evaluation.statistics.comparisons import compare
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster.evaluation.statistics.families import (
    ALL_ITEMS,
    CLEAN_ITEMS,
    corrected_over_families,
)
from bioinstruct_dagster.models.experiments.names import experiment_columns


def score_rows(
    answers: TaskAnswers,
    drawn: Sequence[AnsweredItem],
    judgement: Judgement,
    facts: JudgeFacts,
    *,
    people: Mapping[GradedText, HumanScore],
    with_pairs: bool,
    seed: int,
) -> list[dict[str, Any]]:
    """The rows of `judge_scores` of one experiment and task.

    The scores are given once over all items, and once more without contaminated ones if there are
    any.

    Args:
        answers: of the experiment on the task.
        drawn: the items that the judge was to be asked about.
        judgement: what it said.
        facts: about the judge.
        people: human scores, by text.
        with_pairs: whether pairs were asked about.
        seed: of the bootstrap.
    """
    parts = {ALL_ITEMS: drawn}
    if any(item.contaminated for item in drawn):
        parts[CLEAN_ITEMS] = [item for item in drawn if not item.contaminated]
    rows = [
        {**row, "items": part}
        for part, items in parts.items()
        for row in _scores(items, judgement, people, with_pairs=with_pairs, seed=seed)
    ]
    replies = [
        *(judgement.grades.get(item.text(s)) for item in drawn for s in SUBJECTS),
        *(judgement.choices.get(item.pair) for item in drawn),
    ]
    provenance = dict(answers.provenance)
    if any(reply is not None and reply.rehearsal for reply in replies):
        facts = facts.of_stand_in()
    provenance["rehearsal"] |= facts.standing.state == "rehearsal"
    whole = {
        **experiment_columns(answers.experiment),
        "task": answers.task,
        **provenance,
        **facts.columns(),
        "scored_at": datetime.now(UTC),
    }
    return [
        {
            **whole,
            **row,
            "adapter_sha256": None if row["subject"] == "base" else provenance["adapter_sha256"],
        }
        for row in rows
    ]


def _scores(
    items: Sequence[AnsweredItem],
    judgement: Judgement,
    people: Mapping[GradedText, HumanScore],
    *,
    with_pairs: bool,
    seed: int,
) -> list[dict[str, Any]]:
    """The scores over some of the items that were drawn."""
    given = GivenGrades(
        items,
        {s: {item.id: judgement.grade(item.text(s)) for item in items} for s in SUBJECTS},
        {
            s: frozenset(item.id for item in items if judgement.was_asked(item.text(s)))
            for s in SUBJECTS
        },
    )
    clusters = {item.id: item.cluster for item in items}
    return [
        *_means(given, clusters, seed),
        *_unreadable(given, clusters, seed),
        *corrected_rows(given, people, clusters, seed),
        *(win_rows(items, judgement, clusters, seed) if with_pairs else ()),
    ]


def _means(given: GivenGrades, clusters: Mapping[str, str], seed: int) -> list[dict[str, Any]]:
    """Each share of both subjects, and its difference on the items where both have it."""
    rows: list[dict[str, Any]] = []
    for name in SHARES:
        metric = f"judge_{name}"
        values = {subject: given.graded(subject, name) for subject in SUBJECTS}
        for subject in SUBJECTS:
            if values[subject]:
                found = estimate(values_of(metric, values[subject]), clusters, seed)
                rows.append(score_row(metric, subject, "judge", found) | given.counts(subject))
        both = [one for one in values["base"] if one in values["adapter"]]
        if both:
            base, adapter = (
                values_of(metric, {one: values[subject][one] for one in both})
                for subject in SUBJECTS
            )
            compared = compare(base, adapter, clusters, seed)
            rows.append(
                score_row(metric, "difference", "judge", compared.estimate)
                | given.counts(*SUBJECTS)
                | compared.columns()
            )
    return rows


def _unreadable(given: GivenGrades, clusters: Mapping[str, str], seed: int) -> list[dict[str, Any]]:
    """The share of replies without a valid grade, of those that came."""
    rows = []
    for subject in SUBJECTS:
        values = {
            one: float(given.grades[subject][one] is None) for one in sorted(given.asked[subject])
        }
        if values:
            measured = values_of(UNREADABLE, values, proportion=True)
            found = estimate(measured, clusters, seed)
            rows.append(score_row(UNREADABLE, subject, "judge", found) | given.counts(subject))
    return rows


def with_holm(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with p values corrected over the tasks, for each metric by itself."""
    return corrected_over_families(rows, lambda row: row["metric"])
