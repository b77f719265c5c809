"""Means of grades, corrected by human scores of the same answers.

Belongs here: which human scores correct which mean. Does not: the corrected mean and its interval
(evaluation.statistics.corrected), or reading human scores (human_scores).
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.evaluation.judge.grades import SHARES, GradedText
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore
from bioinstruct_dagster.evaluation.judge.scores.given import SUBJECTS, GivenGrades, score_row
from bioinstruct_dagster.evaluation.statistics.corrected import ppi_mean
from bioinstruct_dagster.evaluation.statistics.estimates import ScoreEstimate

# With fewer human scores of a subject's answers, no interval of a correction holds.
LEAST_HUMAN_SCORES = 20


def corrected_rows(
    given: GivenGrades,
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
                    score_row(f"judge_{name}", subject, "corrected", found)
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
                score_row(f"judge_{name}", "difference", "corrected", found)
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
) -> ScoreEstimate | None:
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
