"""The model process as a child of this process, which ends with it.

Belongs here: starting, following and ending a process of this machine. Does not: what it does
(models.process.child).
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bioinstruct_dagster.models.compute.launcher import Ended, Job, Order, is_parcel

# A process that is asked to end may be writing a checkpoint of some gigabytes.
_SECONDS_TO_END = 20.0
_SECONDS_BETWEEN_LOOKS = 0.05
_MESSAGES = "messages"


class LocalLauncher:
    """Starts `python -m MODULE SPEC` on this machine; for one process."""

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python
        self._scratch = tempfile.TemporaryDirectory(prefix="bioinstruct-")

    @property
    def same_machine(self) -> bool:
        """The process is a child of this one."""
        return True

    def writer(self) -> dict[str, str]:
        """A file of the scratch folder; what the process prints goes to this process's output."""
        return {"path": str(Path(self._scratch.name, _MESSAGES))}

    def job(self, order: Order) -> "LocalJob":
        """The process for an order."""
        return LocalJob(order, self._python, self._scratch)


class LocalJob(Job):
    """A process of this machine, in a group of its own, so that its children end with it."""

    def __init__(
        self, order: Order, python: str, scratch: "tempfile.TemporaryDirectory[str]"
    ) -> None:
        self._order = order
        self._python = python
        self._scratch = scratch
        self._messages = Path(scratch.name, _MESSAGES)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process."""
        self._messages.touch()
        spec = self._order.spec
        if not is_parcel(spec):
            file = Path(self._scratch.name, "spec.json")
            file.write_text(spec, "utf-8")
            spec = str(file)
        self._process = subprocess.Popen(  # noqa: S603  # this project's own module
            [self._python, "-m", self._order.module, spec],
            env={**os.environ, **self._order.environment},
            # The process reads the end of this pipe, and ends, if this process is killed.
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def lines(self) -> Iterator[str]:
        """The lines of the file of messages. A line that the process did not finish is left out."""
        rest = b""
        with self._messages.open("rb") as file:
            while True:
                over = self._status() is not None
                block = file.read()
                *lines, rest = (rest + block).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in lines)
                if over and not block:
                    return
                time.sleep(_SECONDS_BETWEEN_LOOKS)

    def ended(self) -> Ended | None:
        """How it ended, in words where a signal ended it."""
        status = self._status()
        if status is None:
            return None
        if status == 0:
            return Ended()
        if status < 0:
            return Ended(_words(-status), explained=True)
        return Ended(f"The model process failed with exit status {status}.")

    def stop(self) -> None:
        """End the process, its group, and those of its descendants that left the group."""
        if (process := self._process) is not None:
            family = _descendants(process.pid)
            if process.poll() is None:
                _signal_group(process.pid, signal.SIGTERM)
                try:
                    process.wait(_SECONDS_TO_END)
                except subprocess.TimeoutExpired:
                    family |= _descendants(process.pid)
            _signal_group(process.pid, signal.SIGKILL)
            for pid, started in family:
                if _start_time(pid) == started:  # the number still belongs to that process
                    _signal(pid, signal.SIGKILL)
            process.wait()
            if process.stdin:
                process.stdin.close()
        self._scratch.cleanup()

    def _status(self) -> int | None:
        return self._process.poll() if self._process else None


def _words(number: int) -> str:
    name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
    if number == signal.SIGKILL:
        return (
            "The model process was killed (SIGKILL). Most often the system does so when memory is "
            "full. Train with fewer tokens at once or a smaller base model, close other programs, "
            "or use a machine with more memory. The step's log holds the memory estimate."
        )
    if number == signal.SIGTERM:
        return "The model process was asked to end from outside (SIGTERM). Run the step again."
    return (
        f"The model process crashed ({name}). Most often a library is at fault: run the step "
        "again, and if it crashes again, look at the step's output on stderr."
    )


def _signal_group(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left; macOS says that it is not permitted


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _descendants(ancestor: int) -> set[tuple[int, str]]:
    """Numbers and start times of a process's descendants; empty where there is no /proc."""
    # torchrun's workers lead groups of their own, so a signal to the group does not reach them.
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(entry)
        if fields:
            parents[int(entry.parent.name)] = int(fields[1])
    found: set[int] = set()
    while more := {pid for pid, up in parents.items() if up in found | {ancestor}} - found:
        found |= more
    return {(pid, started) for pid in found if (started := _start_time(pid))}


def _start_time(pid: int) -> str:
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return fields[19] if fields else ""


def _fields(stat: Path) -> list[str]:
    """The fields after the program's name, which may hold spaces: state, parent, … start time."""
    try:
        return stat.read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return []
