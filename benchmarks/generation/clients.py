"""The clients as processes: each gets a job and returns its rows and figures.

Every run is a fresh process in its own process group, so that a kill also ends the client's
children. Belongs here: starting a run, killing it, reading its rows. Does not: the measures
(measures).
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import GENERATION
from benchmarks.generation.prompts import WARM_UP, answered_number
from benchmarks.generation.service import Service

OURS = "ours"
PEERS = ("curator", "datatrove", "data_designer", "distilabel")
TITLES = {
    OURS: "bioinstruct_dagster",
    "curator": "curator",
    "datatrove": "datatrove",
    "data_designer": "Data Designer",
    "distilabel": "distilabel",
}
TIMEOUT_SECONDS = 300.0
_WARM_UP_ROWS = 4
_OFFLINE = {"HF_HUB_OFFLINE": "1"}


class ClientError(Exception):
    """A client's run failed. The message holds the end of its output."""


@dataclass(frozen=True)
class Outcome:
    """What one run gave: the client's own clocks and the distinct sound rows it brought back."""

    wall: float
    cpu: float
    version: str
    rows: int
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One run to make. The folder holds the client's cache; a second run finds it again."""

    client: str
    prompts: Sequence[str]
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    warm_up: bool = True


def command(client: str) -> list[str]:
    """How this client is run; its environment is made if need be."""
    if client == OURS:
        return [sys.executable, "-m", "benchmarks.generation.ours"]
    script = Path(__file__).parent / "peers" / f"{client}_peer.py"
    return [str(GENERATION.interpreter(client)), str(script)]


def start(task: Task, service: Service) -> subprocess.Popen[bytes]:
    """Start a run; its process group is its own."""
    task.folder.mkdir(parents=True, exist_ok=True)
    job = {
        "base_url": service.base_url,
        "prompts": list(task.prompts),
        "warm_up": [f"{WARM_UP} {n}" for n in range(_WARM_UP_ROWS)] if task.warm_up else [],
        "cache_dir": str(task.folder / "cache"),
        "result": str(task.folder / "result.json"),
        "rows": str(task.folder / "rows.jsonl"),
        "options": dict(task.options),
    }
    (task.folder / "job.json").write_text(json.dumps(job), "utf-8")
    (task.folder / "result.json").unlink(missing_ok=True)
    with (task.folder / "output.log").open("wb") as log:
        return subprocess.Popen(
            [*command(task.client), str(task.folder / "job.json")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            # Peers write settings and caches into the home folder; each run has its own.
            env=os.environ | _OFFLINE | {"HOME": str(task.folder / "home")},
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL the whole group."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def finish(process: subprocess.Popen[bytes], task: Task) -> Outcome:
    """Wait for a run and read what it gave.

    Raises:
        ClientError: it failed, or took longer than any client should.
    """
    try:
        process.wait(TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        raise ClientError(f"no end after {TIMEOUT_SECONDS:.0f} s") from None
    finally:
        kill(process)  # also what a client leaves behind
    result = task.folder / "result.json"
    if not result.exists():
        lines = (task.folder / "output.log").read_text("utf-8", "replace").strip().splitlines()
        raise ClientError(f"status {process.returncode}: {' '.join(lines[-1:])[:200]}")
    figures = json.loads(result.read_text("utf-8"))
    with (task.folder / "rows.jsonl").open(encoding="utf-8") as rows:
        answered = {answered_number(json.loads(line)) for line in rows} - {None}
    return Outcome(
        figures.pop("wall"), figures.pop("cpu"), figures.pop("version"), len(answered), figures
    )


def run(task: Task, service: Service) -> Outcome:
    """Start a run and wait for it."""
    return finish(start(task, service), task)
