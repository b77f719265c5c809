"""The frame of a session that measures clients side by side: its options, folder and figures.

Belongs here: what the sessions of curation, generation and training have in common. Does not: what
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
from pathlib import Path
from typing import Any


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
