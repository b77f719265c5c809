"""The course of a thing: begun, going on or ended, raised or lowered.

"Stop metformin" has the words of "start metformin" and means the opposite. Belongs here: reading
courses, and whether one contradicts others. Does not: negation (clauses).
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Literal

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause
from bioinstruct_dagster.evaluation.metrics.composite.concepts import Concept
from bioinstruct_dagster.evaluation.metrics.composite.lists import words_in

Course = Literal["begun", "now", "ended", "raised", "lowered"]
MOST_APART = 2  # concepts of a clause that only says the course of the thing before it
# For each course those that contradict it, and those that allow it although a contradicting one is
# said too: who stopped a medicine and begins it again does not take it now.
_AGAINST: dict[Course, tuple[frozenset[Course], frozenset[Course]]] = {
    "begun": (frozenset({"ended"}), frozenset({"begun", "now"})),
    "now": (frozenset({"ended"}), frozenset({"now"})),
    "ended": (frozenset({"begun", "now"}), frozenset({"ended"})),
    "raised": (frozenset({"lowered"}), frozenset({"raised"})),
    "lowered": (frozenset({"raised"}), frozenset({"lowered"})),
}


class Courses:
    """The courses that some clauses say of each thing."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self._said: dict[str, set[Course]] = {}
        self._medicines: set[Course] = set()
        before: list[Concept] = []
        for clause in clauses:
            courses = courses_of(clause)
            things = [concept for concept in clause.concepts if has_course(concept)]
            # "Breast cancer in 2010, in remission": the course stands apart.
            apart = bool(courses) and not things and len(clause.concepts) <= MOST_APART
            for concept in (before if apart else things) if courses else ():
                self._said.setdefault(concept.name, set()).update(courses)
                if concept.kind == "medicine":
                    self._medicines |= courses
            before = things

    def of(self, concept: Concept) -> frozenset[Course]:
        """The courses of one thing; empty if none is said."""
        return frozenset(self._said.get(concept.name, ()))

    def of_medicines(self) -> frozenset[Course]:
        """The courses of all medicines together."""
        return frozenset(self._medicines)


def has_course(concept: Concept) -> bool:
    """Whether a concept can begin and end: a medicine, habit, finding or treatment."""
    return concept.kind in {"finding", "medicine"}


def is_course(concept: Concept) -> bool:
    """Whether a concept is only the word for a course, such as "resume"."""
    return all(word in _courses() for word in concept.words)


def courses_of(clause: Clause) -> frozenset[Course]:
    """The courses that a clause names; none in a question or a denial."""
    if clause.negated or clause.question or not clause.certain:
        return frozenset()
    return frozenset(_courses()[word] for word in clause.words if word in _courses())


def wrong_courses(clause: Clause, told: Sequence[Courses], known: AbstractSet[str]) -> list[str]:
    """The things in a clause whose course is the opposite of what was told.

    Args:
        clause: of a summary.
        told: courses of the other texts. For each thing the first that names one counts.
        known: names of the concepts that the other texts speak of.
    """
    courses = courses_of(clause)
    if not courses:
        return []
    return [
        " ".join(concept.words)
        for concept in clause.concepts
        if has_course(concept)
        and any(_contradicts(course, concept, told, known) for course in courses)
    ]


def _contradicts(
    course: Course, concept: Concept, told: Sequence[Courses], known: AbstractSet[str]
) -> bool:
    against, allowing = _AGAINST[course]
    for one in told:
        if found := one.of(concept):
            return bool(found & against) and not found & allowing
    # A medicine is said to have ended, another one has: they were taken for each other.
    swapped = course == "ended" and concept.kind == "medicine" and concept.name in known
    return swapped and any(course in one.of_medicines() for one in told)


def past(clause: Clause) -> bool:
    """Whether a clause speaks of the past."""
    return any(word in words_in("courses", "past") for word in clause.words)


def present_only(clause: Clause) -> bool:
    """Whether a clause speaks of the present only."""
    return any(word in words_in("courses", "present_only") for word in clause.words)


@cache
def _courses() -> Mapping[str, Course]:
    return {word: course for course in _AGAINST for word in words_in("courses", course)}
