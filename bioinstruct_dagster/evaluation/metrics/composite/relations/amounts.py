"""Numbers and sides that belong to a thing: "dysuria for 3 days", "weakness of the right foot".

A number may be right elsewhere in a text and wrong here. Belongs here: which numbers and sides
stand beside a finding or medicine, and whether one contradicts others. Does not: numbers and sides
that occur nowhere (support).
"""

from collections.abc import Iterable

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause
from bioinstruct_dagster.evaluation.metrics.composite.concepts import Concept
from bioinstruct_dagster.evaluation.metrics.composite.numbers import same_number
from bioinstruct_dagster.evaluation.metrics.composite.persons import BOTH, sided_parts


class Amounts:
    """The numbers and sides that some clauses say of each finding and medicine."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self._numbers: dict[tuple[str, str], set[str]] = {}
        self._sides: dict[tuple[str, str], set[str]] = {}
        for clause in clauses:
            for name in _things(clause):
                for one in clause.concepts:
                    if one.kind == "number":
                        self._numbers.setdefault((name, one.unit), set()).add(one.name)
                for sided in sided_parts(clause):
                    self._sides.setdefault((name, sided.part), set()).add(sided.side)

    def wrong_numbers(self, clause: Clause) -> list[str]:
        """The numbers of a clause that a finding or medicine in it has otherwise."""
        return [
            " ".join(number.words)
            for number in _numbers(clause)
            if any(
                (told := self._numbers.get((name, number.unit)))
                and not any(
                    same_number(number.name, one)
                    for one in told | self._numbers.get((name, ""), set())  # "from 50 to 100 mg"
                )
                for name in _things(clause)
            )
        ]

    def wrong_sides(self, clause: Clause) -> list[str]:
        """The sides of a clause on which a finding in it is not."""
        return [
            f"{sided.side} {sided.part}"
            for sided in sided_parts(clause)
            if sided.side != BOTH
            and any(
                (told := self._sides.get((name, sided.part))) and sided.side not in told
                for name in _things(clause)
            )
        ]


def _things(clause: Clause) -> set[str]:
    return {one.name for one in clause.concepts if one.kind in {"finding", "medicine"}}


def _numbers(clause: Clause) -> list[Concept]:
    """The numbers with a unit. Others, such as ages and years, mostly stand for themselves."""
    return [one for one in clause.concepts if one.kind == "number" and one.unit]
