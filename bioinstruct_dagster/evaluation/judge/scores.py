"""Scores of an experiment by its grades: means, differences, the win rate, and corrected means.

A grade that could not be read is in no mean, and every score says how many there are. Belongs here:
the rows of `judge_scores` of one task. Does not: asking the judge (judging), or what the judge is
worth (measured).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bioinstruct_dagster.evaluation.judge.answers import AnsweredItem, TaskAnswers
from bioinstruct_dagster.evaluation.judge.choice import family_of
from bioinstruct_dagster.evaluation.judge.grades import (
    SHARES,
    Grade,
    GradedText,
    Share,
    rubric_version,
)
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore
from bioinstruct_dagster.evaluation.judge.judging import Judgement
from bioinstruct_dagster.evaluation.judge.measured import JudgeStanding
from bioinstruct_dagster.evaluation.judge.pairwise import outcome
from bioinstruct_dagster.evaluation.metrics.measured import SHARE, Measured
from bioinstruct_dagster.evaluation.statistics.comparisons import compare
from bioinstruct_dagster.evaluation.statistics.corrected import ppi_mean
from bioinstruct_dagster.evaluation.statistics.estimates import Estimate, estimate
from bioinstruct_dagster.models.experiments.names import experiment_columns

SUBJECTS = ("base", "adapter")
ALL_ITEMS, CLEAN_ITEMS = "all", "without_contaminated"  # as in eval_scores
WIN_RATE = "judge_win_rate"
FIRST_PREFERRED = "judge_first_preferred"
UNREADABLE = "judge_unreadable"
_LOWER_IS_BETTER = {UNREADABLE, "judge_hallucination_rate", "judge_omission_rate"}
# With fewer human scores of a subject's answers, no interval of a correction holds.
LEAST_HUMAN_SCORES = 20


@dataclass(frozen=True)
class JudgeFacts:
    """What every score says of its judge.

    Attributes:
        model: the judge.
        standing: what it is worth.
        source_name: of the base model: the name or path by which its family is told.
        wrote_training_data: whether the judge also wrote the rows that the adapter was trained on.
    """

    model: str
    standing: JudgeStanding
    source_name: str
    wrote_training_data: bool = False

    def columns(self) -> dict[str, Any]:
        """The columns of `judge_scores` about the judge."""
        judge, base = family_of(self.model), family_of(self.source_name)
        same = None if judge is None or base is None else judge == base
        note = self.standing.note
        if same:
            note += " Judge and base model are of one family, so it may favour the model's style."
        if self.wrote_training_data:
            note += (
                " The judge also wrote the training data, so it may favour the adapter's style "
                "over the base model's."
            )
        return {
            "judge_model": self.model,
            "rubric": rubric_version(),
            "judge_state": self.standing.state,
            "judge_note": note,
            "same_family": same,
        }


@dataclass(frozen=True)
class _Given:
    """The grades of the items that were drawn, by subject and item; None if there is none."""

    items: Sequence[AnsweredItem]
    grades: Mapping[str, Mapping[str, Grade | None]]
    asked: Mapping[str, frozenset[str]]

    def graded(self, subject: str, name: Share) -> dict[str, float]:
        """The share of each item with a valid grade that gives one."""
        found = {
            item: grade.share(name)
            for item, grade in self.grades[subject].items()
            if grade is not None
        }
        return {item: share for item, share in found.items() if share is not None}

    def counts(self, *subjects: str) -> dict[str, int]:
        """How many items were drawn, and of how many there is no grade, and why."""
        ids = [item.id for item in self.items]
        left_out = {one for one in ids if any(one not in self.asked[s] for s in subjects)}
        unreadable = {
            one
            for one in ids
            if one not in left_out and any(self.grades[s][one] is None for s in subjects)
        }
        return {
            "drawn": len(ids),
            "unreadable": len(unreadable),
            "not_asked": len(left_out),
            "human": 0,
        }


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
    provenance["rehearsal"] |= any(reply is not None and reply.rehearsal for reply in replies)
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
    given = _Given(
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
        *_corrected(given, people, clusters, seed),
        *(_wins(items, judgement, clusters, seed) if with_pairs else ()),
    ]


def _measured(metric: str, values: Mapping[str, float], *, proportion: bool = False) -> Measured:
    ids = tuple(values)
    return Measured(
        metric,
        ids,
        np.array([values[one] for one in ids]),
        proportion=proportion,
        bounds=SHARE,
        higher_is_better=metric not in _LOWER_IS_BETTER,
    )


def _means(given: _Given, clusters: Mapping[str, str], seed: int) -> list[dict[str, Any]]:
    """Each share of both subjects, and its difference on the items where both have it."""
    rows: list[dict[str, Any]] = []
    for name in SHARES:
        metric = f"judge_{name}"
        values = {subject: given.graded(subject, name) for subject in SUBJECTS}
        for subject in SUBJECTS:
            if values[subject]:
                found = estimate(_measured(metric, values[subject]), clusters, seed)
                rows.append(_row(metric, subject, "judge", found) | given.counts(subject))
        both = [one for one in values["base"] if one in values["adapter"]]
        if both:
            base, adapter = (
                _measured(metric, {one: values[subject][one] for one in both})
                for subject in SUBJECTS
            )
            compared = compare(base, adapter, clusters, seed)
            rows.append(
                _row(metric, "difference", "judge", compared.estimate)
                | given.counts(*SUBJECTS)
                | {
                    "p_value": None if math.isnan(compared.p_value) else compared.p_value,
                    "test": compared.test,
                    "detectable": compared.detectable,
                }
            )
    return rows


def _unreadable(given: _Given, clusters: Mapping[str, str], seed: int) -> list[dict[str, Any]]:
    """The share of replies without a valid grade, of those that came."""
    rows = []
    for subject in SUBJECTS:
        values = {
            one: float(given.grades[subject][one] is None) for one in sorted(given.asked[subject])
        }
        if values:
            measured = _measured(UNREADABLE, values, proportion=True)
            found = estimate(measured, clusters, seed)
            rows.append(_row(UNREADABLE, subject, "judge", found) | given.counts(subject))
    return rows


def _corrected(
    given: _Given,
    people: Mapping[GradedText, HumanScore],
    clusters: Mapping[str, str],
    seed: int,
) -> list[dict[str, Any]]:
    """Means corrected by human scores of the same answers (prediction-powered inference)."""
    rows = []
    for name in SHARES:
        judged = {subject: given.graded(subject, name) for subject in SUBJECTS}
        human = {
            subject: {
                item.id: share
                for item in given.items
                if item.id in judged[subject]
                and (said := people.get(item.text(subject))) is not None
                and (share := said.share(name)) is not None
            }
            for subject in SUBJECTS
        }
        for subject in SUBJECTS:
            found = _ppi(judged[subject], human[subject], clusters, seed=seed, bounds=(0.0, 1.0))
            if found:
                rows.append(
                    _row(f"judge_{name}", subject, "corrected", found)
                    | given.counts(subject)
                    | {"human": len(human[subject])}
                )
        both = [one for one in judged["base"] if one in judged["adapter"]]
        scored = [one for one in both if one in human["base"] and one in human["adapter"]]
        found = _ppi(
            {one: judged["adapter"][one] - judged["base"][one] for one in both},
            {one: human["adapter"][one] - human["base"][one] for one in scored},
            clusters,
            seed=seed,
            bounds=(-1.0, 1.0),
        )
        if found:
            rows.append(
                _row(f"judge_{name}", "difference", "corrected", found)
                | given.counts(*SUBJECTS)
                | {"human": len(scored)}
            )
    return rows


def _ppi(
    judged: Mapping[str, float],
    human: Mapping[str, float],
    clusters: Mapping[str, str],
    *,
    seed: int,
    bounds: tuple[float, float],
) -> Estimate | None:
    """The corrected mean; None with too few human scores."""
    if len(human) < LEAST_HUMAN_SCORES:
        return None
    others = [one for one in judged if one not in human]
    return ppi_mean(
        [judged[one] for one in others],
        list(human.values()),
        [judged[one] for one in human],
        [clusters[one] for one in human],
        seed,
        judged_clusters=[clusters[one] for one in others],
        bounds=bounds,
    )


def _wins(
    drawn: Sequence[AnsweredItem],
    judgement: Judgement,
    clusters: Mapping[str, str],
    seed: int,
) -> list[dict[str, Any]]:
    """The adapter's win rate against the base model, and how often the first place won."""
    outcomes = {item.id: outcome(item.pair, judgement.choices) for item in drawn}
    asked = {
        item.id
        for item in drawn
        if item.pair.needs_no_judge
        or all(order in judgement.choices for order in (item.pair, item.pair.exchanged()))
    }
    counts = {
        "drawn": len(drawn),
        "unreadable": sum(outcomes[one] is None for one in asked),
        "not_asked": len(drawn) - len(asked),
        "human": 0,
    }
    valid = {one: found for one, found in outcomes.items() if found is not None}
    rows = []
    if valid:
        points = {one: found.points for one, found in valid.items()}
        won = estimate(_measured(WIN_RATE, points), clusters, seed)
        rows.append(_row(WIN_RATE, "difference", "judge", won) | counts)
    chosen = {one: found for one, found in valid.items() if found.choices}
    if chosen:
        places = np.array([[found.first_places, found.choices] for found in chosen.values()])
        measured = Measured(
            FIRST_PREFERRED,
            tuple(chosen),
            places.astype(np.float64),
            combine="ratio",
            bounds=SHARE,
            higher_is_better=None,
        )
        rows.append(
            _row(FIRST_PREFERRED, "difference", "judge", estimate(measured, clusters, seed))
            | counts
        )
    return rows


def _row(metric: str, subject: str, kind: str, found: Estimate) -> dict[str, Any]:
    return {
        "metric": metric,
        "subject": subject,
        "estimate": kind,
        "score": found.score,
        "ci_low": found.ci_low,
        "ci_high": found.ci_high,
        "method": found.method,
        "n": found.n,
        "clusters": found.clusters,
    }


def with_holm(
    rows: Sequence[dict[str, Any]], holm: Callable[[Sequence[float]], Sequence[float]]
) -> list[dict[str, Any]]:
    """The rows with p values corrected over the tasks, for each metric and part by itself."""
    corrected = list(rows)
    for family in dict.fromkeys((row["metric"], row["items"]) for row in rows):
        places = [
            place
            for place, row in enumerate(rows)
            if (row["metric"], row["items"]) == family and row.get("p_value") is not None
        ]
        adjusted = holm([rows[place]["p_value"] for place in places])
        for place, p in zip(places, adjusted, strict=True):
            corrected[place] = {**rows[place], "p_holm": p}
    return corrected
