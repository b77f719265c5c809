"""Where figures are written down: the machine they are of, and the place between a page's markers.

Belongs here: what every benchmark says of its machine, and setting text into a page. Does not: the
tables (each session's report).
"""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def machine(versions: Sequence[str]) -> str:
    """Where and with what it was measured."""
    model = "unknown CPU"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text("utf-8").splitlines() if "model name" in line]
        model = names[0].split(":", 1)[1].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}; load before: {os.getloadavg()[0]:.2f}. Versions: "
        f"{', '.join(versions)}."
    )


def write_between_markers(text: str, name: str, document: Path = DOCS / "benchmarks.md") -> None:
    """Set the text between the markers of this name; the rest of the page stays as it is."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    old = document.read_text("utf-8") if document.exists() else "# Benchmarks\n"
    if begin not in old or end not in old:
        old = f"{old.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = old.split(begin, 1)
    after = rest.split(end, 1)[1]
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
