"""Novelty: Self-Instruct's rule, exactly.

A row is kept iff its ROUGE-L F1 with every seed and every row kept before it is not greater than
0.7, by `rouge_score`'s tokenisation and floating-point arithmetic, greedily in the order given.

`rouge_score` sees a-z and 0-9 alone. A row whose letters and digits it sees less than half of, or
none of, is checked by a second measure as well: the same F1 over `tokenize_unicode`'s tokens, with
all seeds and kept rows to which the second measure applies too. Either measure can reject it.

Written by hand: `rouge_score` compares two texts at a time in Python, which is too slow for all
pairs of a set, and libraries for near-duplicates are approximate. Tests compare it with
`rouge_score`.

Belongs here: the measures and the rule. Does not: the join that makes it fast (pairs), what is
stored of it (novelty_index), or other reasons to reject a row (quality).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.pairs import BLOCK, PairIndex
from bioinstruct_dagster.curation.tokens.vocabulary import (
    EncodedTexts,
    Vocabulary,
    is_half_unseen,
    tokenize,
    tokenize_unicode,
)

# Self-Instruct (Wang et al., 2023), bootstrap_instructions.py: dropped iff max(scores) > 0.7.
THRESHOLD = 0.7

RougeMeasure = Literal["rouge_score", "unicode"]
MEASURES: tuple[RougeMeasure, ...] = ("rouge_score", "unicode")
_TOKENIZERS: dict[RougeMeasure, Callable[[str], list[str]]] = {
    "rouge_score": tokenize,
    "unicode": tokenize_unicode,
}
_SURROGATES = (0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class NamedInstruction:
    """A text with its identifier: a seed, or a candidate row."""

    id: str
    instruction: str


@dataclass(frozen=True, slots=True)
class NoveltyVerdict:
    """Whether a candidate is novel, and which text it repeats if it is not.

    Attributes:
        id: the candidate's.
        novel: whether no score is above the threshold.
        nearest_id: the most similar seed or row kept before, the earliest of equally similar ones;
            None for a novel candidate. Among the texts that `check_texts` kept, none has an id.
        score: their F1; None for a novel candidate, whose nearest row is not searched for.
        measure: which one the score is of; for a novel candidate the last that looked.
    """

    id: str
    novel: bool
    nearest_id: str | None
    score: float | None
    measure: RougeMeasure


class NoveltyColumns(NamedTuple):
    """Verdicts by column, a text each."""

    novel: NDArray[np.bool_]
    nearest: NDArray[np.int64]  # place among seeds and kept rows, seeds first; -1 for a novel text
    scores: NDArray[np.float64]  # 0 for a novel text
    second: NDArray[np.bool_]  # whether the second measure found it, or looked last


class NoveltyFilter:
    """The rule over a growing set: candidates come in their order, in portions of any size.

    Args:
        seeds: kept from the start.
        threshold: a ROUGE-L F1 above it is a repetition.
        threads: that compare texts; by default one per processor.
        block: candidates compared at once; any number gives the same result.
    """

    def __init__(
        self,
        seeds: Sequence[NamedInstruction],
        threshold: float = THRESHOLD,
        *,
        threads: int | None = None,
        block: int = BLOCK,
    ) -> None:
        self._vocabulary, self._second_vocabulary = Vocabulary(), Vocabulary()
        self._index = PairIndex(self._vocabulary, threshold, threads=threads, block=block)
        self._second = PairIndex(self._second_vocabulary, threshold, threads=threads, block=block)
        self._second_places: list[int] = []  # among all kept, by row of the second index
        self._ids: list[str | None] = []
        self.keep(seeds)

    def __len__(self) -> int:
        """Number of seeds and kept rows."""
        return len(self._index)

    def keep(self, texts: Sequence[NamedInstruction]) -> None:
        """Keep texts unchecked: seeds, or rows that were checked before."""
        instructions = [text.instruction for text in texts]
        encoded = self._vocabulary.encode(instructions)
        seconds = for_second_measure(instructions, encoded)
        self._second_places += [len(self._index) + i for i in seconds]
        self._second.add(self._encode_second(instructions, seconds))
        self._index.add(encoded)
        self._ids += [text.id for text in texts]

    def check(self, candidates: Sequence[NamedInstruction]) -> list[NoveltyVerdict]:
        """Check candidates; each novel one joins what later ones are compared with."""
        checked = self._check([candidate.instruction for candidate in candidates])
        self._ids += [candidates[n].id for n in np.flatnonzero(checked.novel).tolist()]
        return verdicts_of(candidates, checked, self._ids)

    def check_texts(self, texts: Sequence[str]) -> NoveltyColumns:
        """Check texts that have no identifiers; the same rule, by column."""
        checked = self._check(texts)
        self._ids += [None] * int(checked.novel.sum())
        return checked

    def _check(self, texts: Sequence[str]) -> NoveltyColumns:
        encoded = self._vocabulary.encode(texts)
        seconds = for_second_measure(texts, encoded)
        by_second = self._encode_second(texts, seconds)
        numbers = {place: number for number, place in enumerate(seconds)}
        rejected: dict[int, tuple[int, float]] = {}

        def admit(place: int) -> bool:
            number = numbers[place]
            found = self._second.check(by_second.part(number, number + 1))
            if (row := int(found.rows[0])) >= 0:
                rejected[place] = self._second_places[row], float(found.scores[0])
                return False
            self._second_places.append(len(self._index))
            return True

        nearest, scores = self._index.check(encoded, asked=seconds, admit=admit)
        second = np.zeros(len(texts), np.bool_)
        second[seconds] = nearest[seconds] < 0
        for place, (row, score) in rejected.items():
            nearest[place], scores[place] = row, score
        return NoveltyColumns(nearest < 0, nearest, scores, second)

    def _encode_second(self, texts: Sequence[str], seconds: Sequence[int]) -> EncodedTexts:
        return self._second_vocabulary.encode_unicode([texts[i] for i in seconds])


def verdicts_of(
    candidates: Sequence[NamedInstruction], checked: NoveltyColumns, ids: Sequence[str | None]
) -> list[NoveltyVerdict]:
    """Verdicts by row of those by column; `ids` are of seeds and all kept rows, in their order."""
    return [
        NoveltyVerdict(
            candidate.id,
            is_novel,
            None if is_novel else ids[nearest],
            None if is_novel else score,
            MEASURES[second],
        )
        for candidate, is_novel, nearest, score, second in zip(
            candidates,
            checked.novel.tolist(),
            checked.nearest.tolist(),
            checked.scores.tolist(),
            checked.second.tolist(),
            strict=True,
        )
    ]


def check_here(
    kept: Sequence[NamedInstruction], candidates: Sequence[NamedInstruction]
) -> list[NoveltyVerdict]:
    """Check candidates in this process, against seeds and rows kept before."""
    return NoveltyFilter(kept).check(candidates)


def for_second_measure(texts: Sequence[str], encoded: EncodedTexts) -> list[int]:
    """Which texts the second measure applies to, in ascending order."""
    unseen = set(np.flatnonzero(encoded.lengths == 0).tolist())
    unseen.update(i for i, text in enumerate(texts) if not text.isascii() and is_half_unseen(text))
    return sorted(unseen)


def check_novelty(
    seeds: Sequence[NamedInstruction],
    candidates: Sequence[NamedInstruction],
    threshold: float = THRESHOLD,
) -> list[NoveltyVerdict]:
    """Check candidates in their order; each novel one joins what later ones are compared with."""
    return NoveltyFilter(seeds, threshold).check(candidates)


def nearest(
    text: str, among: Sequence[str], measure: RougeMeasure = "rouge_score"
) -> tuple[int, float] | None:
    """Position of the text most similar to this one, and their F1, however low; the earliest.

    None where no text has a token in common with it.
    """
    scores = rouge_l_f1_of_texts([text], among, measure)[0]
    if not scores.any():
        return None
    position = int(scores.argmax())
    return position, float(scores[position])


def rouge_l_f1_of_texts(
    left: Sequence[str], right: Sequence[str], measure: RougeMeasure = "rouge_score"
) -> NDArray[np.float64]:
    """ROUGE-L F1 of all pairs of texts, by comparing all with all; shape (left, right).

    Computed as `rouge_score` does, 2·P·R / (P + R) in double precision: the published rows show
    that exact ties at 0.7 were decided by this rounding (7 of 7 and 13 tokens gives
    0.7000000000000001).
    """
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    if not left or not right:
        return np.zeros((len(left), len(right)))
    split = _TOKENIZERS[measure]
    codes: dict[str, str] = {}
    one, other = (
        ["".join(_code(t, codes) for t in split(x)) for x in side] for side in (left, right)
    )
    lcs = cdist(one, other, scorer=LCSseq.similarity, dtype=np.int32, workers=-1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = lcs / np.array([len(text) for text in one], dtype=np.float64)[:, None]
        recall = lcs / np.array([len(text) for text in other], dtype=np.float64)[None, :]
        f1 = 2 * precision * recall / (precision + recall)
    return np.where(lcs > 0, f1, 0.0)  # nothing in common, or a text without tokens, scores 0


def _code(token: str, codes: dict[str, str]) -> str:
    """The one character that stands for a token, so that rapidfuzz compares texts as strings."""
    if token not in codes:
        number = len(codes) + 1
        if number >= _SURROGATES[0]:
            number += _SURROGATES[1] - _SURROGATES[0]
        codes[token] = chr(number)  # some 1.1 million distinct tokens fit
    return codes[token]
