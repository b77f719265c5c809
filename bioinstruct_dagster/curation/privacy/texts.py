"""A text that is searched for identifiers, and cheap facts about it.

Belongs here: its words, its digits, and the parts around some words; they decide which slow
expressions are tried, and where. Does not: any pattern of an identifier (scan).
"""

import re

from bioinstruct_dagster.curation.privacy.kinds import TEXT_LIMIT
from bioinstruct_dagster.curation.privacy.triggers.marks import (
    ANYTHING,
    KnownNames,
    marks_of,
    trigger,
)
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NAMES,
    NAMES_ABROAD,
    WORD,
    all_words,
    around_words,
)

_GIVEN_NAMES = NAMES("given_names"), NAMES_ABROAD("given_names_abroad")
_FAMILY_NAMES = NAMES("family_names"), NAMES_ABROAD("family_names_abroad")
GIVEN, GIVEN_PARTS = trigger(*_GIVEN_NAMES), trigger(all_words(*_GIVEN_NAMES))
_KNOWN_NAMES = KnownNames(
    GIVEN, trigger(*_GIVEN_NAMES, *_FAMILY_NAMES), trigger(NAMES("not_names"))
)

# Four digits, or a letter and three digits, as close together as in one number.
# These expressions begin with the digit, because the search for one character is the fastest.
_NUMBER_HINT = re.compile(
    r"\d(?:(?:[A-Za-z./*: -]{0,6}\d){3}"
    r"|(?:(?<=[A-Za-z]\d)|(?<=[A-Za-z]-\d))(?:[A-Za-z./-]{0,6}\d){2})"
)
_LONG_NUMBER = re.compile(r"\d(?:[ ().+/-]{0,3}\d){6}")
_NUMBER, _TELEPHONE = 3, 7  # digits that the two expressions ask for
# Every character of Latin-1 but the letters that WORD matches becomes a space.
_NO_LETTERS = bytes(code if WORD.fullmatch(chr(code).lower()) else ord(" ") for code in range(256))
# Two signs that ranges such as "À-Þ" take for letters.
_SIGNS_AMONG_LETTERS = b"\xd7", b"\xf7"
_DIGIT = re.compile(r"\d")
# What each character of Latin-1 is in `shape`: a digit, a capital, a space, or itself.
_SHAPES = bytes(
    ord("0")
    if chr(code).isdecimal()
    else ord("A")
    if chr(code).isupper()
    else ord(" ")
    if chr(code).isspace()
    else code
    for code in range(256)
)


def shape_of(raw: str) -> bytes:
    """The shape of a text: digits are alike, capitals are, and spaces are."""
    return raw.encode("latin-1", "replace").translate(_SHAPES)


def _has_no_shape(character: str) -> bool:
    """Whether a character that Latin-1 lacks may stand for a letter, a digit or a space."""
    return character.isalpha() or character.isdecimal() or character.isspace()


class ScannedText:
    """A text, and cheap facts about it that decide which patterns are tried.

    Attributes:
        raw: the text.
        marks: the marks of its words, which tell what it may hold.
        has_digit: whether it holds a digit.
        has_number: whether it holds digits enough for a number of a record.
        has_long_number: whether it holds digits enough for a telephone number.
        numbers: where numbers may be, as matches of a hint.
    """

    __slots__ = (
        *("_lowered", "_shape", "_words", "has_digit", "has_long_number", "has_number", "marks"),
        *("numbers", "raw"),
    )

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._lowered = ""
        self._words: frozenset[str] | None = None
        latin = raw.encode("latin-1", "replace")
        digits = len(latin) - len(latin.translate(None, b"0123456789"))
        # Figures that Latin-1 lacks, such as those of full width, are left to an expression.
        others = latin.count(b"?") - raw.count("?") - raw.count(TEXT_LIMIT)
        if others and digits < _TELEPHONE:
            digits = len(_DIGIT.findall(raw))
        self.has_digit = digits > 0
        self.numbers = list(_NUMBER_HINT.finditer(raw)) if digits >= _NUMBER else []
        self.has_number = bool(self.numbers)
        self.has_long_number = (
            self.has_number and digits >= _TELEPHONE and _LONG_NUMBER.search(raw) is not None
        )
        odd = any(sign in latin for sign in _SIGNS_AMONG_LETTERS) or (
            others and any(one > "\xff" and _has_no_shape(one) for one in set(raw))
        )
        if odd:
            self._shape = b""
            held = marks_of([*self.words], _KNOWN_NAMES).held
            self.marks = ANYTHING._replace(held=held)
            return
        self._shape = latin.translate(_SHAPES)
        words = latin.translate(_NO_LETTERS).decode("latin-1").split()
        self.marks = marks_of(words, _KNOWN_NAMES)
        if "'" in raw or "\N{RIGHT SINGLE QUOTATION MARK}" in raw:
            # The parts of "Mary's" are two words, and what follows the second follows the name.
            held = self.marks.held
            self.marks = self.marks._replace(after_capital=held, after_name=held)

    @property
    def lowered(self) -> str:
        """The text in small letters, of the same length."""
        if not self._lowered:
            # This capital alone has two small letters, and places must stay those of the text.
            self._lowered = self.raw.replace("\u0130", "i").lower()
        return self._lowered

    @property
    def words(self) -> frozenset[str]:
        """Its words in small letters."""
        if self._words is None:
            # Half the time of WORD.findall, with the same words.
            latin = self.lowered.encode("latin-1", "replace")
            self._words = frozenset(latin.translate(_NO_LETTERS).decode("latin-1").split())
        return self._words

    def holds_any(self, any_of: frozenset[str]) -> bool:
        """Whether the text holds one of these words, which are in lower case."""
        return not self.words.isdisjoint(any_of)

    def has_shape(self, *shapes: bytes) -> bool:
        """Whether the text may hold one of these shapes, which is far quicker than an expression.

        Args:
            shapes: "0" stands for any digit, "A" for any capital, " " for any space, and
                any other character for itself.
        """
        known = self._shape
        for shape in shapes:
            if shape in known:
                return True
        return not known

    def may_match(self, shape: re.Pattern[bytes]) -> bool:
        """Whether the text may hold a shape, an expression of the signs that has_shape names."""
        return not self._shape or shape.search(self._shape) is not None

    def parts_around(
        self,
        words: frozenset[str],
        before: int,
        after: int,
        hint: re.Pattern[str] | None = None,
    ) -> list[tuple[int, int]]:
        """The parts of the text around some words, without overlaps.

        Args:
            words: the words, in lower case.
            before: characters before a word that a part holds.
            after: characters after its beginning.
            hint: a quick expression that matches in each part that a slower one could match.
        """
        held = words & self.words
        parts = around_words(self.lowered, held, before, after) if held else []
        return [part for part in parts if hint.search(self.raw, *part)] if hint else parts
