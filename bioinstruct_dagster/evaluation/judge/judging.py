"""Asking the judge about the answers of many items, in a random order that a seed fixes.

If a cap ends the round, the items that were judged are a random sample of all. Belongs here: which
items are drawn, the order of the questions, and one round for all of them. Does not: the questions
(grades, pairwise), or where the answers come from (answers).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from bioinstruct_dagster.evaluation.judge.grades import (
    Grade,
    GradedText,
    grade_question,
    grade_without_judge,
)
from bioinstruct_dagster.evaluation.judge.pairwise import AnswerPair, PairChoice, pair_question
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.answers import StoredAnswer, ask_together, stored_answers
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.session import TeacherSession


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


Drawn = TypeVar("Drawn", bound=_Identified)


@dataclass(frozen=True)
class Judgement:
    """What the judge said.

    Attributes:
        grades: by text. A text that a cap left out is missing.
        choices: by pair, in the order of the pair.
        tally: what the round took.
    """

    grades: Mapping[GradedText, StoredAnswer[Grade]] = field(default_factory=dict)
    choices: Mapping[AnswerPair, StoredAnswer[PairChoice]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def grade(self, text: GradedText) -> Grade | None:
        """The valid grade of a text; None if it was not asked about, or its grade is unreadable."""
        given = grade_without_judge(text)
        if given is not None:
            return given
        said = self.grades.get(text)
        return said.answer if said else None

    def was_asked(self, text: GradedText) -> bool:
        """Whether a reply about the text is stored, readable or not."""
        return text in self.grades or grade_without_judge(text) is not None


def drawn(items: Iterable[Drawn], most: int, seed: int) -> list[Drawn]:
    """At most so many items, in random order.

    The order depends on the seed and the items' identifiers only. So all experiments are judged on
    the same items, and with a higher limit, the items of the lower one are among them.
    """
    return sorted(items, key=lambda item: sha256_of([seed, item.id]))[:most]


def judge(
    session: TeacherSession, texts: Sequence[GradedText], pairs: Sequence[AnswerPair], *, seed: int
) -> Judgement:
    """Ask the judge about every text and every pair that it was not asked about before.

    Args:
        session: the open judge.
        texts: in the order of the items that were drawn.
        pairs: likewise. Each is asked about in both orders.
        seed: decides which answer of an item is graded first.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see teacher.rounds.ask.
    """
    asked = [text for text in _mixed(texts, seed) if grade_without_judge(text) is None]
    orders = [order for pair in pairs if not pair.needs_no_judge for order in pair.orders]
    grading, comparing = grade_question(), pair_question()
    tally = ask_together(session, [(grading, asked), (comparing, orders)])
    return Judgement(
        stored_answers(session, grading, asked),
        stored_answers(session, comparing, orders),
        tally,
    )


def _mixed(texts: Sequence[GradedText], seed: int) -> list[GradedText]:
    """The texts with the answers to one item in random order, so that no subject comes first."""
    place: dict[tuple[str, str], int] = {}
    for text in texts:
        place.setdefault((text.source, text.reference), len(place))
    return sorted(
        dict.fromkeys(texts),
        key=lambda text: (
            place[text.source, text.reference],
            sha256_of([seed, text.source, text.answer]),
        ),
    )
