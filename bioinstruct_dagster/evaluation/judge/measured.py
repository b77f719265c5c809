"""What a judge is worth: its grades beside those of people, and beside scores without a judge.

Most of the agreement between any score and people comes from the items: a long note is harder than
a short one. So a judge counts as useful only if its rank correlation with people is above that of
text lengths and above that of the composite, by the whole 95 % interval of the difference.
Belongs here: measuring a judge, the rows of `judge_measures`, and the state that they give a judge.
Does not: the figures of agreement (agreement), or biases (biases).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.evaluation.judge.agreement import (
    AgreementFigure,
    HumanAgreement,
    agreement_of,
    cluster_indices,
    figure_over,
    spearman,
)
from bioinstruct_dagster.evaluation.judge.biases import BiasFigure
from bioinstruct_dagster.evaluation.judge.grades import Grade, rubric_version
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore, fingerprint_of
from bioinstruct_dagster.evaluation.judge.rivals import (
    BOTH_LENGTHS,
    COMPOSITE,
    LENGTH_RATIO,
    REFERENCE_LENGTH,
    lengths_of,
    people_s_f1,
    scores_without_judge,
)
from bioinstruct_dagster.store.database import Store, insert

Floats = NDArray[np.float64]
JudgeState = Literal["proven", "not_better", "not_measured", "rehearsal"]

JUDGE = "judge"
# What a judge has to beat: text lengths in each of three forms, because a fit to other sources is
# worse than nothing where lengths say nothing; and the composite.
RIVALS = {
    "text lengths alone": (BOTH_LENGTHS, LENGTH_RATIO, REFERENCE_LENGTH),
    "the composite without a judge": (COMPOSITE,),
}
LEAST_READABLE = 0.9  # the share of grades below which a judge does not count as measured

LAST_MEASURE = """
    select figure, subject, value, ci_low, ci_high, n, clusters, rehearsal
    from judge_measures
    where teacher = $teacher and judge_model = $judge_model and rubric = $rubric
    qualify measured_at = max(measured_at) over ()
"""


@dataclass(frozen=True)
class JudgeStanding:
    """What a judge is worth, for every score that rests on it.

    Attributes:
        state: `proven` if a measurement shows that the judge is better than both text lengths and
            the composite; `not_better` if it does not show that; `not_measured`; or `rehearsal`.
        note: what the state rests on, in a sentence.
    """

    state: JudgeState
    note: str


STAND_IN = JudgeStanding(
    "rehearsal", "The stand-in judge compares words by a simple rule. Its scores mean nothing."
)


def agreement_rows(
    scores: Sequence[HumanScore],
    grades: Sequence[Grade | None] | None,
    *,
    seed: int,
    resamples: int,
) -> list[dict[str, Any]]:
    """The figures of the judge and of the scores without a judge, on the answers with a grade.

    Args:
        scores: of people.
        grades: the judge's, in the same order; None if unreadable. These answers are left out of
            every figure, and counted. None in place of all grades: there is no judge.
        seed: of the bootstrap over sources.
        resamples: of the bootstrap.

    Raises:
        ValueError: no grade is readable.
    """
    given = [(place, grade) for place, grade in enumerate(grades or ()) if grade is not None]
    places = range(len(scores)) if grades is None else [place for place, _ in given]
    sample = _Sample.of([scores[place] for place in places], seed, resamples)
    # The fit of both lengths is made on all scores, so that it is the same for every judge.
    subjects = {
        name: (values[list(places)], errors[list(places)])
        for name, (values, errors) in scores_without_judge(scores).items()
    }
    if grades is None:
        return [row for name, found in subjects.items() for row in sample.figures(name, *found)]
    judged = [grade for _, grade in given]
    ours = _f1(judged)
    share = len(judged) / len(scores)
    rows = [_row("readable", JUDGE, share, n=len(scores), clusters=len(sample.groups))]
    for name, found in {JUDGE: (ours, _errors(judged)), **subjects}.items():
        rows += sample.figures(name, *found)
    return rows + [sample.difference(name, ours, found) for name, (found, _) in subjects.items()]


@dataclass(frozen=True)
class _Sample:
    """Answers that people scored, and how figures on them are computed."""

    scores: Sequence[HumanScore]
    people: Floats
    groups: Sequence[NDArray[np.intp]]
    seed: int
    resamples: int

    @classmethod
    def of(cls, scores: Sequence[HumanScore], seed: int, resamples: int) -> "_Sample":
        people = people_s_f1(scores)
        groups = cluster_indices([score.text.source for score in scores])
        return cls(scores, people, groups, seed, resamples)

    def figures(self, name: str, values: Floats, errors: Floats) -> list[dict[str, Any]]:
        """The four figures of agreement of a score."""
        found = agreement_with_people(
            self.scores, values, errors, seed=self.seed, resamples=self.resamples
        )
        return [
            _figure_row(figure, name, getattr(found, figure), found.n, found.clusters)
            for figure in ("spearman", "partial", "within", "auroc")
        ]

    def difference(self, name: str, ours: Floats, theirs: Floats) -> dict[str, Any]:
        """The judge's rank correlation with people minus that of another score."""

        def gap(rows: NDArray[np.intp]) -> float:
            people = self.people[rows]
            return spearman(ours[rows], people) - spearman(theirs[rows], people)

        figure = figure_over(gap, self.groups, seed=self.seed, resamples=self.resamples)
        return _figure_row("difference", name, figure, len(self.people), len(self.groups))


def agreement_with_people(
    scores: Sequence[HumanScore], values: Floats, errors: Floats, *, seed: int, resamples: int
) -> HumanAgreement:
    """The four figures of agreement of a score with people's factual F1 and factual errors.

    Args:
        scores: of people.
        values: the score of each answer; higher is better.
        errors: of each answer; higher means that an error is more likely.
        seed: of the bootstrap over sources.
        resamples: of the bootstrap.
    """
    return agreement_of(
        values.tolist(),
        errors.tolist(),
        human=people_s_f1(scores).tolist(),
        has_error=[score.has_factual_error for score in scores],
        lengths=lengths_of(scores),
        clusters=[score.text.source for score in scores],
        seed=seed,
        resamples=resamples,
    )


def bias_rows(figures: Sequence[BiasFigure]) -> list[dict[str, Any]]:
    """Biases and costs as rows of a measurement."""
    return [
        _row(one.name, JUDGE, one.value, one.low, one.high, n=one.n, clusters=one.clusters)
        for one in figures
    ]


def write_measure(
    store: Store,
    rows: Sequence[Mapping[str, Any]],
    scores: tuple[HumanScore, ...],
    *,
    teacher: str,
    model: str,
    rehearsal: bool,
) -> None:
    """Keep a measurement in `judge_measures`. It counts until the judge is measured again."""
    whole = {
        "teacher": teacher,
        "judge_model": model,
        "rubric": rubric_version(),
        "scores_fingerprint": fingerprint_of(scores),
        "rehearsal": rehearsal,
        "measured_at": datetime.now(UTC),
    }
    with store.write() as connection:
        insert(connection, "judge_measures", [{**row, **whole} for row in rows])


def standing_of(store: Store, teacher: str, model: str) -> JudgeStanding:
    """What the last measurement of a judge, for the present rubric, says of it."""
    key = {"teacher": teacher, "judge_model": model, "rubric": rubric_version()}
    rows = store.rows(LAST_MEASURE, key) if store.path.exists() else []
    if teacher == "rehearsal" or any(row["rehearsal"] for row in rows):
        return STAND_IN
    if not rows:
        return JudgeStanding(
            "not_measured",
            f"{model} has not been measured on human scores with this rubric (make bench-judge).",
        )
    return _standing(model, {(row["figure"], row["subject"]): row for row in rows})


def _standing(model: str, rows: Mapping[tuple[str, str], Mapping[str, Any]]) -> JudgeStanding:
    ours = rows["spearman", JUDGE]
    note = (
        f"On {ours['n']} answers scored by people, the rank correlation of {model} is "
        f"{_shown(ours)}."
    )
    readable = rows["readable", JUDGE]["value"]
    if readable < LEAST_READABLE:
        note += f" Only {readable:.0%} of its grades could be read."
        return JudgeStanding("not_better", note)
    proven = True
    for rival, names in RIVALS.items():
        gap = min((rows["difference", name] for name in names), key=lambda row: row["ci_low"])
        better = "better" if gap["ci_low"] > 0 else "not shown to be better"
        if gap["ci_high"] < 0:
            better = "worse"
        note += f" It is {better} than {rival} (difference {_shown(gap)})."
        proven = proven and gap["ci_low"] > 0
    return JudgeStanding("proven" if proven else "not_better", note)


def _shown(row: Mapping[str, Any]) -> str:
    return str(AgreementFigure(row["value"], row["ci_low"], row["ci_high"]))


def _f1(grades: Sequence[Grade]) -> Floats:
    return np.array([grade.share("factual_f1") for grade in grades], dtype=np.float64)


def _errors(grades: Sequence[Grade]) -> Floats:
    """How likely an error is: the share of facts that are wrong, and 0 without any fact."""
    precise = [grade.share("factual_precision") for grade in grades]
    return np.array([0.0 if share is None else 1 - share for share in precise])


def _figure_row(
    figure: str, subject: str, found: AgreementFigure, n: int, clusters: int
) -> dict[str, Any]:
    return _row(figure, subject, found.value, found.low, found.high, n=n, clusters=clusters)


def _row(
    figure: str,
    subject: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    *,
    n: int,
    clusters: int,
) -> dict[str, Any]:
    return {
        "figure": figure,
        "subject": subject,
        "value": value,
        "ci_low": low,
        "ci_high": high,
        "n": n,
        "clusters": clusters,
    }
