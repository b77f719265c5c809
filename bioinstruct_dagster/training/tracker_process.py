"""MLflow or Trackio in a process of its own, so that none of its faults reaches training.

A tracker that raises, hangs or crashes is dropped with a warning. Its process is
`python -m bioinstruct_dagster.training.tracker_process`. Belongs here: both sides of that process.
Does not: which trackers a run has (training.trackers).
"""

import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

PROJECT = "bioinstruct"  # the experiment of MLflow, and the project of Trackio
MOST_WAITING = 2**20  # bytes that a slow tracker may have waiting for it
SECONDS_TO_END = 60.0  # that a tracker has to keep the last metrics
_MODULE = "bioinstruct_dagster.training.tracker_process"
_SECRET_NAME = re.compile(r"key|token$|secret|passw|credential|authorization", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)[^/\s@]*@")


class TrackerProcess:
    """MLflow or Trackio in a process of its own, which is fed without waiting for it."""

    def __init__(
        self,
        kind: str,
        name: str,
        log: Callable[[str], None],
        folder: Path,
        parameters: Mapping[str, Any],
        *,
        seconds_to_end: float = SECONDS_TO_END,
    ) -> None:
        self._kind, self._name, self._log = kind, name, log
        self._seconds_to_end = seconds_to_end
        self._waiting = b""
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        try:
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-m", _MODULE, kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env=_environment(folder),
                start_new_session=True,
            )
        except OSError as error:
            self._log(f"{name}: {kind} can't be started ({error}). Training goes on without it.")
            return
        self._pipe = cast("Any", self._process.stdin)
        os.set_blocking(self._pipe.fileno(), False)
        self._send({"name": name, "parameters": public(parameters)})

    def write(self, update: int, metrics: Mapping[str, float]) -> None:
        """Send the metrics of one update."""
        if self._process is not None:
            self._send({"update": update, "metrics": dict(metrics)})

    def close(self) -> None:
        """Wait until the tracker has kept all metrics, but not for long."""
        if self._process is None:
            return
        end = time.monotonic() + self._seconds_to_end
        while self._waiting and (left := end - time.monotonic()) > 0:
            select.select([], [self._pipe], [], left)
            self._flush()
            if self._process is None:  # dropped
                return
        with suppress(OSError):
            self._pipe.close()
        try:
            status = self._process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._drop("it did not end in time")
        else:
            self._ended(status)

    def _ended(self, status: int) -> None:
        if status:
            self._drop(f"it ended with status {status}")
        else:
            self._errors.close()
            self._process = None

    def _send(self, message: Mapping[str, Any]) -> None:
        self._waiting += json.dumps(message, default=str).encode() + b"\n"
        self._flush()
        if self._process is not None and len(self._waiting) > MOST_WAITING:
            self._drop("it is too slow, or hangs")

    def _flush(self) -> None:
        """Write what the pipe takes now."""
        try:
            while self._waiting:
                written = os.write(self._pipe.fileno(), self._waiting[: select.PIPE_BUF])
                self._waiting = self._waiting[written:]
        except BlockingIOError:
            return
        except OSError:  # the process has ended
            self._drop("it ended early")

    def _drop(self, why: str) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        with suppress(OSError):
            self._pipe.close()
        process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", errors="replace").strip().splitlines()
        self._errors.close()
        said = f" Its last line: {without_credentials(lines[-1])[:300]}" if lines else ""
        self._log(
            f"{self._name}: {self._kind} is dropped, because {why}. Training goes on without it."
            f"{said}"
        )


def public(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters without those that have a secret's name, and without users in URLs."""
    return {
        name: without_credentials(value) if isinstance(value, str) else value
        for name, value in parameters.items()
        if not _SECRET_NAME.search(name)
    }


def without_credentials(text: str) -> str:
    """The text with URLs that name neither user nor password."""
    return _USER_IN_URL.sub("", text)


def _environment(folder: Path) -> dict[str, str]:
    """The environment of the tracker: without the teacher's keys, and with a place to write."""
    usual = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
        "TRACKIO_DIR": str(folder / "trackio"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return usual | own


def _report(kind: str) -> None:
    """The tracker's process: send each message of the standard input to the tracker."""
    messages = map(json.loads, sys.stdin)
    first = next(messages, None)
    if first is None:
        return
    name, parameters = first["name"], first["parameters"]
    if kind == "mlflow":
        import mlflow  # type: ignore[import-not-found, unused-ignore]

        mlflow.set_experiment(PROJECT)
        with mlflow.start_run(run_name=name):
            mlflow.log_params(parameters)
            for message in messages:
                mlflow.log_metrics(message["metrics"], step=message["update"])
        return
    import trackio  # type: ignore[import-not-found, unused-ignore]

    trackio.init(project=PROJECT, name=name, config=parameters)
    for message in messages:
        trackio.log(message["metrics"], step=message["update"])
    trackio.finish()


if __name__ == "__main__":
    _report(sys.argv[1])
