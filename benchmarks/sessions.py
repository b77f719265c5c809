"""The frame of a session that measures clients side by side: its options, folder and figures.

Belongs here: what sessions have in common. Does not: what
they measure (their measures), or the text of their reports (documents, their reports).
"""

import argparse
import dataclasses
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.environments import Environments


def parser_of(module: str, about: str | None, names: Sequence[str]) -> argparse.ArgumentParser:
    """A parser with the options of every session.

    Args:
        module: what `python -m` runs.
        about: its docstring.
        names: of measures and clients, for `--only`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument(
        "--only", nargs="+", default=[], choices=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--quick", action="store_true", help="small and once: does it all work?")
    parser.add_argument("--json", type=Path, help="write every run's figures here, as JSON lines")
    parser.add_argument("--keep", action="store_true", help="keep the material and the runs' logs")
    parser.add_argument("--scratch", type=Path, help="a folder with 3 GB of room, for the session")
    return parser


@contextmanager
def session_folder(name: str, options: argparse.Namespace) -> Iterator[Path]:
    """A folder for the material of a session, which is removed unless `--keep` is given."""
    folder = Path(tempfile.mkdtemp(prefix=f"bench-{name}-", dir=options.scratch))
    try:
        yield folder
    finally:
        if options.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def write_figures(figures: Iterable[Any], path: Path | None) -> None:
    """Write figures, which are dataclasses, as JSON lines, if a path is given."""
    if path:
        lines = (json.dumps(dataclasses.asdict(figure)) + "\n" for figure in figures)
        path.write_text("".join(lines), "utf-8")


def model_versions(peer: str, environments: Environments) -> list[str]:
    """The versions of this project, the libraries of its models, and a pinned peer."""
    names = ("torch", "transformers", "peft")
    return [
        f"bioinstruct_dagster {version('bioinstruct-dagster')}",
        *(f"{name} {version(name)}" for name in names),
        f"{peer} {environments.version_pinned(peer)}",
    ]


def ratio(figures: Iterable[Any], mode: str, to: str, key: str) -> float | None:
    """The median over rounds of one mode's value over another's in the same round."""
    values = {(one.mode, one.round): one.values[key] for one in figures if not one.error}
    pairs = [
        values[mode, number] / values[to, number]
        for name, number in values
        if name == mode and (to, number) in values
    ]
    return median(pairs) if pairs else None
