"""Which texts a sign can match: the literals of its expression, looked up by the words of a text.

Most texts hold none of the words that an expression needs. A clause is a set of literals of which
each matching text holds one. Belongs here: the clauses of an expression, and which of many clauses
a text fulfils. Does not: the search for a sign (signs), or the signs (`data/controls.yaml`,
`data/quality_rules.yaml`).
"""

import re
from collections.abc import Callable, Iterable
from functools import cache, lru_cache, reduce
from operator import or_
from re import _parser  # type: ignore[attr-defined]  # the only reader of expressions
from typing import Any

WORD = re.compile(r"\w+")
# The only characters outside ASCII that `re.IGNORECASE` matches with an ASCII letter.
ASCII_FOLDS = {"\u0130": "i", "\u0131": "i", "\u017f": "s", "\u212a": "k"}
# A regular expression may take time in the square of the text's length, so it sees only this much.
SEARCHED_CHARACTERS = 20_000
MOST_CACHED_WORDS = 100_000  # distinct words; with more, the cache is cleared
MOST_LITERALS = 16  # alternative literals of one clause
MOST_FOLDED_TEXTS = 16  # texts whose folded form is cached; the rules of a gate read three of a row
SHORTEST_LITERAL = 2  # characters; nearly every row holds every single letter
BOUNDARY = "\0"  # in a literal: the beginning or end of a word
RARE = re.compile(r"[<>\[\]{}|=\\@#]")  # few texts hold such a character
REPEATS = frozenset({"MAX_REPEAT", "MIN_REPEAT"})  # kinds of a part, as `re` names them
PART_KEY = 3  # characters of a part by which it is looked up; a shorter one has two
# The most frequent words of English. A clause that they fulfil tells few texts apart.
FREQUENT_WORDS = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "been", "by", "can", "for", "from", "had"),
        *("has", "have", "he", "her", "his", "i", "in", "into", "is", "it", "may", "more", "my"),
        *("no", "not", "of", "on", "or", "other", "our", "patient", "she", "so", "such", "than"),
        *("that", "the", "their", "there", "these", "they", "this", "to", "was", "we", "were"),
        *("which", "who", "will", "with", "would", "you", "your"),
    }
)
Clause = frozenset[str]  # literals; a text must hold at least one of them


@lru_cache(MOST_FOLDED_TEXTS)
def folded_text(text: str) -> str:
    """The text in small letters, with ASCII letters for those that `re.IGNORECASE` takes for them.

    Many searches read the same texts of a row one after another, so the last results are kept.
    Each character keeps its place.
    """
    if not text.isascii():
        for odd, letter in ASCII_FOLDS.items():
            text = text.replace(odd, letter)
    return text.lower()


@lru_cache(MOST_FOLDED_TEXTS)
def folded_tokens(text: str) -> list[str]:
    """The parts between spaces of the folded text; callers must not change the list."""
    return folded_text(text).split()


@lru_cache(MOST_FOLDED_TEXTS)
def folded_words(text: str) -> list[str]:
    """The words of the folded text, as `WORD` finds them; callers must not change the list."""
    folded = folded_text(text)
    if folded.isascii():
        # A quarter of the time of the expression: bytes are translated in one pass.
        return folded.encode().translate(_NO_WORD).decode().split()
    return WORD.findall(folded)


_NO_WORD = bytes(code if WORD.fullmatch(chr(code)) else ord(" ") for code in range(256))


def clauses_of(expression: re.Pattern[str]) -> list[Clause]:
    """The clauses of an expression: it matches only texts that hold a literal of each clause.

    A text holds a literal if its `folded_text` does.
    """
    return _clauses(_parser.parse(expression.pattern, expression.flags))


def word_clauses(expression: re.Pattern[str]) -> list[Clause]:
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
    if kind in REPEATS and what[0]:
        return _clauses(what[2])
    if kind == "BRANCH":
        each = [_clauses(branch) for branch in what[1]]
        if all(each):
            best = (max(clauses, key=_how_useful) for clauses in each)
            return [frozenset[str]().union(*best)]
    return []


def _how_useful(clause: Clause) -> tuple[bool, int]:
    return can_be_looked_up(clause), min(map(_rarity, clause))


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
    if kind in REPEATS and what[:2] == (0, 1):  # a part that may be missing
        texts = _texts_of_all(what[2])
        return texts | {""} if texts and len(texts) < MOST_LITERALS else None
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


def _parts(literal: str) -> list[str]:
    """The words of a literal, with a mark at each end that must be the end of a word."""
    return [
        f"{BOUNDARY if found.start() else ''}{found.group(0)}"
        f"{BOUNDARY if found.end() < len(literal) else ''}"
        for found in WORD.finditer(literal)
    ]


def _rarest_part(literal: str) -> str:
    """The rarest word of a literal with its marks; empty if all are single letters."""
    rarest = max(_parts(literal), key=_part_rarity, default="")
    return rarest if len(rarest) > 1 else ""


def _part_rarity(part: str) -> tuple[bool, int]:
    return not _is_frequent(part), len(part)


@cache
def _is_frequent(part: str) -> bool:
    """Whether most texts hold a part of a word: two letters of any word, or a frequent word."""
    return len(part) < PART_KEY or any(
        part in f"{BOUNDARY}{word}{BOUNDARY}" for word in FREQUENT_WORDS
    )


def can_be_looked_up(clause: Clause) -> bool:
    """Whether each literal of a clause has a word or a rare character."""
    return all(RARE.search(literal) or _rarest_part(literal) for literal in clause)


def how_telling(clause: Clause) -> tuple[bool, float]:
    """How few texts hold a literal of the clause, roughly: few long literals tell most."""
    looked_up = (part for part in map(_rarest_part, clause) if part)
    frequent = any(map(_is_frequent, looked_up))
    return not frequent, min(map(_rarity, clause)) - len(clause) / 8


def has_long_parts(clause: Clause) -> bool:
    """Whether no literal of the clause is looked up by two letters, which most texts hold."""
    return all(len(part) >= PART_KEY for part in map(_rarest_part, clause) if part)


def split_clause(clause: Clause) -> Iterable[Clause]:
    """A clause of one literal as a clause for each word of it; other clauses as they are."""
    [literal, *others] = clause
    if others or RARE.search(literal):
        return [clause]
    return [frozenset({part}) for part in _parts(literal) if len(part) >= SHORTEST_LITERAL]


NO_CLAUSE: Clause = frozenset()
ALWAYS = 1  # the bit that every text has, for expressions without a clause


class ClauseIndex:
    """Many clauses, looked up by the words of a text.

    A clause is a bit of a number. Of each of its literals, the rarest word is looked up: whole, or
    as a part of a word, as the literal says. The index remembers the clauses of each word.
    """

    def __init__(self) -> None:
        self._bits: dict[Clause, int] = {NO_CLAUSE: ALWAYS}
        self._whole: dict[str, int] = {}  # by whole word
        self._by_beginning: dict[str, dict[str, int]] = {}  # by part of a word, by its key
        self._pairs: dict[str, int] = {}  # by part that is shorter than a key
        self._by_text: dict[str, list[tuple[str, int]]] = {}  # by the rare character in it
        self._by_word = _Remembered(self.bits_of_word)
        # The bits of the clauses of which a text may hold a literal, by text.
        self.bits_in = _LastTexts(self._find)

    def bit(self, clause: Clause) -> int:
        """The bit of a clause, which the index adds if it does not know it."""
        if clause not in self._bits:
            bit = self._bits[clause] = 1 << len(self._bits)
            for literal in clause:
                if rare := RARE.search(literal):
                    text = literal.replace(BOUNDARY, "")
                    self._by_text.setdefault(rare.group(0), []).append((text, bit))
                else:
                    part = _rarest_part(literal)
                    self._add(part, bit)
            self._forget()
        return self._bits[clause]

    def _add(self, part: str, bit: int) -> None:
        if part.startswith(BOUNDARY) and part.endswith(BOUNDARY):
            word = part.strip(BOUNDARY)
            self._whole[word] = self._whole.get(word, 0) | bit
            return
        parts = self._pairs
        if len(part) >= PART_KEY:
            parts = self._by_beginning.setdefault(part[:PART_KEY], {})
        parts[part] = parts.get(part, 0) | bit

    def _forget(self) -> None:
        self._by_word.clear()
        self.bits_in.clear()

    def __len__(self) -> int:
        """The number of clauses."""
        return len(self._bits)

    def remember(self, text: str, bits: int) -> None:
        """Keep the bits of a text that a caller has put together from those of its parts."""
        self.bits_in.add(text, bits)

    def _find(self, text: str) -> int:
        text = text[:SEARCHED_CHARACTERS]
        if len(self._by_word) > MOST_CACHED_WORDS:
            self._by_word.clear()
        # Most words have no bit, and to drop those is faster than to add them.
        words = filter(None, map(self._by_word.__getitem__, folded_words(text)))
        return reduce(or_, words, self.bits_of_marks(text))

    def bits_of_marks(self, text: str) -> int:
        """The bits of the clauses with a rare character that the text fulfils."""
        found = ALWAYS
        for character, literals in self._by_text.items():
            if character in text:
                folded = folded_text(text)
                for literal, bits in literals:
                    if literal in folded:
                        found |= bits
        return found

    def bits_of_word(self, word: str) -> int:
        """The bits of the clauses that a text with this word fulfils."""
        bounded = f"{BOUNDARY}{word}{BOUNDARY}"
        known = self._whole.get(word, 0)
        for pair, bits in self._pairs.items():
            if pair in bounded:
                known |= bits
        keys = self._by_beginning
        for at in range(len(bounded) - PART_KEY + 1):
            if (key := bounded[at : at + PART_KEY]) in keys:
                for part, bits in keys[key].items():
                    if bounded.startswith(part, at):
                        known |= bits
        return known


class _Remembered(dict[str, int]):
    """The bits of each word, computed once."""

    def __init__(self, compute: Callable[[str], int]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, word: str) -> int:
        self[word] = bits = self._compute(word)
        return bits


class _LastTexts(dict[str, int]):
    """The bits of the texts of the last rows: many searches read the same texts one by one."""

    def __init__(self, compute: Callable[[str], int]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, text: str) -> int:
        bits = self._compute(text)
        self.add(text, bits)
        return bits

    def add(self, text: str, bits: int) -> None:
        """Remember the bits of a text, and forget the text that was added first."""
        if len(self) >= MOST_FOLDED_TEXTS:
            del self[next(iter(self))]
        self[text] = bits
