"""The frame of each client's run: read the job, call the client, and write the figures.

It uses the standard library only, because each peer's interpreter runs it. Only the call is timed.
Imports and a few warm-up requests come before it. The CPU time covers the process and its children.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Job:
    """The job of a client, as the harness writes it."""

    base_url: str
    prompts: list[str]
    warm_up: list[str]  # empty: no warm-up
    cache_dir: Path
    result: Path
    rows: Path
    options: dict[str, Any]


Client = Callable[[Job, list[str], Path], list[str | None]]


def read_job(path: Path) -> Job:
    """The job in this file."""
    job = json.loads(path.read_text("utf-8"))
    for name in ("cache_dir", "result", "rows"):
        job[name] = Path(job[name])
    return Job(**job)


def cpu_seconds() -> float:
    """CPU of this process and of its ended children."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (
            resource.getrusage(resource.RUSAGE_SELF),
            resource.getrusage(resource.RUSAGE_CHILDREN),
        )
    )


def run(client: Client, package: str) -> None:
    """Run the job named on the command line with this client."""
    job = read_job(Path(sys.argv[1]))
    if job.warm_up:
        client(job, job.warm_up, job.cache_dir / "warm-up")
    started, cpu = time.perf_counter(), cpu_seconds()
    answers = client(job, job.prompts, job.cache_dir / "measured")
    wall, spent = time.perf_counter() - started, cpu_seconds() - cpu
    with job.rows.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(answer) + "\n" for answer in answers)
    figures = {"wall": wall, "cpu": spent, "version": version(package)}
    job.result.write_text(json.dumps(figures), "utf-8")
