"""The runners as processes: each gets a job and returns its figures.

Every run is a fresh process in its own process group, so that no process outlives its run. Belongs
here: starting a run, ending it, reading its figures. Does not: the measures (measures).
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import TRAINING
from benchmarks.training.material import Material

PEER = "trl"  # the environment of all modes but ours
_POLL_SECONDS = 0.05
# On Linux, the peak is given in KiB; on macOS, in bytes.
_BYTES_OF_PEAK = 1 if sys.platform == "darwin" else 1_024
_QUIET = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


class RunError(Exception):
    """A run failed. The message holds the end of its output."""


@dataclass(frozen=True)
class Mode:
    """One way to train: a line in the tables. Without a script, it is ours."""

    title: str
    script: str = ""
    runner: str = "ours"


MODES = {
    "ours": Mode("bioinstruct_dagster"),
    "bare": Mode("bare variable-length loop (the limit)", "bare", "bare"),
    "trl_packed": Mode("TRL, packing and per-segment attention", "trl", "packed"),
    "hf_grouped": Mode("HF Trainer, group_by_length", "trainer", "grouped"),
    "hf_padding": Mode("HF Trainer, default padding", "trainer", "padding"),
    "trl_defaults": Mode("TRL, defaults", "trl", "defaults"),
}


@dataclass(frozen=True)
class Usage:
    """What a process and its ended children used."""

    wall: float
    cpu: float
    peak_bytes: int


@dataclass(frozen=True)
class Session:
    """What all runs of a session share."""

    folder: Path
    threads: int = 1
    peer_python: Path | None = None  # in place of the environment that the benchmark makes

    def train(
        self,
        mode: str,
        material: Material,
        place: str,
        options: Mapping[str, Any],
        *,
        timeout: float = 1_800.0,
    ) -> dict[str, Any]:
        """Train in a mode, and give what it measured.

        Raises:
            RunError: it failed, or took longer than it should.
            PeerInstallError: the peer's environment can't be made.
        """
        folder = self.folder / "runs" / place
        folder.mkdir(parents=True)
        job, result = folder / "job.json", folder / "result.json"
        content = {
            "runner": MODES[mode].runner,
            "base": str(material.base),
            "rows": str(material.rows),
            "held_out": str(material.held_out),
            "result": str(result),
            "folder": str(folder),
            "options": {"threads": self.threads, **options},
        }
        job.write_text(json.dumps(content), "utf-8")
        command = [*self._command(mode), str(job)]
        self.command(command, folder / "output.log", timeout=timeout)
        figures: dict[str, Any] = json.loads(result.read_text("utf-8"))
        return figures

    def command(
        self,
        command: Sequence[str],
        log: Path,
        *,
        timeout: float = 1_800.0,
        environment: Mapping[str, str] | None = None,
        code: Path | None = None,
    ) -> Usage:
        """Run a command to its end. Returns what it and its ended children used.

        Args:
            command: the program and its arguments.
            log: takes its output.
            timeout: in seconds.
            environment: variables that are added.
            code: the folder of the project's code, if it is another revision's.

        Raises:
            RunError: it failed, or took longer than the timeout in seconds.
        """
        threads = {"OMP_NUM_THREADS": str(self.threads), "OMP_WAIT_POLICY": "PASSIVE"}
        begun = time.perf_counter()
        with log.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                cwd=code,  # Python looks for modules in the working directory first
                env=os.environ | _QUIET | threads | dict(environment or {}),
            )
        ended = status = 0
        usage: Any = None  # of the process and its children, once it has ended
        try:
            while not ended and time.perf_counter() - begun < timeout:
                time.sleep(_POLL_SECONDS)
                ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # also what it leaves behind
            if not ended:
                process.wait()
        if not ended:
            raise RunError(f"no end after {timeout:.0f} s")
        if status:
            lines = log.read_text("utf-8", "replace").strip().splitlines()
            raise RunError(f"status {status}: {' '.join(lines[-1:])[:300]}")
        return Usage(
            wall=time.perf_counter() - begun,
            cpu=usage.ru_utime + usage.ru_stime,
            peak_bytes=usage.ru_maxrss * _BYTES_OF_PEAK,
        )

    def _command(self, mode: str) -> list[str]:
        script = MODES[mode].script
        if not script:
            return [sys.executable, "-m", "benchmarks.training.ours"]
        python = self.peer_python or TRAINING.interpreter(PEER)
        return [str(python), str(Path(__file__).parent / "peers" / f"{script}_peer.py")]
