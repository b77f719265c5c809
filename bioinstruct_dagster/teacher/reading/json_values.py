"""Passing over JSON values in a text that may be truncated, broken, in prose, or hostile.

The scanner reads a text from left to right and stops at the first break. It keeps its place, so a
reader that goes on from there takes time linear in the text's length. No value makes it recurse.

Belongs here: where a value begins, ends or breaks. Does not: what is read from values
(generation.replies.json_tasks, answer_objects).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

CLOSING = {"{": "}", "[": "]"}
# An opening bracket of JSON. Prose has brackets too, but hardly with a quotation mark after them.
VALUE_START = re.compile(r'\{\s{0,64}["}]|\[\s{0,64}[\[{"\]]')
_BLANKS = re.compile(r"[ \t\n\r]*+")
# Possessive quantifiers, so that matching a string of megabytes needs no memory for backtracking.
_CHARACTERS = re.compile(
    r'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
)
_SCALAR = re.compile(
    r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|true|false|null|NaN|-?Infinity"
)
_JSON_WORDS = ("true", "false", "null", "NaN", "-Infinity", "Infinity")
# The end of a text that was cut inside an escape, a number or a word, or at its very end.
_STUMP = re.compile(
    r"(?:\\(?:u[0-9a-fA-F]{0,3})?|\.|[eE][-+]?|"
    + "|".join(word[:length] for word in _JSON_WORDS for length in range(1, len(word)))
    + r")?\Z"
)


def blanks_from(text: str, place: int) -> int:
    """The first place from `place` on that holds no blank of JSON."""
    match = _BLANKS.match(text, place)
    return match.end() if match else place


class JsonBreakError(Exception):
    """The text stops being JSON at the scanner's place."""


class JsonScanner:
    """Passes one JSON value at a time, as strictly as `json`; it stops at the place of a break.

    Attributes:
        place: where the scanner stands.
        has_key: whether it has read an object's key, which prose with brackets lacks.
        depth: how deeply the brackets of the last value were nested.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0
        self.has_key = False
        self.depth = 0

    @property
    def is_cut(self) -> bool:
        """Whether the text was cut at the place of a break."""
        return bool(_STUMP.match(self._text, self.place))

    def pass_value(self, start: int) -> bool:
        """Go behind the value that begins here; False if it breaks before its end."""
        self.place, self.has_key, self.depth = start, False, 0
        try:
            self._skip()
        except JsonBreakError:
            return False
        return True

    def is_scalar(self, start: int) -> bool:
        """Whether the rest of the text is one number, word or string."""
        if self._text[start : start + 1] in CLOSING:
            self.place = start
            return False
        return self.pass_value(start) and not self._next()

    def _skip(self) -> None:
        """Pass a value of any depth; each open bracket takes one byte of memory."""
        opened = bytearray()
        while True:
            kind = self._next()
            if kind in CLOSING:
                self.place += 1
                if not self._closes(kind):
                    opened.append(ord(kind))
                    self.depth = max(self.depth, len(opened))
                    if kind == "{":
                        self._key()
                    continue
            elif kind == '"':
                self._string()
            else:
                self._scalar()
            if self._leave(opened):
                return

    def _leave(self, opened: bytearray) -> bool:
        """After a value: pass the closing brackets; True if no bracket is left open."""
        while opened:
            kind = chr(opened[-1])
            if not self._ends(kind):
                if kind == "{":
                    self._key()
                return False
            opened.pop()
        return True

    def _closes(self, kind: str) -> bool:
        """Pass a closing bracket if it is next; whether it was."""
        closes = self._next() == CLOSING[kind]
        self.place += closes
        return closes

    def _ends(self, kind: str) -> bool:
        """Pass a comma or a closing bracket; whether it was the bracket."""
        mark = self._next()
        if mark not in {",", CLOSING[kind]}:
            raise JsonBreakError
        self.place += 1
        return mark != ","

    def _next(self) -> str:
        """The next character that is not a blank; empty at the end of the text."""
        self.place = blanks_from(self._text, self.place)
        return self._text[self.place : self.place + 1]

    def _key(self) -> str:
        """An object's key as the text has it; passes the colon after it too."""
        if self._next() != '"':
            raise JsonBreakError
        key = self._string()
        if self._next() != ":":
            raise JsonBreakError
        self.place += 1
        self.has_key = True
        return key

    def _string(self) -> str:
        """The next string as the text has it, with its quotation marks."""
        start = self.place
        match = _CHARACTERS.match(self._text, start + 1)
        self.place = match.end() if match else start
        if self._text[self.place : self.place + 1] != '"':
            raise JsonBreakError
        self.place += 1
        return self._text[start : self.place]

    def _scalar(self) -> None:
        match = _SCALAR.match(self._text, self.place)
        if not match:
            raise JsonBreakError
        self.place = match.end()


@dataclass(frozen=True)
class JsonSpan:
    """A value in a text, from its opening bracket to its end or to its break.

    Attributes:
        start: the place of the opening bracket.
        end: the place behind the value, or the place of the break.
        whole: whether the value has its end.
        has_key: whether an object's key was read, which shows that the value is no prose.
        depth: how deeply its brackets are nested.
    """

    start: int
    end: int
    whole: bool
    has_key: bool
    depth: int


def json_spans(text: str) -> Iterator[JsonSpan]:
    """The objects and lists of a text that do not stand inside another one."""
    scanner = JsonScanner(text)
    place = 0
    while opening := VALUE_START.search(text, place):
        whole = scanner.pass_value(opening.start())
        place = max(scanner.place, opening.start() + 1)
        yield JsonSpan(opening.start(), place, whole, scanner.has_key, scanner.depth)
