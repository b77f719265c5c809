"""Signs: words and regular expressions that show a property of a text.

Controls and quality rules name signs. Belongs here: the meaning of a sign, the check that a sign is
sound, and searching a text for many signs at once. Does not: the signs themselves
(`data/controls.yaml`, `data/quality_rules.yaml`).
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, reduce
from operator import or_
from re import _constants, _parser  # type: ignore[attr-defined]  # the only reader of expressions
from typing import Any

from bioinstruct_dagster.sign_clauses import (
    ALWAYS,
    BOUNDARY,
    SEARCHED_CHARACTERS,
    WORD,
    Clause,
    ClauseIndex,
    can_be_looked_up,
    clauses_of,
    folded_text,
    has_long_parts,
    how_telling,
    split_clause,
    word_clauses,
)

PLAIN_SIGN = re.compile(r"\w+\*?", re.ASCII)
MOST_CACHED_WORDS = 100_000  # distinct words; with more, the cache is cleared
MOST_REMEMBERED = 1_000  # sets of clauses whose searches are remembered, for each list of signs
MOST_PHRASES = 16  # that are looked for before an expression is tried


@cache
def pattern(sign: str) -> re.Pattern[str]:
    """The expression of a sign.

    A sign between slashes is a regular expression. Any other sign is whole words, or several
    alternatives separated by `|`; a `*` stands for any ending of a word.

    Raises:
        ValueError: the sign is unsound; the message says why.
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
    """Many signs, searched for in one text by looking up its words.

    Each sign shows a value: a dimension of the controls, and one of its choices. A sign that is one
    word, or the beginning of a word, is looked up by that word. Any other sign needs its
    expression, which is tried only if the text holds a literal of each of its clauses. Values and
    clauses are numbered as marks. The index remembers the marks of each word.

    Args:
        signs: each value with one of its signs.
    """

    def __init__(self, signs: Sequence[tuple[tuple[str, str], str]]) -> None:
        self._marks: dict[Any, int] = {}
        self._values_by_word: dict[str, set[int]] = {}
        self._values_by_beginning: dict[str, set[int]] = {}
        self._clauses_by_part: dict[str, set[int]] = {}
        self._clauses_by_text: dict[str, set[int]] = {}
        self._searches: list[tuple[int, frozenset[int], re.Pattern[str]]] = []
        self._marks_by_word: dict[str, frozenset[int]] = {}
        for value, sign in signs:
            for each in [sign] if sign.startswith("/") else sign.split("|"):
                self._add(self._mark(value), each.strip())
        self._values = {mark: value for value, mark in self._marks.items() if type(value) is tuple}

    def values_in(self, text: str) -> list[tuple[str, str]]:
        """The values whose signs are in the text."""
        folded = folded_text(text)
        if len(self._marks_by_word) > MOST_CACHED_WORDS:
            self._marks_by_word.clear()
        marks: set[int] = set()
        for word in set(WORD.findall(folded)):
            said = self._marks_by_word.get(word)
            marks |= self._learn(word) if said is None else said
        for literal, clauses in self._clauses_by_text.items():
            if literal in folded:
                marks |= clauses
        for value, needs, expression in self._searches:
            if needs <= marks and value not in marks and expression.search(text):
                marks.add(value)
        return [self._values[mark] for mark in marks if mark in self._values]

    def _mark(self, what: tuple[str, str] | Clause) -> int:
        return self._marks.setdefault(what, len(self._marks))

    def _add(self, value: int, sign: str) -> None:
        if PLAIN_SIGN.fullmatch(sign):
            words = self._values_by_beginning if sign.endswith("*") else self._values_by_word
            words.setdefault(sign.removesuffix("*").lower(), set()).add(value)
            return
        expression = pattern(sign)
        needs = []
        for clause in word_clauses(expression):
            needs.append(self._mark(clause))
            for literal in clause:
                where = self._clauses_by_part if WORD.fullmatch(literal) else self._clauses_by_text
                where.setdefault(literal, set()).add(needs[-1])
        self._searches.append((value, frozenset(needs), expression))

    def _learn(self, word: str) -> frozenset[int]:
        """The marks of a word, which the index then remembers."""
        found = set(self._values_by_word.get(word, ()))
        for end in range(1, len(word) + 1):
            found |= self._values_by_beginning.get(word[:end], set())
        for literal, clauses in self._clauses_by_part.items():
            if literal in word:
                found |= clauses
        self._marks_by_word[word] = frozenset(found)
        return self._marks_by_word[word]


CLAUSES = ClauseIndex()  # of all searches, so that a text's words are looked up once for all


_BITS = CLAUSES.bits_in


def clause_bits(text: str) -> int:
    """The bits of the clauses of all searches that the text fulfils (see SignSearch.telling)."""
    return _BITS[text]


def _bits_needed(clauses: Iterable[Clause]) -> tuple[int, list[Clause]]:
    """The bits of the clauses that an index of words can look up, and these clauses.

    A clause of two letters of any word, as most texts fulfil, is left out if there is another one.
    """
    parts = [part for each in clauses if can_be_looked_up(each) for part in split_clause(each)]
    parts = [part for part in parts if has_long_parts(part)] or parts
    return reduce(or_, map(CLAUSES.bit, parts), 0), parts


def _phrases_of(clauses: Iterable[Clause]) -> tuple[str, ...]:
    """Phrases of which each match holds one; none if no clause has phrases alone.

    The words of "as of my" are in most texts, and the phrase is in few.
    """
    phrases = [
        tuple(literal.replace(BOUNDARY, "") for literal in clause)
        for clause in clauses
        if len(clause) <= MOST_PHRASES
    ]
    longest = max(phrases, key=lambda each: min(map(len, each)), default=())
    return longest if any(" " in phrase.strip() for phrase in longest) else ()


class WordedPattern:
    """An expression that is tried only on a text that holds the words that each match needs.

    The words are read off the expression (see sign_clauses), so whoever writes it need not name
    them. The result is the same without this test. It pays where many expressions read the same
    text, because the words of a text are looked up once for all.

    Args:
        expression: the expression, compiled or not.
        flags: of an expression that is not compiled, such as `re.IGNORECASE`.
    """

    def __init__(self, expression: str | re.Pattern[str], flags: int = 0) -> None:
        self.pattern = re.compile(expression, flags)
        self._needs, _ = _bits_needed(clauses_of(self.pattern))

    def may_match(self, text: str) -> bool:
        """Whether the text, or a part of it that cuts no word, may hold a match."""
        needs = self._needs
        return needs & _BITS[text] == needs or len(text) > SEARCHED_CHARACTERS

    # Each search is written out: a call of `may_match` takes longer than the test itself, and most
    # texts fail it.

    def search(self, text: str) -> re.Match[str] | None:
        """The first match in the text."""
        needs = self._needs
        if needs & _BITS[text] != needs and len(text) <= SEARCHED_CHARACTERS:
            return None
        return self.pattern.search(text)

    def match(self, text: str) -> re.Match[str] | None:
        """The match at the beginning of the text."""
        needs = self._needs
        if needs & _BITS[text] != needs and len(text) <= SEARCHED_CHARACTERS:
            return None
        return self.pattern.match(text)

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """The match of the whole text."""
        needs = self._needs
        if needs & _BITS[text] != needs and len(text) <= SEARCHED_CHARACTERS:
            return None
        return self.pattern.fullmatch(text)


class WordTest:
    """Whether a text may hold one of many words: a quick test before they are looked for.

    The words of the text are looked up once for this test and for all searches.

    Args:
        words: in small letters. A word may have spaces and hyphens, and needs a letter or digit.
        parts: of words, in small letters.
    """

    def __init__(self, words: Iterable[str] = (), parts: Iterable[str] = ()) -> None:
        clause = frozenset([*(f"{BOUNDARY}{word}{BOUNDARY}" for word in words), *parts])
        if not can_be_looked_up(clause):
            raise ValueError("a word has no letter or digit, so it can't be looked up")
        self._bit = CLAUSES.bit(clause)

    def may_hold(self, text: str) -> bool:
        """Whether the text may hold one of the words. False is sure."""
        return bool(self._bit & _BITS[text]) or len(text) > SEARCHED_CHARACTERS


_Search = tuple[int, tuple[str, ...], re.Pattern[str]]


class SignSearch:
    """Signs as few expressions: all signs that are whole words make one expression.

    An expression is tried only if the text holds a literal of each of its clauses, so most texts
    need no search. The result is the same without this test.
    """

    def __init__(self, signs: tuple[str, ...]) -> None:
        self._searches, self._tells = _searches_for(signs)
        self._telling = reduce(or_, self._tells, 0)
        self._by_held: dict[int, tuple[_Search, ...]] = {}

    @property
    def telling(self) -> int:
        """Bits of which each text that a sign matches has one in its `clause_bits`."""
        return self._telling

    def search(self, text: str) -> str | None:
        """The part of the text that a sign matches, or None."""
        if not text or not self._searches:
            return None
        held = _BITS[text]
        telling = self._telling & held
        if not telling:
            return None
        for needs, phrases, one in self._by_held.get(telling) or self._searches_of(telling):
            if (
                needs & held == needs
                and (not phrases or _holds_any(text, phrases))
                and (found := one.search(text, 0, SEARCHED_CHARACTERS))
            ):
                return found.group(0)
        return None

    def _searches_of(self, telling: int) -> tuple[_Search, ...]:
        """The searches whose telling clause is among these, in their order; they are remembered."""
        found = tuple(
            one for one, tells in zip(self._searches, self._tells, strict=True) if tells & telling
        )
        if len(self._by_held) >= MOST_REMEMBERED:
            self._by_held.clear()
        self._by_held[telling] = found
        return found

    def without(self, text: str) -> str:
        """The text with a space in place of each part that a sign matches."""
        text = text[:SEARCHED_CHARACTERS]
        for needs, _, one in self._searches:
            if needs & _BITS[text] == needs:
                text = one.sub(" ", text)
        return text


def _holds_any(text: str, phrases: Iterable[str]) -> bool:
    folded = folded_text(text)
    return any(phrase in folded for phrase in phrases)


@cache
def _searches_for(signs: tuple[str, ...]) -> tuple[tuple[_Search, ...], tuple[int, ...]]:
    """The bits, phrases and expression of each search, and a clause of each that tells most.

    Every match of the expression needs this clause.

    They are cached, because gates are made often.
    """
    plain = [sign for sign in signs if not sign.startswith("/")]
    searches: list[_Search] = []
    tells: list[int] = []
    expressions = [(pattern("|".join(plain)), _plain_clauses(plain))] if plain else []
    written = [pattern(sign) for sign in signs if sign.startswith("/")]
    expressions += [(one, clauses_of(one)) for one in written]
    for expression, clauses in expressions:
        needs, parts = _bits_needed(clauses)
        phrases = _phrases_of(clauses) if expression in written else ()
        searches.append((needs, phrases, expression))
        tells.append(CLAUSES.bit(max(parts, key=how_telling)) if parts else ALWAYS)
    return tuple(searches), tuple(tells)


def _plain_clauses(signs: Iterable[str]) -> list[Clause]:
    """The clause of signs that are whole words: the longest word of each; none if one has none."""
    parts = []
    for each in (each.strip() for sign in signs for each in sign.split("|")):
        words = [
            f"{'' if each[: found.start()].endswith('*') else BOUNDARY}{found.group(0).lower()}"
            f"{'' if each[found.end() :].startswith('*') else BOUNDARY}"
            for found in WORD.finditer(each)
            if found.group(0).isascii()
        ]
        parts.append(max(words, key=len, default=""))
    return [frozenset(parts)] if all(len(part) > len(BOUNDARY) + 1 for part in parts) else []


@cache
def checked_sign(sign: str) -> str:
    """The sign itself, if it is sound and its search ends soon in any text.

    Raises:
        ValueError: the sign is unsound; the message says why.
    """
    pattern(sign)
    if sign.startswith("/") and _is_nested_repetition(_parser.parse(sign[1:].removesuffix("/"))):
        raise ValueError(
            f"{sign} repeats a repetition without bound, so a search may never end; "
            "give the inner or the outer repetition a bound, such as {0,5}"
        )
    return sign


def _is_nested_repetition(tree: Any, *, inside: bool = False) -> bool:
    """Whether an unbounded repetition lies inside another one."""
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
