"""The split of a row. It depends only on the row's texts, so no row moves as the set grows.

A set whose instructions differ is split by instruction, so that no instruction is in two splits. In
a set of few instructions and many inputs, all rows of an instruction would fall into one split, so
it is split by instruction and input.

Belongs here: the rules, and which of them suits a set. Does not: the rule that a store keeps
(split_rule), or writing the splits (dataset.build).
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SplitBy = Literal["instruction", "instruction_and_input"]
SPLIT_RULES: tuple[SplitBy, ...] = ("instruction", "instruction_and_input")
_BUCKETS = 1_000
_TRAIN_END, _VALIDATION_END = 800, 900  # 80 % train, 10 % validation, 10 % test
# A set is split by instruction and input if more than half of its rows share their instruction with
# another row, or if one instruction would fill a split of 10 % alone.
_MOST_REPEATED, _MOST_OF_ONE, _LEAST_ROWS_OF_ONE = 0.5, 0.1, 20


def split_of(instruction: str) -> Split:
    """The split of an instruction, by the sha256 of its text without case and repeated spaces."""
    return _split_by_hash(_plain(instruction))


def split_of_row(row: Mapping[str, Any], by: SplitBy) -> Split:
    """The split of a row, by its instruction or by instruction and input."""
    if by == "instruction":
        return split_of(row["instruction"])
    return _split_by_hash(f"{_plain(row['instruction'])}\x1f{_plain(row['input'])}")


def shared_tasks(rows: Sequence[Mapping[str, Any]], by: SplitBy) -> list[tuple[str, str]]:
    """The ids of two rows for each task that is in two splits.

    Args:
        rows: with row_id, split, instruction and input.
        by: what makes two rows the same task: the instruction, or instruction and input.
    """
    first: dict[tuple[str, ...], Mapping[str, Any]] = {}
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    for row in rows:
        task: tuple[str, ...] = (_plain(row["instruction"]),)
        if by == "instruction_and_input":
            task += (_plain(row["input"]),)
        other = first.setdefault(task, row)
        if other["split"] != row["split"]:
            found.setdefault(task, (other["row_id"], row["row_id"]))
    return list(found.values())


def suitable_rule(rows: Sequence[Mapping[str, Any]]) -> SplitBy:
    """The rule that suits a set, by how often its instructions repeat."""
    counts = Counter(_plain(row["instruction"]) for row in rows)
    repeated = sum(count for count in counts.values() if count > 1)
    most = max(counts.values(), default=0)
    many_of_one = most >= _LEAST_ROWS_OF_ONE and most > _MOST_OF_ONE * len(rows)
    return SPLIT_RULES[repeated > _MOST_REPEATED * len(rows) or many_of_one]


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _split_by_hash(text: str) -> Split:
    bucket = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % _BUCKETS
    if bucket < _TRAIN_END:
        return "train"
    return "validation" if bucket < _VALIDATION_END else "test"
