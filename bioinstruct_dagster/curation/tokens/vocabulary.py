"""Texts as numbered tokens: the tokens of `rouge_score`, and tokens of scripts that it ignores.

Belongs here: the two tokenisations, and the vocabulary that numbers their tokens. Does not:
comparing texts by these numbers (curation.novelty, curation.contamination).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.scripts import SPACELESS_SCRIPTS

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
# The only characters outside ASCII whose lower case holds an ASCII letter; a test tries them all.
_LOWERCASE_IN_ASCII = {"\u0130": "i ", "\u212a": "k"}

_ASCII_ALPHANUMERIC = re.compile(r"[a-z0-9]")
_OTHER_ALPHANUMERIC = re.compile(r"[^\W_\x00-\x7f]")
_UNICODE_TOKEN = re.compile(f"[{SPACELESS_SCRIPTS}]|[^ {SPACELESS_SCRIPTS}]+")
_ANY_WORD = re.compile(rf"[{SPACELESS_SCRIPTS}]|[^\W_{SPACELESS_SCRIPTS}]+")
_MOST_COMBINING = 30  # combining characters in a row, as in Unicode's Stream-Safe Text Format
_CHUNK_CHARACTERS = 1 << 22  # a chunk holds so many, or one longer text; bounds the memory

_Prepare = Callable[[Sequence[str]], bytes]


class EncodedTexts(NamedTuple):
    """Token numbers of texts; text i has `tokens[offsets[i] : offsets[i + 1]]`."""

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def part(self, start: int, stop: int) -> "EncodedTexts":
        """The texts from `start` to before `stop`."""
        first = self.offsets[start]
        tokens = self.tokens[first : self.offsets[stop]]
        return EncodedTexts(tokens, self.offsets[start : stop + 1] - first)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each text."""
        return np.diff(self.offsets)


def tokenize(text: str) -> list[str]:
    """`rouge_score`'s tokens without stemming: lower-case runs of a-z and 0-9."""
    return _NOT_ALPHANUMERIC.sub(" ", text.lower()).split()


def tokenize_unicode(text: str) -> list[str]:
    """Tokens of any script, for the second measure of novelty.

    The text is normalised to NFKC, case-folded, and normalised again. A token is a run of letters,
    digits and combining marks (Unicode categories L, N and M). In scripts without spaces (Han,
    Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) each character is a token.
    """
    composed = unicodedata.normalize("NFKC", _break_combining_runs(text))
    folded = unicodedata.normalize("NFKC", composed.casefold())
    kept = "".join(
        character if unicodedata.category(character)[0] in "LNM" else " " for character in folded
    )
    return _UNICODE_TOKEN.findall(kept)


def is_half_unseen(text: str) -> bool:
    """Whether `rouge_score` reads nothing, or less than half, of the text.

    It must read half of the letters and digits, and half of the words. Most letters of "COVID-19
    vaccination 后能喝酒吗" are Latin, but six of its nine words are not: in a script without
    spaces, each character counts as a word.
    """
    lowered = text.lower()
    if text.isascii():
        return _ASCII_ALPHANUMERIC.search(lowered) is None
    seen = len(_ASCII_ALPHANUMERIC.findall(lowered))
    if not seen or seen < len(_OTHER_ALPHANUMERIC.findall(lowered)):
        return True
    words = _ANY_WORD.findall(lowered)
    return 2 * sum(_ASCII_ALPHANUMERIC.search(word) is not None for word in words) < len(words)


def _break_combining_runs(text: str) -> str:
    """The text with a space after each `_MOST_COMBINING` combining characters in a row.

    Normalisation sorts such a run in quadratic time. No script needs runs of this length.
    """
    pieces, run = [], 0
    for character in text:
        run = run + 1 if unicodedata.combining(character) else 0
        pieces.append(character)
        if run == _MOST_COMBINING:
            pieces.append(" ")
            run = 0
    return "".join(pieces)


class Vocabulary:
    """Numbers for tokens, in the order of their first occurrence.

    Tokens are compared byte by byte, so equal numbers mean equal tokens. `hashes` holds a hash of
    64 bits per token, which is the same in every process. Two threads may not use a vocabulary at
    once.
    """

    def __init__(self) -> None:
        self._arena = np.empty(1 << 12, np.uint8)
        self._starts = np.zeros(1 << 9, np.int64)
        self._hashes = np.empty(1 << 9, np.uint64)
        self._slots = np.zeros(1 << 10, np.int32)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def hashes(self) -> NDArray[np.uint64]:
        """By token number: a hash that depends on the token alone."""
        return self._hashes[: self._used]

    def token(self, number: int) -> str:
        """The token with this number."""
        if not 0 <= number < self._used:
            raise IndexError(number)
        return bytes(self._arena[self._starts[number] : self._starts[number + 1]]).decode(
            "utf-8", "surrogatepass"
        )

    def encode(self, texts: Sequence[str]) -> EncodedTexts:
        """`tokenize` of each text, as numbers."""
        return self._encode(texts, _ROUGE_FOLD, _rouge_bytes)

    def encode_words(self, texts: Sequence[str]) -> EncodedTexts:
        """Runs of ASCII letters, digits and underscores of each text, in small letters."""
        return self._encode(texts, _WORD_FOLD, _joined_bytes)

    def tokens_from(self, number: int) -> list[str]:
        """All tokens from this number on."""
        starts = self._starts[number : self._used + 1]
        known = bytes(self._arena[starts[0] : starts[-1]])
        ends = (starts - starts[0]).tolist()
        return [known[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(ends)]

    def encode_tokens(self, texts: Iterable[Sequence[str]]) -> EncodedTexts:
        """Numbers of tokens that the caller has split; no token may hold a space or a NUL."""
        return self._encode([" ".join(tokens) for tokens in texts], _SPACE_FOLD, _joined_bytes)

    def encode_unicode(self, texts: Sequence[str]) -> EncodedTexts:
        """`tokenize_unicode` of each text, as numbers."""
        return self.encode_tokens(tokenize_unicode(text) for text in texts)

    def _encode(
        self, texts: Sequence[str], fold: NDArray[np.uint8], prepare: _Prepare
    ) -> EncodedTexts:
        parts: list[NDArray[np.int32]] = []
        ends = np.empty(len(texts) + 1, np.int64)
        ends[0] = written = start = 0
        while start < len(texts):
            stop, characters = start, 0
            while stop < len(texts) and characters < _CHUNK_CHARACTERS:
                characters += len(texts[stop]) + 1
                stop += 1
            buffer = np.frombuffer(prepare(texts[start:stop]), np.uint8)
            part = self._number(buffer, fold, ends[start + 1 : stop + 1])
            ends[start + 1 : stop + 1] += written
            written += len(part)
            parts.append(part)
            start = stop
        if len(parts) == 1:
            return EncodedTexts(parts[0], ends)
        return EncodedTexts(np.concatenate(parts) if parts else np.empty(0, np.int32), ends)

    def _number(
        self, buffer: NDArray[np.uint8], fold: NDArray[np.uint8], ends: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        from bioinstruct_dagster.curation.tokens.token_kernels import (
            CharacterSource,
            CharacterTables,
            Cursor,
            number_tokens,
        )

        # After each token, except the last of a text, comes a byte that is in no token.
        tokens = np.empty(len(buffer) // 2 + 1, np.int32)
        cursor = Cursor(self._used, 0, 0, 0)
        source = CharacterSource(buffer, fold)
        while cursor.position < len(buffer):
            tables = CharacterTables(self._arena, self._starts, self._hashes, self._slots)
            cursor = Cursor(*number_tokens(source, tables, cursor, tokens, ends))
            self._used = cursor.used
            if cursor.position < len(buffer):
                self._grow()
        return tokens[: cursor.written].copy()

    def _grow(self) -> None:
        from bioinstruct_dagster.curation.tokens.token_kernels import fill_slots

        self._arena = np.concatenate([self._arena, np.empty_like(self._arena)])
        if 2 * (self._used + 1) > len(self._slots) - 1 or self._used + 1 >= len(self._starts):
            self._starts = np.concatenate([self._starts, np.zeros_like(self._starts)])
            self._hashes = np.concatenate([self._hashes, np.empty_like(self._hashes)])
            self._slots = np.zeros(2 * len(self._slots), np.int32)
            fill_slots(self._hashes, self._used, self._slots)


def _fold_table(kept: bytes) -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    table[list(kept)] = list(kept)
    return table


_ROUGE_FOLD = _fold_table(b"abcdefghijklmnopqrstuvwxyz0123456789")
_ROUGE_FOLD[ord("A") : ord("Z") + 1] = _ROUGE_FOLD[ord("a") : ord("z") + 1]
_WORD_FOLD = _ROUGE_FOLD.copy()
_WORD_FOLD[ord("_")] = ord("_")
_SPACE_FOLD = _fold_table(bytes(byte for byte in range(1, 256) if byte != ord(" ")))


def _joined_bytes(texts: Sequence[str]) -> bytes:
    """The texts as bytes, each followed by a NUL."""
    joined = "\0".join(texts) + "\0"
    if joined.count("\0") != len(texts):
        # A NUL inside a text is in no token, and neither is a space.
        joined = "\0".join(text.replace("\0", " ") for text in texts) + "\0"
    # Half a surrogate pair is in no token, but some texts hold one.
    return joined.encode("utf-8", "surrogatepass")


def _rouge_bytes(texts: Sequence[str]) -> bytes:
    """The bytes of the texts, with the lower case of characters that lower to ASCII letters.

    After this, only the case of ASCII letters remains to be folded.
    """
    buffer = _joined_bytes(texts)
    for character, lowered in _LOWERCASE_IN_ASCII.items():
        buffer = buffer.replace(character.encode(), lowered.encode())
    return buffer
