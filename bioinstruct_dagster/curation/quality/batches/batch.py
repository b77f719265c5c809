"""Reads the words of many rows at once, and says which rules they settle.

The words of a row settle most rules for most rows: the row has no word of any sign, its words sum
up to the domain, or its output is in English. Such a rule need not read the row. The findings are
the same without this. It pays for many rows alone. Belongs here: these decisions. Does not: what is
known of a word (known_words), or the rules themselves.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bioinstruct_dagster.curation.gates import TEXT_FIELDS, RowTexts
from bioinstruct_dagster.curation.quality.batches.known_words import (
    BESIDE,
    COMPOUND,
    FIELD,
    OTHER,
    UNDERSCORE,
    BatchWords,
)
from bioinstruct_dagster.curation.quality.domain import DomainCheck, FieldSums
from bioinstruct_dagster.curation.quality.outputs.other_language import (
    LEAST_FOUND,
    READ_CHARACTERS,
)
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts
from bioinstruct_dagster.sign_clauses import SEARCHED_CHARACTERS
from bioinstruct_dagster.signs import CLAUSES

FIELDS = len(TEXT_FIELDS)
LEAST_ROWS = 50  # of a batch; fewer are not worth loading the compiled loops


class ReadRow(NamedTuple):
    """What the words of a row say.

    Attributes:
        bits: the clause bits of each text (see signs.clause_bits).
        is_within: whether the row is surely within the domain.
        is_english: whether the output is surely in no other language.
    """

    bits: tuple[int, ...]
    is_within: bool
    is_english: bool

    def remember_bits(self, row: RowTexts) -> None:
        """Keep the bits of the row's texts, so that no search looks their words up."""
        for text, bits in zip(row, self.bits, strict=True):
            CLAUSES.remember(text, bits)


class BatchReader:
    """Reads batches of rows, and remembers what is known of their words.

    Args:
        domain: the check that is to be settled; None if there is none of all fields.
    """

    def __init__(self, domain: DomainCheck | None) -> None:
        self._domain = domain
        self._words = BatchWords(domain.weights if domain else None)

    def read(self, rows: Sequence[RowTexts]) -> list[ReadRow | None]:
        """What the words of each row say; None for a row that must be read by itself.

        These are the rows of a small batch, long rows, and rows with characters outside ASCII.
        """
        found: list[ReadRow | None] = [None] * len(rows)
        places = [place for place, row in enumerate(rows) if _is_plain(row)]
        if len(places) >= LEAST_ROWS:
            read = self._read([text for place in places for text in rows[place]])
            for place, one in zip(places, read, strict=True):
                found[place] = one
        return found

    def _read(self, texts: list[str]) -> Iterator[ReadRow]:
        numbers = self._words.numbered(texts)
        bits = self._bits(texts, numbers)
        of_rows = zip(*[bits] * FIELDS, strict=True)
        return map(
            ReadRow, of_rows, self._within(numbers), self._english(texts[FIELDS - 1 :: FIELDS])
        )

    def _bits(self, texts: list[str], numbers: EncodedTexts) -> Iterator[int]:
        """The clause bits of each text."""
        from bioinstruct_dagster.curation.quality.batches.word_kernels import join_bits

        found = join_bits(*numbers, self._words.places, self._words.bits)
        size = found.shape[1] * found.itemsize
        raw = found.astype("<u8", copy=False).tobytes()
        for place, text in enumerate(texts):
            of_words = int.from_bytes(raw[place * size : (place + 1) * size], "little")
            yield of_words | CLAUSES.bits_of_marks(text)

    def _within(self, numbers: EncodedTexts) -> list[bool]:
        from bioinstruct_dagster.curation.quality.batches.word_kernels import sum_distinct

        rows = numbers.offsets[::FIELDS]
        if self._domain is None:
            return [False] * (len(rows) - 1)
        sums, words, medical, held = sum_distinct(
            numbers.tokens, rows, self._words.weights, self._words.marks, FIELD
        )
        of_rows = FieldSums(sums[:, 0], sums[:, 1], words, medical, (held & BESIDE) != 0)
        # Compounds, and words in a word with underscores, are found in the text alone.
        is_read = (held & (COMPOUND | UNDERSCORE)) == 0
        within: list[bool] = (is_read & self._domain.surely_passes(of_rows)).tolist()
        return within

    def _english(self, outputs: list[str]) -> list[bool]:
        """Whether each output has too few words of other languages to be in one."""
        from bioinstruct_dagster.curation.quality.batches.word_kernels import count_words

        heads = list(map(_whole_words, outputs))
        found = count_words(*self._words.numbered(heads), self._words.marks, OTHER).tolist()
        return [
            # The word that was cut off may be one more.
            "_" not in output and count + (head is not output) < LEAST_FOUND
            for output, head, count in zip(outputs, heads, found, strict=True)
        ]


def _whole_words(output: str) -> str:
    """The whole words of an output by which its language is told."""
    if len(output) <= READ_CHARACTERS:
        return output
    return output[: max(0, output.rfind(" ", 0, READ_CHARACTERS))]


def _is_plain(row: RowTexts) -> bool:
    """Whether the row's words are runs of ASCII letters, digits and underscores."""
    return all(map(str.isascii, row)) and sum(map(len, row)) < SEARCHED_CHARACTERS
