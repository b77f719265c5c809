"""Scores that people gave to answers, read from a JSONL file.

Belongs here: the fields of a line, and reading the file. Does not: comparing a judge with them
(measured), or correcting means by them (scores).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.judge.grades import SHARES, GradedText, Share
from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys
from bioinstruct_dagster.store.fingerprints import sha256_of


class HumanScoresError(StatedError):
    """A file of human scores can't be read; the message names file, line and field."""


@dataclass(frozen=True, slots=True)
class HumanScore:
    """What people found in one answer.

    Attributes:
        text: the answer, with its source and reference.
        shares: factual_f1, factual_recall, factual_precision, hallucination_rate and omission_rate,
            from 0 to 1, in the order of `SHARES`. A share that the line lacks is None.
        writer: the model that wrote the answer; empty if the line does not say.
    """

    text: GradedText
    shares: tuple[float | None, ...]
    writer: str = ""

    def share(self, name: Share) -> float | None:
        """The share that people found."""
        return self.shares[SHARES.index(name)]

    @property
    def has_factual_error(self) -> bool:
        """Whether people found a fact that is wrong: their factual precision is below 1."""
        return (self.share("factual_precision") or 0.0) < 1


def read_human_scores(path: Path) -> tuple[HumanScore, ...]:
    """The human scores in a file, in its order.

    A line is an object with `dialogue` or `source`, `reference`, `summary` or `answer`, and shares
    by their names, of which factual_f1 and factual_precision are required. `model` may name the
    model that wrote the answer. Another share that lies outside 0 to 1 counts as missing: published
    files mark a missing share by -1.

    Raises:
        HumanScoresError: names the file, and the line and field of the first fault.
    """
    if fault := fault_of_file(path):
        raise HumanScoresError(
            f"{shown(path)} {fault}. Name a JSONL file of human scores, by "
            "BIOINSTRUCT_JUDGE_HUMAN_SCORES or the option --scores."
        )
    found = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=object_of_distinct_keys)
        except RepeatedKeyError as error:
            raise _fault(path, number, str(error)) from None
        except (ValueError, RecursionError):
            raise _fault(path, number, "is no JSON; write one object a line") from None
        if not isinstance(row, Mapping):
            raise _fault(path, number, "is no object with fields")
        found.append(_score(path, number, row))
    if not found:
        raise HumanScoresError(f"{shown(path)} holds no human score. Name a file with some.")
    return tuple(found)


def fingerprint_of(scores: tuple[HumanScore, ...]) -> str:
    """A hash of the scores and their texts, whatever the file is called."""
    return sha256_of(
        [[*score.text.shown().values(), list(score.shares), score.writer] for score in scores]
    )


def _score(path: Path, line: int, row: Mapping[str, Any]) -> HumanScore:
    source = _text(path, line, row, ("source", "dialogue"))
    reference = _text(path, line, row, ("reference",))
    answer = _text(path, line, row, ("answer", "summary"), may_be_empty=True)
    shares = tuple(_share(path, line, row, name) for name in SHARES)
    writer = row.get("model") or ""
    if not isinstance(writer, str):
        raise _fault(path, line, "field model: is not text")
    return HumanScore(GradedText(source, reference, answer), shares, writer)


def _text(
    path: Path,
    line: int,
    row: Mapping[str, Any],
    names: tuple[str, ...],
    *,
    may_be_empty: bool = False,
) -> str:
    name = next((name for name in names if name in row), None)
    if name is None:
        raise _fault(path, line, f"has no field {' or '.join(names)}")
    value = row[name]
    if not isinstance(value, str):
        raise _fault(path, line, f"field {name}: is not text")
    if not may_be_empty and not value.strip():
        raise _fault(path, line, f"field {name}: is empty")
    return value


def _share(path: Path, line: int, row: Mapping[str, Any], name: Share) -> float | None:
    value, required = row.get(name), name in {"factual_f1", "factual_precision"}
    if value is None:
        if required:
            raise _fault(path, line, f"has no field {name}")
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _fault(path, line, f"field {name}: is {value!r}, not a number from 0 to 1")
    if 0 <= value <= 1:
        return float(value)
    if required:
        raise _fault(path, line, f"field {name}: is {value!r}, not a number from 0 to 1")
    return None


def _fault(path: Path, line: int, fault: str) -> HumanScoresError:
    return HumanScoresError(f"{shown(path)}, line {line}: {fault}. Mend the line.")
