"""`python -m benchmarks.curation.material`: write the texts and rows of a session into files.

It runs in its own process, because the harness starts every measured process and must stay small.
Belongs here: writing files. Does not: making the texts (texts, rows).
"""

import argparse
import dataclasses
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.curation.rows import Rows
from benchmarks.curation.texts import Instructions

SEED = 4
REAL = Path(__file__).parents[3] / "shared" / "data"
# The field of the question in the files of published evaluation sets.
_QUESTION_FIELDS = {
    "medmcqa/*.jsonl": "question",
    "bioasq/*.jsonl": "body",
    "medqa/*.jsonl": "question",
    "nli4ct/*.jsonl": "statement",
    "pubmedqa/*.jsonl": "QUESTION",
}


def main() -> None:
    """Write the requested material into a folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curation.material")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--texts", type=int, nargs="*", default=[], help="sizes")
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--items", type=int, default=0)
    options = parser.parse_args()
    for size in options.texts:
        _write(texts_at(options.folder, size), itertools.islice(Instructions(SEED), size))
    if options.rows:
        draw = Rows(SEED)
        items, tasks = draw.items(options.items), draw.tasks(options.rows)
        leaks = draw.plant(tasks, items)
        _write(options.folder / "items.jsonl", items)
        _write(options.folder / "rows.jsonl", tasks)
        _write(options.folder / "leaks.jsonl", map(dataclasses.asdict, leaks))
    if REAL.is_dir():
        rows = real_rows()
        _write(options.folder / "real_rows.jsonl", rows)
        _write(options.folder / "real_texts.jsonl", [row[0] for row in rows] + real_questions())


def texts_at(folder: Path, size: int) -> Path:
    """The path of the file with this many instructions."""
    return folder / f"texts_{size}.jsonl"


def real_rows() -> list[list[str]]:
    """Published rows, if their files are present. They are not part of the project."""
    return [
        [row["instruction"], row["input"], row["output"]]
        for path in sorted((REAL / "bioinstruct").glob("*.jsonl"))
        for row in _lines(path)
    ]


def real_questions() -> list[str]:
    """The questions of published evaluation sets, if their files are present."""
    return [
        row[name]
        for pattern, name in _QUESTION_FIELDS.items()
        for path in sorted((REAL / "eval").glob(pattern))
        for row in _lines(path)
        if row.get(name)
    ]


def _lines(path: Path) -> list[Any]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _write(path: Path, values: Iterable[Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


if __name__ == "__main__":
    main()
