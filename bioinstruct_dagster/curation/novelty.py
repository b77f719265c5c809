"""Novelty: Self-Instruct's rule, exactly.

A row is kept iff its ROUGE-L F1 with every seed and every row kept before it is not greater than
0.7, by `rouge_score`'s tokenisation and floating-point arithmetic, greedily in the order given.
Belongs here: the measure and the rule. Does not: other reasons to reject a row (quality).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Self-Instruct (Wang et al., 2023), bootstrap_instructions.py: dropped iff max(scores) > 0.7.
THRESHOLD = 0.7
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")
_BLOCK = 256  # candidates compared at once; any size gives the same result
_SURROGATES = (0xD800, 0xE000)


@dataclass(frozen=True)
class Text:
    """A text with its identifier: a seed, or a candidate row."""

    id: str
    instruction: str


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate is novel, with the most similar seed or kept row before it.

    `score` is their ROUGE-L F1. `nearest_id` is the earliest of equally similar ones, and None
    where nothing shares a token.
    """

    id: str
    novel: bool
    nearest_id: str | None
    score: float


def tokenize(text: str) -> list[str]:
    """`rouge_score`'s tokens without stemming: lower-case runs of a-z and 0-9."""
    return _NOT_ALPHANUMERIC.sub(" ", text.lower()).split()


class NoveltyFilter:
    """The rule over a growing set: candidates come in their order, in portions of any size.

    Args:
        seeds: kept from the start.
        threshold: a ROUGE-L F1 above it is a repetition.
    """

    def __init__(self, seeds: Sequence[Text], threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._encode = _Encoder()
        self._kept_ids = [seed.id for seed in seeds]
        self._kept = [self._encode(seed.instruction) for seed in seeds]

    def judge(self, candidates: Sequence[Text]) -> list[Verdict]:
        """Judge candidates; each novel one joins what later ones are compared with."""
        verdicts: list[Verdict] = []
        for start in range(0, len(candidates), _BLOCK):
            verdicts += self._judge_block(candidates[start : start + _BLOCK])
        return verdicts

    def _judge_block(self, block: Sequence[Text]) -> list[Verdict]:
        encoded = [self._encode(candidate.instruction) for candidate in block]
        before = len(self._kept)
        against_kept = rouge_l_f1(encoded, self._kept)
        within = rouge_l_f1(encoded, encoded)
        joined: list[int] = []  # members of this block that were kept, in order
        verdicts = []
        for i, candidate in enumerate(block):
            scores = np.concatenate([against_kept[i, :before], within[i, joined]])
            nearest = int(scores.argmax()) if scores.size else -1
            score = float(scores[nearest]) if scores.size else 0.0
            novel = not score > self._threshold
            verdicts.append(
                Verdict(candidate.id, novel, self._kept_ids[nearest] if score > 0 else None, score)
            )
            if novel:
                joined.append(i)
                self._kept.append(encoded[i])
                self._kept_ids.append(candidate.id)
        return verdicts


def judge_novelty(
    seeds: Sequence[Text], candidates: Sequence[Text], threshold: float = THRESHOLD
) -> list[Verdict]:
    """Judge candidates in their order; each novel one joins what later ones are compared with."""
    return NoveltyFilter(seeds, threshold).judge(candidates)


def rouge_l_f1(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """ROUGE-L F1 of all pairs of encoded texts; shape (left, right).

    Computed as `rouge_score` does, 2·P·R / (P + R) in double precision: the published rows show
    that exact ties at 0.7 were decided by this rounding (7 of 7 and 13 tokens gives
    0.7000000000000001).
    """
    from rapidfuzz.distance import LCSseq
    from rapidfuzz.process import cdist

    if not left or not right:
        return np.zeros((len(left), len(right)))
    lcs = cdist(left, right, scorer=LCSseq.similarity, dtype=np.int32, workers=-1).astype(
        np.float64
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = lcs / np.array([len(text) for text in left], dtype=np.float64)[:, None]
        recall = lcs / np.array([len(text) for text in right], dtype=np.float64)[None, :]
        f1 = 2 * precision * recall / (precision + recall)
    return np.where(lcs > 0, f1, 0.0)  # nothing in common, or a text without tokens, scores 0


def rouge_l_f1_of_texts(left: Sequence[str], right: Sequence[str]) -> NDArray[np.float64]:
    """ROUGE-L F1 of all pairs of texts; shape (left, right)."""
    encode = _Encoder()
    return rouge_l_f1([encode(text) for text in left], [encode(text) for text in right])


class _Encoder:
    """Texts as strings of one character per token, which rapidfuzz compares as fast as it can."""

    def __init__(self) -> None:
        self._codes: dict[str, str] = {}
        self._free = self._code_points()

    def __call__(self, text: str) -> str:
        return "".join(self._codes.get(token) or self._add(token) for token in tokenize(text))

    def _add(self, token: str) -> str:
        self._codes[token] = chr(next(self._free))
        return self._codes[token]

    @staticmethod
    def _code_points() -> Iterator[int]:
        # About 1.1 million distinct tokens fit; the published 25,005 rows hold some 10,000.
        yield from range(1, _SURROGATES[0])
        yield from range(_SURROGATES[1], 0x110000)
