"""The measurement of a judge: asks it about answers that people scored, and keeps the figures.

Belongs here: what is asked, and the order of the work. Does not: the figures (measured, biases), or
the command (benchmarks.judge).
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.evaluation.judge.agreement import RESAMPLES
from bioinstruct_dagster.evaluation.judge.biases import (
    BiasFigure,
    MeasuredPair,
    grade_biases,
    pair_biases,
    repeat_figures,
)
from bioinstruct_dagster.evaluation.judge.choice import JudgeError
from bioinstruct_dagster.evaluation.judge.grades import (
    Grade,
    GradedText,
    grade_question,
    grade_without_judge,
)
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore
from bioinstruct_dagster.evaluation.judge.measured import agreement_rows, bias_rows, write_measure
from bioinstruct_dagster.evaluation.judge.pairwise import AnswerPair, outcome, pair_question
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.answers import ask_together, stored_answers
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.session import TeacherSession

REPEATED = 40  # answers that are graded a second time
COMPARED = 100  # pairs of answers that are compared, each in both orders
_SECOND = 1  # the number of the second grade's question

COST = """
    select
        count(*) as requests,
        sum(usd) as usd,
        count(*) filter (where usd is null) as unpriced,
        coalesce(sum(prompt_tokens), 0) + coalesce(sum(completion_tokens), 0) as tokens,
        coalesce(bool_or(rehearsal), false) as rehearsal
    from completions
    where completion_id in (
        select completion_id from judge_grades where grade_key in (select unnest($keys::varchar[]))
    )
"""


class MeasurementPendingError(JudgeError):
    """The judge has not answered everything: a batch is open, or a cap ended the round."""


def measure_judge(
    session: TeacherSession,
    scores: tuple[HumanScore, ...],
    *,
    seed: int,
    repeated: int = REPEATED,
    compared: int = COMPARED,
    resamples: int = RESAMPLES,
) -> list[dict[str, Any]]:
    """Measure the judge of a session by human scores, and keep the figures in its store.

    Args:
        session: the open judge.
        scores: of people.
        seed: draws the answers that are graded twice and the pairs, and the bootstrap.
        repeated: how many answers are graded twice.
        compared: how many pairs are compared.
        resamples: of the bootstrap.

    Returns:
        The rows of `judge_measures`, without what is the same for all.

    Raises:
        MeasurementPendingError: not every answer has a reply yet. What came is stored, and the next
            measurement goes on from there.
        JudgeError: no grade could be read.
        TeacherError, BudgetError, StoreBusyError: see teacher.rounds.ask.
    """
    texts = [score.text for score in scores]
    twice = _in_random_order(scores, seed)[:repeated]
    pairs = _pairs(scores, seed)[:compared]
    tally = _ask(session, texts, [score.text for score in twice], pairs, seed)
    grades = _grades(session, texts)
    if tally.pending or len(grades) < len(set(texts)):
        why = f"{tally.pending} requests are in an open batch" if tally.pending else tally.stopped
        raise MeasurementPendingError(
            f"The judge has graded {len(grades)} of {len(set(texts))} answers: "
            f"{why or 'some requests failed'}. What came is stored and is not paid for again. Run "
            "the measurement again to go on."
        )
    given = [grades[text] for text in texts]
    if not any(given):
        raise JudgeError(
            f"None of the {len(given)} grades of {session.model} could be read, so it can't judge. "
            "Set BIOINSTRUCT_JUDGE_MODEL to another model."
        )
    ours = {"seed": seed, "resamples": resamples}
    billed = _billed(session, texts)
    second = _grades(session, [score.text for score in twice], _SECOND)
    figures = [
        *grade_biases(scores, given, session.model, **ours),
        *pair_biases(_outcomes(session, pairs), **ours),
        *repeat_figures(
            twice,
            [grades[score.text] for score in twice],
            [second.get(score.text) for score in twice],
            **ours,
        ),
        *_costs(billed),
    ]
    rows = agreement_rows(scores, given, **ours) + bias_rows(figures)
    write_measure(
        session.store,
        rows,
        scores,
        teacher=session.teacher,
        model=session.model,
        # A rehearsal server may answer behind the address of a real one.
        rehearsal=session.endpoint.rehearsal or billed["rehearsal"],
    )
    return rows


def _ask(
    session: TeacherSession,
    texts: Sequence[GradedText],
    twice: Sequence[GradedText],
    pairs: Sequence[tuple[HumanScore, HumanScore]],
    seed: int,
) -> Tally:
    """One round for all questions, each in a random order."""

    def asked(of: Sequence[GradedText]) -> list[GradedText]:
        mixed = sorted(set(of), key=lambda text: _place(text, seed))
        return [text for text in mixed if grade_without_judge(text) is None]

    return ask_together(
        session,
        [
            (grade_question(), asked(texts)),
            (grade_question(_SECOND), asked(twice)),
            (pair_question(), _orders(pairs)),
        ],
    )


def _grades(
    session: TeacherSession, texts: Sequence[GradedText], repeat: int = 0
) -> dict[GradedText, Grade | None]:
    """The grades by text; None if unreadable. A text without a reply is missing."""
    said = stored_answers(session, grade_question(repeat), texts)
    given = {text: grade for text in texts if (grade := grade_without_judge(text)) is not None}
    return {text: answer.answer for text, answer in said.items()} | given


def _in_random_order(scores: Sequence[HumanScore], seed: int) -> list[HumanScore]:
    by_text = {score.text: score for score in scores}
    return sorted(by_text.values(), key=lambda score: _place(score.text, seed))


def _place(shown: GradedText | AnswerPair, seed: int) -> str:
    """What a text or pair is sorted by in the random order of a seed."""
    return sha256_of([seed, *shown.shown().values()])


def _pairs(scores: Sequence[HumanScore], seed: int) -> list[tuple[HumanScore, HumanScore]]:
    """All pairs of different answers to one source, in random order."""
    mixed = _in_random_order(scores, seed)
    by_source: dict[tuple[str, str], list[HumanScore]] = {}
    for score in mixed:
        by_source.setdefault((score.text.source, score.text.reference), []).append(score)
    pairs = [
        pair
        for answers in by_source.values()
        for pair in itertools.combinations(answers, 2)
        if not _pair_of(*pair).needs_no_judge
    ]
    return sorted(pairs, key=lambda pair: _place(_pair_of(*pair), seed))


def _pair_of(first: HumanScore, second: HumanScore) -> AnswerPair:
    return AnswerPair(
        first.text.source, first.text.reference, first.text.answer, second.text.answer
    )


def _orders(pairs: Sequence[tuple[HumanScore, HumanScore]]) -> list[AnswerPair]:
    return [order for pair in pairs for order in _pair_of(*pair).orders]


def _outcomes(
    session: TeacherSession, pairs: Sequence[tuple[HumanScore, HumanScore]]
) -> list[MeasuredPair]:
    said = stored_answers(session, pair_question(), _orders(pairs))
    found = [(first, second, outcome(_pair_of(first, second), said)) for first, second in pairs]
    return [MeasuredPair(first, second, one) for first, second, one in found if one is not None]


def _billed(session: TeacherSession, texts: Sequence[GradedText]) -> dict[str, Any]:
    """What the grades of the texts cost, and whether a rehearsal server gave one."""
    question = grade_question()
    keys = [question.key(text, session.teacher, session.model) for text in set(texts)]
    return session.store.rows(COST, {"keys": keys})[0]


def _costs(billed: Mapping[str, Any]) -> list[BiasFigure]:
    """Tokens and dollars of a grade; the dollars only if the price is known."""
    requests = int(billed["requests"])
    if not requests:
        return []
    costs = {"tokens_per_grade": billed["tokens"] / requests}
    if not billed["unpriced"]:
        costs["usd_per_grade"] = billed["usd"] / requests
    return [
        BiasFigure(name, value, None, None, requests, requests) for name, value in costs.items()
    ]
