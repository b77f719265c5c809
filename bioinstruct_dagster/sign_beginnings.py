"""Expressions that are tried only where a text holds the beginning of one of their matches.

An expression such as `(?:patient|chart|file) number` is tried at each character of a text, and
each time it compares every alternative. To find the few places of "patient", "chart" or "file" is
far faster. Belongs here: the beginnings of an expression's matches, and the search at their places.
Does not: the words that a match holds anywhere (sign_clauses), or signs (signs).
"""

import re
from collections.abc import Iterable, Iterator
from re import _parser  # type: ignore[attr-defined]  # the only reader of expressions
from typing import Any, NamedTuple

from bioinstruct_dagster.sign_clauses import REPEATS, folded_text

LONGEST_BEGINNING = 6  # characters; longer ones exclude hardly more places
SHORTEST_BEGINNING = 2  # a single letter stands in every text
MOST_BEGINNINGS = 100  # to look for more of them takes too long, so shorter ones are looked for
WITHOUT_WIDTH = frozenset({"AT", "ASSERT", "ASSERT_NOT"})  # kinds of parts, as `re` names them


class _Beginnings(NamedTuple):
    """What the matches of a part of an expression begin with, in small letters.

    Attributes:
        whole: texts that are a whole match of the part, so that what follows it goes on.
        cut: texts after which the match has more characters that are not known.
    """

    whole: frozenset[str]
    cut: frozenset[str] = frozenset()

    def before(self, other: "_Beginnings") -> "_Beginnings":
        """The beginnings of this part with another part after it."""
        texts = {one + two for one in self.whole for two in other.whole}
        longer = {one + two for one in self.whole for two in other.cut}
        long = {text for text in texts if len(text) >= LONGEST_BEGINNING}
        return _Beginnings(frozenset(texts - long), self.cut | longer | long)


_NOTHING = _Beginnings(frozenset({""}))
_UNKNOWN = _Beginnings(frozenset(), frozenset({""}))


def beginnings_of(expression: re.Pattern[str]) -> tuple[str, ...]:
    """The texts of which one stands at the beginning of each match; none if they are unknown.

    They stand in the text's `folded_text`, and are so short that they are few.
    """
    found = _beginnings(_parser.parse(expression.pattern, expression.flags))
    for length in range(LONGEST_BEGINNING, SHORTEST_BEGINNING - 1, -1):
        shortest = _without_longer({text[:length] for text in found.whole | found.cut})
        if len(shortest[0]) < SHORTEST_BEGINNING:
            break
        if len(shortest) <= MOST_BEGINNINGS:
            return tuple(shortest)
    return ()


def _without_longer(texts: Iterable[str]) -> list[str]:
    """The texts that begin with no other of them."""
    shortest: list[str] = []
    for text in sorted(texts, key=lambda one: (len(one), one)):
        if not text.startswith(tuple(shortest)):
            shortest.append(text)
    return shortest


def _beginnings(tree: Iterable[tuple[Any, Any]]) -> _Beginnings:
    found = _NOTHING
    for kind, what in tree:
        if str(kind) not in WITHOUT_WIDTH:
            found = found.before(_of_part(str(kind), what))
        if not found.whole:
            break
    return found


def _of_part(kind: str, what: Any) -> _Beginnings:
    if kind == "LITERAL" and chr(what).isascii():
        return _Beginnings(frozenset({chr(what).lower()}))
    if kind == "SUBPATTERN":
        return _beginnings(what[3])
    if kind in {"BRANCH", "IN"}:
        inner = what[1] if kind == "BRANCH" else [[part] for part in what]
        each = [_beginnings(one) for one in inner]
        return _Beginnings(
            frozenset().union(*(one.whole for one in each)),
            frozenset().union(*(one.cut for one in each)),
        )
    if kind in REPEATS:
        least, most, repeated = what
        once = _beginnings(repeated)
        if most > 1:
            once = _Beginnings(frozenset(), once.whole | once.cut)
        return once if least else _Beginnings(once.whole | {""}, once.cut)
    return _UNKNOWN


class BegunPattern:
    """An expression with a search that tries it only where a match may begin.

    The matches are those of the expression itself.

    Args:
        pattern: the expression, compiled or not; it must match no empty text.
    """

    def __init__(self, pattern: str | re.Pattern[str]) -> None:
        self.pattern = re.compile(pattern)
        self._beginnings = beginnings_of(self.pattern)

    def finditer(self, text: str, begin: int, end: int) -> Iterator[re.Match[str]]:
        """The matches in a part of a text, as the expression's own `finditer` yields them.

        Args:
            text: the text.
            begin: where the part begins.
            end: where it ends.
        """
        if not self._beginnings:
            yield from self.pattern.finditer(text, begin, end)
            return
        folded = folded_text(text)  # each character has its place in it
        places: set[int] = set()
        for beginning in self._beginnings:
            place = folded.find(beginning, begin, end)
            while place >= 0:
                places.add(place)
                place = folded.find(beginning, place + 1, end)
        match = self.pattern.match
        for place in sorted(places):
            if place >= begin and (found := match(text, place, end)):
                yield found
                begin = found.end()
