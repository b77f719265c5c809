"""Signs: words and regular expressions by which a text shows something, searched all at once.

Controls and quality rules are written in signs. Belongs here: what a sign means, whether it is
sound, and searching a text for many at once. Does not: what a sign stands for (the files of data/).
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from re import _constants, _parser  # type: ignore[attr-defined]  # the only reader of expressions
from typing import Any

WORD = re.compile(r"\w+")
PLAIN_SIGN = re.compile(r"\w+\*?", re.ASCII)
# The only characters beyond ASCII that `re.IGNORECASE` takes for an ASCII letter.
FOLDED = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
WORDS_KNOWN = 100_000  # distinct words remembered; beyond it all are forgotten
MOST_TEXTS = 16  # alternative literals of one clause
LEAST_WORD = 2  # characters; nearly every row holds each single letter
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


class SignIndex:
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


# A regular expression may take time in the square of a text: it sees no more than this of it.
MOST_SEARCHED = 20_000


class SignSearch:
    """Signs (see measuring.pattern) as few expressions: those that are whole words make one."""

    def __init__(self, signs: tuple[str, ...]) -> None:
        plain = [sign for sign in signs if not sign.startswith("/")]
        self._found = [pattern("|".join(plain))] if plain else []
        self._found += [pattern(sign) for sign in signs if sign.startswith("/")]

    def search(self, text: str) -> str | None:
        """What the first sign that is found matches."""
        for one in self._found:
            if found := one.search(text, 0, MOST_SEARCHED):
                return found.group(0)
        return None

    def without(self, text: str) -> str:
        """The text without what the signs match."""
        for one in self._found:
            text = one.sub(" ", text[:MOST_SEARCHED])
        return text


def checked_sign(sign: str) -> str:
    """The sign itself, if it is a sound pattern whose search ends in any text.

    Raises:
        ValueError: says what is wrong with the sign.
    """
    pattern(sign)
    if sign.startswith("/") and _is_nested_repetition(_parser.parse(sign[1:].removesuffix("/"))):
        raise ValueError(
            f"{sign} repeats a repetition without bound, which some texts make endless; "
            "give the inner or the outer one a bound, such as {0,5}"
        )
    return sign


def _is_nested_repetition(tree: Any, *, inside: bool = False) -> bool:
    """Whether an unbounded repetition stands in another."""
    for operation, argument in tree:
        unbounded = operation in {_constants.MAX_REPEAT, _constants.MIN_REPEAT} and (
            argument[1] is _constants.MAXREPEAT
        )
        if unbounded and inside:
            return True
        parts = argument if isinstance(argument, (list, tuple)) else [argument]
        for part in parts:
            trees = part if isinstance(part, list) else [part]
            for one in trees:
                if isinstance(one, _parser.SubPattern) and _is_nested_repetition(
                    one, inside=inside or unbounded
                ):
                    return True
    return False
