"""The seed file: its format, and a reader that names every error at once.

Belongs here: what makes a seed task valid. Does not: how seeds are drawn for a prompt
(generation.series.seed_draw).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.values import percent
from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys
from bioinstruct_dagster.store.storable_text import is_storable

# The four categories of BioInstruct (Tran et al., JAMIA 2024).
Category = Literal["information_extraction", "question_answering", "generation", "other"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
# Bounds of the share of a category, beyond which a set teaches mostly one kind of task. The shares
# of BioInstruct are 10.0 % to 33.8 % (Tran et al., JAMIA 2024); the bounds leave room around them.
LEAST_SHARE, MOST_SHARE = 0.05, 0.6
_MOST_BYTES = 64 << 20  # far more than any prompt draws from
SEEDS_PER_PROMPT = 3  # Tran et al., JAMIA 2024: three random seeds per prompt


@dataclass(frozen=True)
class SeedTask:
    """One task written by an expert. `input` is empty if the task needs none."""

    id: str
    category: str
    source_family: str
    instruction: str
    input: str
    output: str

    def to_row(self, ordinal: int) -> dict[str, Any]:
        """The task as a row of the `seed_tasks` table."""
        row = asdict(self)
        return {"seed_id": row.pop("id"), "ordinal": ordinal, **row}


# The fields of each stored seed task, in the order of the file.
STORED_SEEDS = """
    select seed_id as id, category, source_family, instruction, input, output
    from seed_tasks
    order by ordinal
"""


class SeedFileError(StatedError):
    """The seed file is malformed; the message lists every error with line and field."""


def read_seed_tasks(path: Path) -> list[SeedTask]:
    """Read a JSONL file of seed tasks, in the order of the file.

    Raises:
        SeedFileError: lists every error with file, line, field and fault.
    """
    text = _read_text(path)
    seeds: list[SeedTask] = []
    errors: list[str] = []
    first_line_of: dict[str, int] = {}
    # Not splitlines(): it also splits at U+2028 and similar characters, which JSON allows inside a
    # string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _parsed_line(line)
        except ValueError as error:
            errors.append(f"{path}:{number}: {error}")
            continue
        faults = list(faults_of_seed(record))
        seed_id = str(record.get("id", "")).strip()
        if seed_id and first_line_of.setdefault(seed_id, number) != number:
            faults.insert(0, f"id: {seed_id!r} was used on line {first_line_of[seed_id]}")
        errors += [f"{path}:{number}: {fault}" for fault in faults]
        if not faults:
            names = (field.name for field in fields(SeedTask))
            seeds.append(SeedTask(**{name: record[name].strip() for name in names}))
    if not errors and len(seeds) < SEEDS_PER_PROMPT:
        errors.append(
            f"{path}: {len(seeds)} seed tasks; a prompt shows {SEEDS_PER_PROMPT}, "
            f"so the file needs at least {SEEDS_PER_PROMPT}"
        )
    if errors:
        raise SeedFileError(f"{len(errors)} error(s) in the seed file:\n" + "\n".join(errors))
    return seeds


def uneven_shares(counts: Mapping[str, int]) -> list[str]:
    """A phrase for each category whose share is out of bounds, such as "other: 2.1 %".

    Args:
        counts: the number of rows by category. A category without rows may be absent.
    """
    total = sum(counts.values()) or 1
    shares = {category: counts.get(category, 0) / total for category in CATEGORIES}
    return [
        f"{category.replace('_', ' ')}: {percent(share)}"
        for category, share in shares.items()
        if not LEAST_SHARE <= share <= MOST_SHARE
    ]


def _read_text(path: Path) -> str:
    if fault := fault_of_file(path):
        raise SeedFileError(f"{shown(path)} {fault}. Set BIOINSTRUCT_SEEDS to a JSONL file.")
    if path.stat().st_size > _MOST_BYTES:
        raise SeedFileError(
            f"{shown(path)} holds more than {_MOST_BYTES >> 20} MiB, so it is no file of seed "
            "tasks. Set BIOINSTRUCT_SEEDS to a JSONL file."
        )
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SeedFileError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start})."
        ) from None


def _parsed_line(line: str) -> dict[str, Any]:
    """The JSON object of one line. If there is none, a ValueError says why."""
    try:
        record = json.loads(line, object_pairs_hook=object_of_distinct_keys)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from None
    except RepeatedKeyError as error:
        raise ValueError(f"not JSON (the field {error.key!r} is given twice; keep one)") from None
    except (ValueError, RecursionError) as error:  # a number that is too long, or nesting too deep
        raise ValueError(f"not JSON ({error})") from None
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, found {type(record).__name__}")  # noqa: TRY004
    return record


def faults_of_seed(record: Mapping[str, Any]) -> Iterator[str]:
    """The faults of one seed task, each as `field: fault`."""
    names = [field.name for field in fields(SeedTask)]
    for name in sorted(set(record) - set(names)):
        yield f"{name}: unknown field (known: {', '.join(names)})"
    for name in names:
        value = record.get(name)
        if name not in record:
            yield f"{name}: missing"
        elif not isinstance(value, str):
            yield f"{name}: expected text, found {type(value).__name__}"
        elif not value.strip() and name != "input":
            yield f"{name}: empty"
        elif not is_storable(value):
            yield f"{name}: holds a lone surrogate or NUL character, which can't be stored as text"
        elif name == "category" and value not in CATEGORIES:
            yield f"category: {value!r} is not one of {', '.join(CATEGORIES)}"
