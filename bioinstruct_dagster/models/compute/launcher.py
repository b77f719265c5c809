"""What every launcher of the model process can do: start it, follow it, and end it.

Belongs here: the terms that the launchers and models.process.parent share. Does not: one launcher
(local, and its siblings in this folder), or Dagster, which only models.process.parent knows.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings.compute import ComputeSettings


class ModelProcessError(StatedError):
    """The model process was ended from outside, or can't be started. The message says why."""


def is_parcel(spec: str) -> bool:
    """Whether a specification is a parcel's URL, not JSON."""
    return "://" in spec.partition(" ")[0] and not spec.lstrip().startswith(("{", "["))


@dataclass(frozen=True)
class Order:
    """What to start: `python -m MODULE SPEC`.

    `spec` is the text of the specification, or the URL of a parcel that holds it. `environment`
    holds Dagster Pipes' variables. `log` writes a line to the run's log.
    """

    module: str
    spec: str
    step: str
    run_id: str
    environment: Mapping[str, str]
    log: Callable[[str], None]

    @property
    def work(self) -> str:
        """The name of the work, as Kubernetes and Ray allow it.

        Two orders with the same name do the same work, so at most one of them may run.
        """
        step = re.sub("[^a-z0-9]+", "-", self.step.lower()).strip("-")[:30]
        digest = hashlib.sha256(f"{self.run_id} {self.step}".encode()).hexdigest()
        return f"bioinstruct-{step}-{digest[:12]}"


@dataclass(frozen=True)
class Ended:
    """How a model process ended. `fault` is None if it ended well.

    `explained` says that the fault is a message for the user. Otherwise the fault only names an
    exit status, and the log has the traceback.
    """

    fault: str | None = None
    explained: bool = False


class Job(Protocol):
    """A model process: started once, followed, and stopped."""

    def start(self) -> None:
        """Start the process.

        Raises:
            ModelProcessError: it can't be started.
        """

    def lines(self) -> Iterator[str]:
        """The lines of its messages or of its log, as they come. Ends when the process has."""

    def ended(self) -> Ended | None:
        """How it ended; None while it runs. Does not wait."""

    def received(self, message: dict[str, Any]) -> Iterable[dict[str, Any]]:
        """The messages that a message in the log stands for, with their files on this machine.

        That is the message itself, unless the process writes its messages to an exchange.
        """
        return [message]

    def rest(self) -> Iterable[dict[str, Any]]:
        """The messages that the log has not announced, or will never announce.

        There are none, because only an exchange knows more than the log.
        """
        return []

    def stop(self) -> None:
        """End the process and all that it started, and wait until they are gone.

        It is called once for every job, also for one that has ended or could not be started.
        """


class Launcher(Protocol):
    """Starts model processes in one kind of place."""

    @property
    def same_machine(self) -> bool:
        """Whether the process is a child of this process."""

    def job(self, order: Order) -> Job:
        """The job for an order, not yet started."""

    def writer(self) -> dict[str, str]:
        """Where the process writes its messages, in the terms of dagster-pipes."""


class RemoteLauncher:
    """What launchers of processes on other machines have in common."""

    def __init__(self, settings: ComputeSettings) -> None:
        self._settings = settings

    @property
    def same_machine(self) -> bool:
        """The process has a machine of its own."""
        return False

    def writer(self) -> dict[str, str]:
        """The log of the process, which is read while the process runs."""
        return {"stdio": "stderr"}
