"""Signs: words and regular expressions that show a property of a text.

Controls and quality rules name signs. Belongs here: the meaning of a sign, the check that a sign is
sound, and searching a text for many signs at once. Does not: the signs themselves
(`data/controls.yaml`, `data/quality_rules.yaml`).
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache, reduce
from operator import or_
from re import _constants, _parser  # type: ignore[attr-defined]  # the only reader of expressions
from typing import Any

WORD = re.compile(r"\w+")
PLAIN_SIGN = re.compile(r"\w+\*?", re.ASCII)
# The only characters outside ASCII that `re.IGNORECASE` matches with an ASCII letter.
ASCII_FOLDS = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
MOST_CACHED_WORDS = 100_000  # distinct words; with more, the cache is cleared
MOST_LITERALS = 16  # alternative literals of one clause
MOST_FOLDED_TEXTS = 16  # texts whose folded form is cached; the rules of a gate read three of a row
SHORTEST_LITERAL = 2  # characters; nearly every row holds every single letter
BOUNDARY = "\0"  # in a literal: the beginning or end of a word
RARE = re.compile(r"[<>\[\]{}|=\\@#]")  # few texts hold such a character
PART_KEY = 3  # characters of a part by which it is looked up, or two if it is shorter
Clause = frozenset[str]  # literals; a text must hold at least one of them


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
        for clause in _word_clauses(expression):
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


@lru_cache(MOST_FOLDED_TEXTS)
def folded_text(text: str) -> str:
    """The text in small letters, with ASCII letters for those that `re.IGNORECASE` takes for them.

    Many searches read the same texts of a row one after another, so the last results are kept.
    """
    if not text.isascii():
        for odd, letter in ASCII_FOLDS.items():
            text = text.replace(odd, letter)
    return text.lower()


@lru_cache(MOST_FOLDED_TEXTS)
def folded_tokens(text: str) -> list[str]:
    """The parts between spaces of the folded text; callers must not change the list."""
    return folded_text(text).split()


def clauses_of(expression: re.Pattern[str]) -> list[Clause]:
    """The clauses of an expression: it matches only texts that hold a literal of each clause.

    A text holds a literal if its `folded_text` does.
    """
    return _clauses(_parser.parse(expression.pattern, expression.flags))


def _word_clauses(expression: re.Pattern[str]) -> list[Clause]:
    """The same clauses with words for literals, which an index of words finds fast."""
    shortened = {
        frozenset(_longest_word(literal.replace(BOUNDARY, "")) for literal in clause)
        for clause in clauses_of(expression)
    }
    return [clause for clause in shortened if _worth(clause)]


def _clauses(tree: Iterable[tuple[Any, Any]]) -> list[Clause]:
    """The clauses of an expression's syntax tree.

    The expression matches only a text that holds, in small letters, one literal of each clause. A
    part of the tree that this function does not know adds no clause.
    """
    found: list[Clause] = []
    run = frozenset({""})
    for kind, what in tree:
        texts = _texts(str(kind), what)
        if texts and len(run) * len(texts) <= MOST_LITERALS:
            run = frozenset(before + text for before in run for text in texts)
            continue
        found.append(run)
        run = texts or frozenset({""})
        found += [] if texts else _clauses_within(str(kind), what)
    return [clause for clause in {*found, run} if _worth(clause)]


def _clauses_within(kind: str, what: Any) -> list[Clause]:
    if kind == "SUBPATTERN":
        return _clauses(what[3])
    if kind in {"MAX_REPEAT", "MIN_REPEAT"} and what[0]:
        return _clauses(what[2])
    if kind == "BRANCH":
        each = [_clauses(branch) for branch in what[1]]
        if all(each):
            best = (max(clauses, key=lambda c: min(map(_rarity, c))) for clauses in each)
            return [frozenset[str]().union(*best)]
    return []


def _worth(clause: Clause) -> bool:
    """Whether the literals of a clause are long enough to tell texts apart."""
    return min(map(_rarity, clause)) >= SHORTEST_LITERAL


def _texts(kind: str, what: Any) -> Clause | None:
    """The few texts that a part of an expression can match; None if they are many or unknown."""
    if kind == "LITERAL":
        return frozenset({chr(what).lower()}) if chr(what).isascii() else None
    if kind == "AT" and str(what) == "AT_BOUNDARY":
        return frozenset({BOUNDARY})
    if kind == "SUBPATTERN":
        return _texts_of_all(what[3])
    each: list[Clause | None] = []
    if kind == "IN":
        each = [_texts(str(inner), value) for inner, value in what]
    elif kind == "BRANCH":
        each = [_texts_of_all(branch) for branch in what[1]]
    known = [texts for texts in each if texts]
    found = frozenset[str]().union(*known)
    return found if len(known) == len(each) and 0 < len(found) <= MOST_LITERALS else None


def _texts_of_all(tree: Iterable[tuple[Any, Any]]) -> Clause | None:
    run = frozenset({""})
    for kind, what in tree:
        texts = _texts(str(kind), what)
        if not texts or len(run) * len(texts) > MOST_LITERALS:
            return None
        run = frozenset(before + text for before in run for text in texts)
    return run


def _longest_word(literal: str) -> str:
    """The longest word of a literal, which is fast to look up; the whole literal if it is short."""
    longest = max(WORD.findall(literal), key=len, default="")
    return longest if len(longest) > SHORTEST_LITERAL else literal


def _rarity(literal: str) -> int:
    """How rare a literal is, roughly: its length, and one more if it is not made of letters."""
    if not literal.replace(BOUNDARY, ""):
        return 0
    return len(literal) if WORD.fullmatch(literal) or not literal else len(literal) + 1


# A regular expression may take time in the square of the text's length, so it sees only this much.
SEARCHED_CHARACTERS = 20_000


NO_CLAUSE: Clause = frozenset()
_ALWAYS = 1  # the bit that every text has, for expressions without a clause


class ClauseIndex:
    """Many clauses, looked up by the words of a text.

    A clause is a bit of a number. Of each of its literals, the longest word is looked up: whole, or
    as a part of a word, as the literal says. The index remembers the clauses of each word.
    """

    def __init__(self) -> None:
        self._bits: dict[Clause, int] = {NO_CLAUSE: _ALWAYS}
        self._by_beginning: dict[str, list[tuple[str, int]]] = {}  # parts of words
        self._by_text: dict[str, list[tuple[str, int]]] = {}  # by the rare character in it
        self._by_word: dict[str, int] = {}
        self._by_token: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def bit(self, clause: Clause) -> int:
        """The bit of a clause, which the index adds if it does not know it."""
        if clause not in self._bits:
            bit = self._bits[clause] = 1 << len(self._bits)
            for literal in clause:
                if rare := RARE.search(literal):
                    text = literal.replace(BOUNDARY, "")
                    self._by_text.setdefault(rare.group(0), []).append((text, bit))
                else:
                    part = _longest_part(literal)
                    self._by_beginning.setdefault(part[:PART_KEY], []).append((part, bit))
            self._forget()
        return self._bits[clause]

    def bits_in(self, text: str) -> int:
        """The bits of the clauses of which the text may hold a literal."""
        known = self._last.get(text)
        if known is None:
            if len(self._last) >= MOST_FOLDED_TEXTS:
                del self._last[next(iter(self._last))]
            known = self._last[text] = self._find(text[:SEARCHED_CHARACTERS])
        return known

    def _forget(self) -> None:
        self._by_word.clear()
        self._by_token.clear()
        self._last.clear()

    def _find(self, text: str) -> int:
        if len(self._by_token) > MOST_CACHED_WORDS:
            self._forget()
        folded, tokens = folded_text(text), folded_tokens(text)
        masks = [*map(self._by_token.get, tokens)]
        if None in masks:
            masks = [*map(self._bits_of_token, tokens)]
        found = reduce(or_, masks, _ALWAYS)
        for character, literals in self._by_text.items():
            if character in folded:
                for literal, bits in literals:
                    if literal in folded:
                        found |= bits
        return found

    def _bits_of_token(self, token: str) -> int:
        known = self._by_token.get(token)
        if known is None:
            words = WORD.findall(token)
            known = self._by_token[token] = reduce(or_, map(self._bits_of_word, words), 0)
        return known

    def _bits_of_word(self, word: str) -> int:
        known = self._by_word.get(word)
        if known is None:
            known = 0
            bounded = f"{BOUNDARY}{word}{BOUNDARY}"
            for start in range(len(bounded) - 1):
                for size in (SHORTEST_LITERAL, PART_KEY):
                    for part, bits in self._by_beginning.get(bounded[start : start + size], ()):
                        if bounded.startswith(part, start):
                            known |= bits
            self._by_word[word] = known
        return known


_CLAUSES = ClauseIndex()  # of all searches, so that a text's words are looked up once for all


class SignSearch:
    """Signs as few expressions: all signs that are whole words make one expression.

    An expression is tried only if the text holds a literal of each of its clauses, so most texts
    need no search. The result is the same without this test.
    """

    def __init__(self, signs: tuple[str, ...]) -> None:
        plain = [sign for sign in signs if not sign.startswith("/")]
        expressions = [(pattern("|".join(plain)), _plain_clauses(plain))] if plain else []
        written = [pattern(sign) for sign in signs if sign.startswith("/")]
        expressions += [(one, clauses_of(one)) for one in written]
        self._searches: list[tuple[int, re.Pattern[str]]] = []
        self._telling = 0  # a clause of each expression, one of which every match needs
        for expression, clauses in expressions:
            parts = [part for each in clauses if _can_be_looked_up(each) for part in _split(each)]
            needs = reduce(or_, map(_CLAUSES.bit, parts), 0)
            self._searches.append((needs, expression))
            self._telling |= _CLAUSES.bit(max(parts, key=_telling)) if parts else _ALWAYS

    def search(self, text: str) -> str | None:
        """The part of the text that a sign matches, or None."""
        if not text or not self._searches:
            return None
        held = _CLAUSES.bits_in(text)
        if not self._telling & held:
            return None
        for needs, one in self._searches:
            if needs & held == needs and (found := one.search(text, 0, SEARCHED_CHARACTERS)):
                return found.group(0)
        return None

    def without(self, text: str) -> str:
        """The text with a space in place of each part that a sign matches."""
        text = text[:SEARCHED_CHARACTERS]
        for needs, one in self._searches:
            if needs & _CLAUSES.bits_in(text) == needs:
                text = one.sub(" ", text)
        return text


def _can_be_looked_up(clause: Clause) -> bool:
    """Whether each literal of a clause has a word or a rare character."""
    return all(RARE.search(literal) or _longest_part(literal) for literal in clause)


def _telling(clause: Clause) -> float:
    """How few texts hold a literal of the clause, roughly: few long literals tell most."""
    return min(map(_rarity, clause)) - len(clause) / 8


def _split(clause: Clause) -> Iterable[Clause]:
    """A clause of one literal as a clause for each word of it; other clauses as they are."""
    [literal, *others] = clause
    words = [*WORD.finditer(literal)]
    if others or len(words) < 2 or RARE.search(literal):
        return [clause]
    return [
        frozenset({f"{BOUNDARY if found.start() else ''}{found[0]}"
                   f"{BOUNDARY if found.end() < len(literal) else ''}"})
        for found in words
        if len(found[0]) >= SHORTEST_LITERAL
    ]  # fmt: skip


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


def _longest_part(literal: str) -> str:
    """The longest word of a literal, with a mark at each end that must be the end of a word."""
    words = [
        f"{BOUNDARY if found.start() else ''}{found.group(0)}"
        f"{BOUNDARY if found.end() < len(literal) else ''}"
        for found in WORD.finditer(literal)
    ]
    longest = max(words, key=len, default="")
    return longest if len(longest) > 1 else ""


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
