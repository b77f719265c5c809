"""Brute force with rapidfuzz: every candidate with everything kept, in blocks, on all cores.

The fastest way that its documentation shows: `process.cdist` with a cut-off, over texts encoded to
one character per token. What reaches 0.7 is decided by `rouge_score`'s arithmetic.
"""

import re

import numpy as np
from measured import Body, Job, removals, run
from rapidfuzz.distance import Indel, LCSseq
from rapidfuzz.process import cdist

BLOCK = 1_000
THRESHOLD = 0.7
SURROGATES = (0xD800, 0xE000)
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def novelty(job: Job) -> Body:
    """Self-Instruct's rule, exactly."""
    texts = job.read("texts")

    def body():
        codes: dict[str, str] = {}
        encoded = [
            "".join(codes.setdefault(t, _code(len(codes))) for t in _tokens(x)) for x in texts
        ]
        kept: list[str] = []
        keeps: list[bool] = []
        for start in range(0, len(encoded), BLOCK):
            block = encoded[start : start + BLOCK]
            repeats = [False] * len(block)
            if kept:
                for row, column in zip(*np.nonzero(_alike(block, kept)), strict=True):
                    repeats[row] = repeats[row] or _above(block[row], kept[column])
            within = _alike(block, block)
            joined: list[int] = []
            for row, text in enumerate(block):
                keep = not repeats[row] and not any(
                    within[row, n] and _above(text, block[n]) for n in joined
                )
                keeps.append(keep)
                if keep:
                    joined.append(row)
            kept += [block[n] for n in joined]
        return {"removed": lambda: removals(keeps)}

    return body


def _tokens(text: str) -> list[str]:
    return _NOT_ALPHANUMERIC.sub(" ", text.lower()).split()


def _code(number: int) -> str:
    first, after = SURROGATES
    return chr(number if number < first else number + after - first)


def _alike(left: list[str], right: list[str]) -> np.ndarray:
    return cdist(
        left,
        right,
        scorer=Indel.normalized_similarity,
        score_cutoff=0.69,
        dtype=np.float32,
        workers=-1,
    )


def _above(candidate: str, kept: str) -> bool:
    common = LCSseq.similarity(candidate, kept)
    if not common:
        return False
    precision, recall = common / len(candidate), common / len(kept)
    return 2 * precision * recall / (precision + recall) > THRESHOLD


if __name__ == "__main__":
    run({"novelty": novelty}, "rapidfuzz")
