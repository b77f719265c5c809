"""The split of a row. It depends only on the instruction, so no row moves as the set grows.

Belongs here: the rule of the split. Does not: writing the splits (dataset.build).
"""

import hashlib
from typing import Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_BUCKETS = 1_000
_TRAIN_END, _VALIDATION_END = 800, 900  # 80 % train, 10 % validation, 10 % test


def split_of(instruction: str) -> Split:
    """The split of an instruction, by the sha256 of its text without case and repeated spaces."""
    text = " ".join(instruction.lower().split())
    bucket = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % _BUCKETS
    if bucket < _TRAIN_END:
        return "train"
    return "validation" if bucket < _VALIDATION_END else "test"
