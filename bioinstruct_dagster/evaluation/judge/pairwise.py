"""Two answers side by side, in both orders: which one a clinician would rather use.

A judge may prefer whatever stands first. So each pair is asked about twice, with the answers
exchanged, and an answer wins only if it wins in both places. Belongs here: the question, and the
outcome of a pair. Does not: the text of the question (rubric), or win rates over items (scores).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from bioinstruct_dagster.evaluation.judge.grades import (
    MOST_REASON_CHARS,
    PURPOSE,
    rubric_version,
    text_hash,
)
from bioinstruct_dagster.evaluation.judge.rubric import (
    ANSWERS_PER_REQUEST,
    PAIR_FORM,
    PAIR_PROMPT,
    PAIR_PROPERTIES,
    PAIR_SCHEMA,
    PAIR_TEMPLATE,
    PREFERENCES,
    SYSTEM_PROMPT,
    TOKENS_PER_PAIR,
)
from bioinstruct_dagster.teacher.answers import StoredAnswer
from bioinstruct_dagster.teacher.questions import AnswerTable, Question, QuestionPrompt
from bioinstruct_dagster.teacher.reading.answer_values import short_reason

Preference = Literal["first", "second", "neither"]

STORED_PAIRS = """
    select pair_key as answer_key, preferred, reason, completion_id, completion.rehearsal
    from judge_pairs
    join completions as completion using (completion_id)
    where pair_key in (select unnest($wanted::varchar[]))
"""
# What the first answer of a pair gets for a preference.
_POINTS: Mapping[Preference, float] = {"first": 1.0, "second": 0.0, "neither": 0.5}


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """Two answers to the same item, in the order in which the judge sees them."""

    source: str
    reference: str
    first: str
    second: str

    def exchanged(self) -> "AnswerPair":
        """The same pair in the other order."""
        return AnswerPair(self.source, self.reference, self.second, self.first)

    @property
    def orders(self) -> tuple["AnswerPair", "AnswerPair"]:
        """Both orders, in which a judge is asked about the pair; this one first."""
        return self, self.exchanged()

    def shown(self) -> dict[str, str]:
        """The fields that the prompt shows, by name."""
        return {
            "source": self.source,
            "reference": self.reference,
            "first": self.first,
            "second": self.second,
        }

    @property
    def needs_no_judge(self) -> bool:
        """Whether both answers are the same, so that neither is better."""
        return self.first.strip() == self.second.strip()


@dataclass(frozen=True, slots=True)
class PairChoice:
    """The judge's choice in one order. Choices that differ only in the reason are equal."""

    preferred: Preference
    reason: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PairOutcome:
    """What became of a pair in both orders.

    Attributes:
        points: of the answer that stood first in the pair as it was given: 1 if it won in both
            orders, 0 if it lost in both, 0.5 else.
        first_places: in how many orders the answer in the first place was preferred.
        choices: in how many orders one of the two was preferred.
        consistent: whether both orders give the same answer the preference, or neither.
    """

    points: float
    first_places: int
    choices: int
    consistent: bool


def outcome(
    pair: AnswerPair, answers: Mapping[AnswerPair, StoredAnswer[PairChoice]]
) -> PairOutcome | None:
    """The outcome of a pair; None if one of its orders has no valid answer.

    Args:
        pair: in the order whose first answer gets the points.
        answers: the judge's answers on pairs in both orders.
    """
    if pair.needs_no_judge:
        return PairOutcome(0.5, 0, 0, consistent=True)
    said = [answers.get(order) for order in pair.orders]
    choices = [each.answer for each in said if each is not None]
    given = [choice.preferred for choice in choices if choice is not None]
    if len(given) != len(said):
        return None
    ours = (_POINTS[given[0]], 1 - _POINTS[given[1]])
    agreed = ours[0] == ours[1]
    return PairOutcome(
        points=ours[0] if agreed else 0.5,
        first_places=given.count("first"),
        choices=len(given) - given.count("neither"),
        consistent=agreed,
    )


@cache
def pair_question() -> Question[AnswerPair, PairChoice]:
    """The question which of two answers is better."""
    return Question(
        QuestionPrompt(
            purpose=PURPOSE,
            template_id=PAIR_TEMPLATE,
            system=SYSTEM_PROMPT,
            user=PAIR_PROMPT,
            form=PAIR_FORM,
            schema_name=PAIR_SCHEMA,
            list_name="pairs",
            properties=PAIR_PROPERTIES,
            fields_of=AnswerPair.shown,
            items_per_request=ANSWERS_PER_REQUEST,
            tokens_per_item=TOKENS_PER_PAIR,
        ),
        _valid_choice,
        AnswerTable("judge_pairs", STORED_PAIRS, _stored_row, _stored_choice),
    )


def _valid_choice(answer: Mapping[str, Any]) -> PairChoice | None:
    preferred = answer.get("preferred")
    if preferred not in PREFERENCES:
        return None
    return PairChoice(preferred, short_reason(answer.get("reason"), MOST_REASON_CHARS))


def _stored_row(key: str, pair: AnswerPair, choice: PairChoice | None) -> dict[str, Any]:
    return {
        "pair_key": key,
        "rubric": rubric_version(),
        "source_hash": text_hash(pair.source),
        "reference_hash": text_hash(pair.reference),
        "first_hash": text_hash(pair.first),
        "second_hash": text_hash(pair.second),
        "preferred": choice.preferred if choice else None,
        "reason": choice.reason if choice else "",
    }


def _stored_choice(row: Mapping[str, Any]) -> PairChoice | None:
    return None if row["preferred"] is None else PairChoice(row["preferred"], row["reason"])
