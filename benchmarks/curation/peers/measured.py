"""The frame of each run: read the job, prepare, run the measured function, and write the figures.

It uses the standard library only, because each peer's interpreter runs it. A runner reads its
material and warms up unmeasured. Then it returns the function that is timed. The CPU time covers
the process and its ended children. The memory is the peak of the process, with all its material.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """The job of a runner, as the harness writes it."""

    runner: str
    material: Mapping[str, str]  # files by name
    options: Mapping[str, Any]
    folder: Path  # the run's own
    result: Path

    def read(self, name: str) -> list[Any]:
        """The lines of a file of the material."""
        with Path(self.material[name]).open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]


Body = Callable[[], Mapping[str, Any]]
Runner = Callable[[Job], Body]


def read_job(path: Path) -> Job:
    """The job in this file."""
    job = json.loads(path.read_text("utf-8"))
    return Job(
        job["runner"], job["material"], job["options"], Path(job["folder"]), Path(job["result"])
    )


def cpu_seconds() -> float:
    """CPU of this process and of its ended children."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
    )


def peak_bytes() -> int:
    """The most memory that this process held.

    The kernel's mark for the address space where there is one: `ru_maxrss` begins with what the
    parent held when it started this process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def removals(kept: Iterable[bool]) -> list[int]:
    """The positions that were not kept."""
    return [place for place, keep in enumerate(kept) if not keep]


def run(runners: Mapping[str, Runner], package: str) -> None:
    """Run the job named on the command line."""
    job = read_job(Path(sys.argv[1]))
    body = runners[job.runner](job)
    started, cpu = time.perf_counter(), cpu_seconds()
    figures = dict(body())
    wall, spent = time.perf_counter() - started, cpu_seconds() - cpu
    # What the body gives as a function is told after the clock has stopped.
    figures = {name: value() if callable(value) else value for name, value in figures.items()}
    figures |= {"wall": wall, "cpu": spent, "peak_bytes": peak_bytes(), "version": version(package)}
    job.result.write_text(json.dumps(figures), "utf-8")
