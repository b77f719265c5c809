"""The novelty rule `rouge`: exactly the rule of Self-Instruct.

Rows are checked in the given order. A row is kept if its ROUGE-L F1 with every seed and with every
row kept before it is at most 0.7. Tokens and floating-point arithmetic are those of `rouge_score`.
The rule compares instructions alone, not inputs.

`rouge_score` reads only a-z and 0-9. To it, two Chinese questions that share only "HIV" are the
same text. So each text has one measure. If `rouge_score` reads less than half of a text
(`is_half_unseen`), the text's measure is the same F1 over the tokens of `tokenize_unicode`. Texts
are compared only with texts of the same measure.

Written by hand, because `rouge_score` compares two texts at a time in Python, which is too slow for
all pairs of a set, and libraries for near-duplicates are approximate. Tests compare the verdicts
with `rouge_score`.

Belongs here: the measures and the rule. Does not: the rule `exact` (exact), the join that makes
this rule fast (pairs), the rows that the store remembers (stored_index), or other reasons to reject
a row (curation.quality).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.pairs import BLOCK, NO_ROW, PairIndex
from bioinstruct_dagster.curation.tokens.vocabulary import (
    EncodedTexts,
    Vocabulary,
    is_half_unseen,
    tokenize,
    tokenize_unicode,
)

# Self-Instruct (Wang et al., 2023), its bootstrapping script: dropped if max(scores) > 0.7.
THRESHOLD = 0.7

RougeMeasure = Literal["rouge_score", "unicode"]
Measure = RougeMeasure | Literal["exact", "off"]
MEASURES: tuple[RougeMeasure, ...] = ("rouge_score", "unicode")
_TOKENIZERS: dict[RougeMeasure, Callable[[str], list[str]]] = {
    "rouge_score": tokenize,
    "unicode": tokenize_unicode,
}
_SURROGATES = (0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class NamedInstruction:
    """A seed or a candidate row, with its identifier.

    The rule `rouge` compares instructions alone, so input and output may be left out for it.
    """

    id: str
    instruction: str
    input: str = ""
    output: str = ""


@dataclass(frozen=True, slots=True)
class NoveltyVerdict:
    """Whether a candidate is novel; if not, which text it repeats.

    Attributes:
        id: of the candidate.
        novel: whether no score is above the threshold.
        nearest_id: of the most similar seed or earlier kept row; the earliest of equally similar
            ones. None for a novel candidate, and for a text that `check_texts` kept.
        score: F1 with the nearest text; None for a novel candidate.
        measure: the measure of the candidate's text, `exact`, or `off` if it was not compared.
        other_output: whether the nearest text has another output; None if outputs are not compared.
    """

    id: str
    novel: bool
    nearest_id: str | None
    score: float | None
    measure: Measure
    other_output: bool | None = None


class NoveltyColumns(NamedTuple):
    """Verdicts by column, with one element for each text."""

    novel: NDArray[np.bool_]
    nearest: NDArray[np.int64]  # number among seeds and kept rows, seeds first; -1 if novel
    scores: NDArray[np.float64]  # 0 if novel
    second: NDArray[np.bool_]  # whether the text's measure is the second one


class NoveltyFilter:
    """The rule over a growing set; candidates come in their order, in portions of any size.

    Args:
        seeds: kept from the start.
        threshold: a ROUGE-L F1 above it is a repetition.
        threads: number of threads that compare texts; by default one per processor.
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
        self._vocabularies = [Vocabulary() for _ in MEASURES]
        self._indexes = [
            PairIndex(vocabulary, threshold, threads=threads, block=block)
            for vocabulary in self._vocabularies
        ]
        # By measure and row of its index: the row's number among all seeds and kept rows.
        self._numbers = [np.empty(0, np.int64) for _ in MEASURES]
        self._kept = 0
        self._ids: list[str | None] = []
        self.keep(seeds)

    def __len__(self) -> int:
        """Number of seeds and kept rows."""
        return self._kept

    def keep(self, texts: Sequence[NamedInstruction]) -> None:
        """Keep texts without checking them: seeds, or rows that were checked before."""
        instructions = [text.instruction for text in texts]
        for m, members in enumerate(members_of_measures(instructions)):
            self._indexes[m].add(self._encode(m, instructions, members))
            self._enter(m, self._kept + members)
        self._kept += len(texts)
        self._ids += [text.id for text in texts]

    def check(self, candidates: Sequence[NamedInstruction]) -> list[NoveltyVerdict]:
        """Check candidates in their order; later ones are compared with each novel one too."""
        checked = self._check([candidate.instruction for candidate in candidates])
        self._ids += [candidates[n].id for n in np.flatnonzero(checked.novel).tolist()]
        return verdicts_of(candidates, checked, self._ids)

    def check_texts(self, texts: Sequence[str]) -> NoveltyColumns:
        """Check texts without identifiers by the same rule; the verdicts come by column."""
        checked = self._check(texts)
        self._ids += [None] * int(checked.novel.sum())
        return checked

    def _check(self, texts: Sequence[str]) -> NoveltyColumns:
        nearest = np.full(len(texts), NO_ROW, np.int64)
        scores = np.zeros(len(texts))
        groups = members_of_measures(texts)
        # No text is compared with a text of another measure, so each index settles its own texts.
        for m, members in enumerate(groups):
            found = self._indexes[m].check(self._encode(m, texts, members))
            nearest[members], scores[members] = found.rows, found.scores
        novel = nearest == NO_ROW
        numbers = self._kept + np.cumsum(novel) - 1
        for m, members in enumerate(groups):
            self._enter(m, numbers[members[novel[members]]])
            repeats = members[~novel[members]]
            nearest[repeats] = self._numbers[m][nearest[repeats]]
        self._kept += int(novel.sum())
        second = np.zeros(len(texts), np.bool_)
        second[groups[1]] = True
        return NoveltyColumns(novel, nearest, scores, second)

    def _enter(self, m: int, numbers: NDArray[np.int64]) -> None:
        self._numbers[m] = np.concatenate([self._numbers[m], numbers])

    def _encode(self, m: int, texts: Sequence[str], members: NDArray[np.int64]) -> EncodedTexts:
        return encode_for(MEASURES[m], self._vocabularies[m], [texts[i] for i in members])


def verdicts_of(
    candidates: Sequence[NamedInstruction], checked: NoveltyColumns, ids: Sequence[str | None]
) -> list[NoveltyVerdict]:
    """Turn verdicts by column into a verdict for each candidate.

    Args:
        candidates: the texts that were checked.
        checked: the verdicts on them.
        ids: of the seeds and of all kept rows, in their order.
    """
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


def check_in_process(
    kept: Sequence[NamedInstruction],
    candidates: Sequence[NamedInstruction],
    threshold: float = THRESHOLD,
) -> list[NoveltyVerdict]:
    """Check candidates in their order, in this process, against seeds and rows kept before."""
    return NoveltyFilter(kept, threshold).check(candidates)


def members_of_measures(texts: Sequence[str]) -> list[NDArray[np.int64]]:
    """For each measure: the numbers of the texts that it compares, in ascending order."""
    second = np.fromiter(map(is_half_unseen, texts), np.bool_, len(texts))
    return [np.flatnonzero(~second), np.flatnonzero(second)]


def encode_for(measure: RougeMeasure, vocabulary: Vocabulary, texts: Sequence[str]) -> EncodedTexts:
    """The tokens by which a measure compares texts, as numbers."""
    return (vocabulary.encode if measure == "rouge_score" else vocabulary.encode_unicode)(texts)


def nearest_text(
    text: str, among: Sequence[str], measure: RougeMeasure = "rouge_score"
) -> tuple[int, float] | None:
    """The position of the most similar text, and their F1, even if it is below the threshold.

    Of equally similar texts, the earliest counts. None if no text shares a token with it.
    """
    scores = rouge_l_f1_of_texts([text], among, measure)[0]
    if not scores.any():
        return None
    position = int(scores.argmax())
    return position, float(scores[position])


def rouge_l_f1_of_texts(
    left: Sequence[str], right: Sequence[str], measure: RougeMeasure = "rouge_score"
) -> NDArray[np.float64]:
    """ROUGE-L F1 of all pairs of texts, in an array of shape (left, right).

    Computed like in `rouge_score`: 2·P·R / (P + R) in double precision. The published rows show
    that this rounding decided exact ties at 0.7 (7 of 7 and of 13 tokens gives 0.7000000000000001).
    """
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    if not left or not right:
        return np.zeros((len(left), len(right)))
    split = _TOKENIZERS[measure]
    codes: dict[str, str] = {}
    one, other = (
        ["".join(_character_of(t, codes) for t in split(x)) for x in side] for side in (left, right)
    )
    lcs = cdist(one, other, scorer=LCSseq.similarity, dtype=np.int32, workers=-1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = lcs / np.array([len(text) for text in one], dtype=np.float64)[:, None]
        recall = lcs / np.array([len(text) for text in other], dtype=np.float64)[None, :]
        f1 = 2 * precision * recall / (precision + recall)
    return np.where(lcs > 0, f1, 0.0)  # 0 for a text without tokens too


def _character_of(token: str, codes: dict[str, str]) -> str:
    """The character that stands for a token, since rapidfuzz compares texts as strings."""
    if token not in codes:
        number = len(codes) + 1
        if number >= _SURROGATES[0]:
            number += _SURROGATES[1] - _SURROGATES[0]
        codes[token] = chr(number)  # enough for 1.1 million distinct tokens
    return codes[token]
