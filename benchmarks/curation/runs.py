"""The runners as processes: each gets a job and returns its figures.

Every run is a fresh process in its own process group, so that no process outlives its run. Belongs
here: starting a run, ending it, reading its figures. Does not: the measures (measures).
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import CURATION

OURS = "ours"
BESIDE = "beside"  # this project at another commit
_OFFLINE = {"HF_HUB_OFFLINE": "1"}


class RunError(Exception):
    """A run failed. The message holds the end of its output."""


@dataclass(frozen=True)
class Task:
    """One run to make: a runner of this project or of a peer, whose environment it names."""

    peer: str  # or OURS
    runner: str
    material: Mapping[str, Path]
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 1_200.0
    checkout: Path | None = None  # the project's folder at another commit


def run(task: Task) -> dict[str, Any]:
    """Make a run, and give what it measured.

    Raises:
        RunError: it failed, or took longer than it should.
    """
    task.folder.mkdir(parents=True)
    job, result = task.folder / "job.json", task.folder / "result.json"
    job.write_text(
        json.dumps(
            {
                "runner": task.runner,
                "material": {name: str(path) for name, path in task.material.items()},
                "options": dict(task.options),
                "folder": str(task.folder),
                "result": str(result),
            }
        ),
        "utf-8",
    )
    log = task.folder / "output.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*_command(task.peer), str(job)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            # Python searches the folder in which it starts before the installed packages.
            cwd=task.checkout,
            env=os.environ | _OFFLINE | dict(task.environment),
        )
    try:
        process.wait(task.timeout)
    except subprocess.TimeoutExpired:
        raise RunError(f"no end after {task.timeout:.0f} s") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also what it leaves behind
        process.wait()
    if not result.exists():
        lines = log.read_text("utf-8", "replace").strip().splitlines()
        raise RunError(f"status {process.returncode}: {' '.join(lines[-1:])[:200]}")
    figures: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return figures


def _command(peer: str) -> list[str]:
    if peer == OURS:
        return [sys.executable, "-m", "benchmarks.curation.ours"]
    return [
        str(CURATION.interpreter(peer)),
        str(Path(__file__).parent / "peers" / f"{peer}_peer.py"),
    ]
