"""`python -m benchmarks.imports`: imports sets of four published shapes and reports on them.

Each set is made from a seed and imported in a process of its own, through all gates into the data
set. A whole session writes `docs/benchmarks.md`. With `--quick`, `--rows` or `--only`, the report
is only printed.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.documents import machine, write_between_markers
from benchmarks.imports.report import Figures, render
from benchmarks.imports.shapes import SHAPES, Shape

SEED, SIZES, QUICK_SIZES = 7, (5_000, 20_000, 50_000), (1_000,)
# On Linux, the peak is given in KiB; on macOS, in bytes.
_BYTES_OF_PEAK = 1 if sys.platform == "darwin" else 1_024


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the report. A whole session also writes it."""
    options = _parser().parse_args(arguments)
    sizes = options.rows or (QUICK_SIZES if options.quick else SIZES)
    shapes = [shape for shape in SHAPES if shape.name in (options.only or [shape.name])]
    libraries = ("bioinstruct_dagster", "dagster", "duckdb", "datasets")
    where = machine([f"{name} {version(name)}" for name in libraries])
    folder = Path(tempfile.mkdtemp(prefix="bench-imports-", dir=options.scratch))
    try:
        figures = list(_measured(shapes, sizes, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    text = render(figures, where)
    print(text)
    if not (options.quick or options.rows or options.only):
        write_between_markers(text, "bench-imports")
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [shape.name for shape in SHAPES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int, metavar="ROWS", help="sizes of the sets")
    parser.add_argument("--quick", action="store_true", help="small sets: does everything work?")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--scratch", type=Path, help="a folder for the sets and stores")
    return parser


def _measured(shapes: Sequence[Shape], sizes: Sequence[int], folder: Path) -> Iterator[Figures]:
    for shape in shapes:
        for size in sizes:
            print(f"{shape.name}, {size:,} rows", file=sys.stderr, flush=True)
            file = folder / f"{shape.name}.jsonl"
            with file.open("w", encoding="utf-8") as lines:
                for row in shape.rows(size, SEED):
                    lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            store = folder / f"{shape.name}-{size}"
            yield _imported(shape, size, file, store)
            shutil.rmtree(store)


def _imported(shape: Shape, size: int, file: Path, store: Path) -> Figures:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.imports.measured", file, store, shape.columns],
            stdout=output,
            stderr=errors,
        )
        _, status, usage = os.wait4(process.pid, 0)
        for text in (output, errors):
            text.seek(0)
        if status:
            raise RuntimeError(f"{shape.name}: {errors.read().decode()[-2_000:]}")
        found = json.loads(output.read().splitlines()[-1])
    if found["in_data_set"] != found["kept"]:
        raise RuntimeError(f"{shape.name}: the data set has {found['in_data_set']} rows")
    return Figures(
        shape=shape,
        rows=size,
        kept=found["kept"],
        rejected=found["rejected"],
        seconds=found["seconds"],
        by_step=found["by_step"],
        megabytes=usage.ru_maxrss * _BYTES_OF_PEAK / 1e6,
    )


if __name__ == "__main__":
    sys.exit(main())
