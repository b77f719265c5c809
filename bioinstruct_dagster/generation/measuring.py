"""Measuring: which values of the controls a row shows, and how rows compare with the targets.

Belongs here: what a sign means, looking for all of them at once, and counts of what was found. Does
not: what is asked for (drawing), or which rows are kept.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from statistics import fmean as mean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bioinstruct_dagster.generation.controls import Controls, Dimension

WORD = re.compile(r"\w+")
PLAIN_SIGN = re.compile(r"\w+\*?", re.ASCII)
# The only characters beyond ASCII that `re.IGNORECASE` takes for an ASCII letter.
FOLDED = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
WORDS_KNOWN = 100_000  # distinct words remembered; beyond it all are forgotten
MOST_TEXTS = 16  # alternative literals of one clause
LEAST_WORD = 2  # characters; nearly every row holds each single letter

Asked = Mapping[str, str]  # value by dimension
Row = tuple[Mapping[str, str], Asked | None]  # a row and what was asked of it
Clause = frozenset[str]  # literals of which a text must hold one


@cache
def pattern(sign: str) -> re.Pattern[str]:
    """A sign between slashes is a regular expression; else whole words, `*` for any ending.

    Raises:
        ValueError: says what is wrong with the sign.
    """
    expression = sign[1:].removesuffix("/")
    if not sign.startswith("/"):
        each = (r"\s+".join(map(re.escape, words.split())) for words in sign.split("|"))
        expression = rf"(?<!\w)(?:{'|'.join(each)})(?!\w)".replace(r"\*", r"\w*")
    try:
        found = re.compile(expression, re.IGNORECASE)
    except (re.error, OverflowError) as error:
        raise ValueError(f"{sign} is no regular expression ({error}); mend it") from None
    if found.search(""):
        raise ValueError(f"{sign} is found in every row; make it narrower")
    return found


class Measuring:
    """Looks for the signs of one controls file."""

    def __init__(self, dimensions: Sequence["Dimension"]) -> None:
        self._dimensions = dimensions
        signs: dict[tuple[str, ...], list[tuple[tuple[str, str], str]]] = {}
        for one in dimensions:
            own = [((one.id, value.id), sign) for value in one.values for sign in value.signs]
            if own:
                signs.setdefault(one.fields, []).extend(own)
        self._signs = {fields: _Signs(own) for fields, own in signs.items()}

    def measure(self, row: Mapping[str, str], asked: Asked | None) -> dict[str, set[str]]:
        """By dimension the values that a row shows; an empty set where nothing is recognised.

        A value that no row can show is taken from what was asked.
        """
        found: dict[str, set[str]] = {one.id: set() for one in self._dimensions}
        for fields, signs in self._signs.items():
            for dimension, value in signs.shown("\n".join([row[name] for name in fields])):
                found[dimension].add(value)
        length = len(row["input"].split())
        for one in self._dimensions:
            if one.measure == "input_words":
                fits = (v.id for v in one.values if v.words and v.words[0] <= length <= v.words[1])
                found[one.id].update(fits)
            wanted = (asked or {}).get(one.id, "")
            if wanted in one.by_id and not one.measurable(wanted):
                found[one.id].add(wanted)
        return found

    def count(self, rows: Iterable[Row]) -> dict[str, dict[str, float]]:
        """The pool that rows make: each counts once in each dimension.

        It counts for the value asked for where it shows that or nothing, else in equal parts for
        the values that it shows.
        """
        pool = {one.id: dict.fromkeys(one.shares, 0.0) for one in self._dimensions}
        for row, asked in rows:
            for dimension, found in self.measure(row, asked).items():
                wanted = (asked or {}).get(dimension, "")
                counts = wanted in pool[dimension] and (wanted in found or not found)
                for value in {wanted} if counts else found:
                    pool[dimension][value] += 1 if counts else 1 / len(found)
        return pool


def mix(controls: "Controls", rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Targets against what was asked and what kept rows show, by dimension and value.

    `target`, `asked` (of rows with something asked) and `achieved` (of all rows; each counts once,
    in equal parts for the values it shows) are shares; `n` rows show the value at all. `agreement`
    is the share of rows asked for the value that show it, `dimension_agreement` the same over the
    dimension: None where nothing measurable was asked.
    """
    measured = [(controls.measure(row, asked), asked or {}) for row, asked in rows]
    table: list[dict[str, Any]] = []
    for one in controls.dimensions:
        pairs = [(found[one.id], asked.get(one.id, "")) for found, asked in measured]
        wanted = [value for _, value in pairs if value in one.shares]
        agrees = [(v, v in found) for found, v in pairs if v in one.shares and one.measurable(v)]
        for value, share in one.shares.items():
            shown = [len(found) for found, _ in pairs if value in found]
            own = [agreed for asked, agreed in agrees if asked == value]
            table.append(
                {
                    "dimension": one.id,
                    "value": value,
                    "target": share,
                    "asked": wanted.count(value) / len(wanted) if wanted else None,
                    "achieved": sum(1 / n for n in shown) / max(len(pairs), 1),
                    "n": len(shown),
                    "agreement": mean(own) if own else None,
                    "dimension_agreement": mean(agreed for _, agreed in agrees) if agrees else None,
                }
            )
    return table


class _Signs:
    """All signs that are sought in one text, looked up by the words that it holds.

    A sign that is one word, or the beginning of one, is found by that word alone. Any other is
    searched for only in a text that has what its pattern can't match without, its clauses. Values
    and clauses are numbered as marks, and what a word says of them is remembered.
    """

    def __init__(self, signs: Sequence[tuple[tuple[str, str], str]]) -> None:
        self._marks: dict[Any, int] = {}
        self._by_word: dict[str, set[int]] = {}
        self._by_beginning: dict[str, set[int]] = {}
        self._in_words: dict[str, set[int]] = {}
        self._in_text: dict[str, set[int]] = {}
        self._searches: list[tuple[int, frozenset[int], re.Pattern[str]]] = []
        self._known: dict[str, frozenset[int]] = {}
        for value, sign in signs:
            for each in [sign] if sign.startswith("/") else sign.split("|"):
                self._add(self._mark(value), each.strip())
        self._values = {mark: value for value, mark in self._marks.items() if type(value) is tuple}

    def shown(self, text: str) -> list[tuple[str, str]]:
        """Dimension and value of every sign that a text shows."""
        folded = text
        if not text.isascii():
            for odd, letter in FOLDED.items():
                folded = folded.replace(odd, letter)
        folded = folded.lower()
        if len(self._known) > WORDS_KNOWN:
            self._known.clear()
        marks: set[int] = set()
        for word in set(WORD.findall(folded)):
            said = self._known.get(word)
            marks |= self._learn(word) if said is None else said
        for literal, clauses in self._in_text.items():
            if literal in folded:
                marks |= clauses
        for value, needs, sought in self._searches:
            if needs <= marks and value not in marks and sought.search(text):
                marks.add(value)
        return [self._values[mark] for mark in marks if mark in self._values]

    def _mark(self, what: tuple[str, str] | Clause) -> int:
        return self._marks.setdefault(what, len(self._marks))

    def _add(self, value: int, sign: str) -> None:
        if PLAIN_SIGN.fullmatch(sign):
            words = self._by_beginning if sign.endswith("*") else self._by_word
            words.setdefault(sign.removesuffix("*").lower(), set()).add(value)
            return
        sought = pattern(sign)
        needs = []
        for clause in _clauses(_parsed(sought)):
            needs.append(self._mark(clause))
            for literal in clause:
                where = self._in_words if WORD.fullmatch(literal) else self._in_text
                where.setdefault(literal, set()).add(needs[-1])
        self._searches.append((value, frozenset(needs), sought))

    def _learn(self, word: str) -> frozenset[int]:
        """The marks that a word makes, for the next time too."""
        found = set(self._by_word.get(word, ()))
        for end in range(1, len(word) + 1):
            found |= self._by_beginning.get(word[:end], set())
        for literal, clauses in self._in_words.items():
            if literal in word:
                found |= clauses
        self._known[word] = frozenset(found)
        return self._known[word]


def _parsed(sought: re.Pattern[str]) -> Sequence[tuple[Any, Any]]:
    """A pattern's syntax tree, from `re` itself; empty where this Python keeps it elsewhere."""
    parser = getattr(re, "_parser", None)
    return parser.parse(sought.pattern, sought.flags) if parser else ()


def _clauses(tree: Iterable[tuple[Any, Any]]) -> list[Clause]:
    """What a text must hold, in small letters, for a pattern to match: one literal of each clause.

    Sound, not complete: whatever is not understood demands nothing.
    """
    found: list[Clause] = []
    run = frozenset({""})
    for kind, what in tree:
        texts = _texts(str(kind), what)
        if texts and len(run) * len(texts) <= MOST_TEXTS:
            run = frozenset(before + text for before in run for text in texts)
            continue
        found.append(run)
        run = texts or frozenset({""})
        found += [] if texts else _clauses_within(str(kind), what)
    shortened = {frozenset(map(_telling, clause)) for clause in [*found, run]}
    return [clause for clause in shortened if min(map(_worth, clause)) >= LEAST_WORD]


def _clauses_within(kind: str, what: Any) -> list[Clause]:
    if kind == "SUBPATTERN":
        return _clauses(what[3])
    if kind in {"MAX_REPEAT", "MIN_REPEAT"} and what[0]:
        return _clauses(what[2])
    if kind == "BRANCH":
        each = [_clauses(branch) for branch in what[1]]
        if all(each):
            best = (max(clauses, key=lambda c: min(map(_worth, c))) for clauses in each)
            return [frozenset[str]().union(*best)]
    return []


def _texts(kind: str, what: Any) -> Clause | None:
    """The few texts that a part of a pattern can match; None where they are many or unknown."""
    if kind == "LITERAL":
        return frozenset({chr(what).lower()}) if chr(what).isascii() else None
    if kind == "SUBPATTERN":
        return _texts_of_all(what[3])
    each: list[Clause | None] = []
    if kind == "IN":
        each = [_texts(str(inner), value) for inner, value in what]
    elif kind == "BRANCH":
        each = [_texts_of_all(branch) for branch in what[1]]
    known = [texts for texts in each if texts]
    found = frozenset[str]().union(*known)
    return found if len(known) == len(each) and 0 < len(found) <= MOST_TEXTS else None


def _texts_of_all(tree: Iterable[tuple[Any, Any]]) -> Clause | None:
    run = frozenset({""})
    for kind, what in tree:
        texts = _texts(str(kind), what)
        if not texts or len(run) * len(texts) > MOST_TEXTS:
            return None
        run = frozenset(before + text for before in run for text in texts)
    return run


def _telling(literal: str) -> str:
    """The longest word of a literal, which is looked up faster; all of it where that is short."""
    longest = max(WORD.findall(literal), key=len, default="")
    return longest if len(longest) > LEAST_WORD else literal


def _worth(literal: str) -> int:
    """How telling a literal is; one that isn't made of letters is rarer than its length says."""
    return len(literal) if WORD.fullmatch(literal) or not literal else len(literal) + 1
