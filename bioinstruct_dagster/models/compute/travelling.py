"""A launcher whose processes run on machines without this machine's files, through an exchange.

Belongs here: a parcel around a job of another launcher. Does not: what is in a parcel (parcel), or
where the process runs (kubernetes_pods, ray_jobs).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bioinstruct_dagster.models.compute.exchange import Exchange
from bioinstruct_dagster.models.compute.launcher import Ended, Job, Launcher, Order
from bioinstruct_dagster.models.compute.parcel import Parcel


class TravellingLauncher:
    """Hands the process a parcel's URL in place of the specification."""

    def __init__(self, launcher: Launcher, exchange_url: str) -> None:
        self._launcher = launcher
        self._url = exchange_url

    @property
    def same_machine(self) -> bool:
        """As the other launcher says."""
        return self._launcher.same_machine

    def writer(self) -> dict[str, str]:
        """As the other launcher says."""
        return self._launcher.writer()

    def job(self, order: Order) -> "TravellingJob":
        """The job for an order."""
        parcel = Parcel(Exchange(self._url), order.work, order.spec)
        return TravellingJob(self._launcher.job(replace(order, spec=parcel.url)), parcel)


class TravellingJob:
    """A job and its parcel."""

    def __init__(self, job: Job, parcel: Parcel) -> None:
        self._job = job
        self._parcel = parcel

    def start(self) -> None:
        """Send the parcel, and start the process."""
        self._parcel.send()
        self._job.start()

    def lines(self) -> Iterator[str]:
        """The lines of the job."""
        return self._job.lines()

    def ended(self) -> Ended | None:
        """How the job ended."""
        return self._job.ended()

    def received(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The messages in the exchange that a note announces."""
        return self._parcel.received(message)

    def rest(self) -> Iterator[dict[str, Any]]:
        """The messages in the exchange whose note was lost."""
        return self._parcel.rest()

    def stop(self) -> None:
        """Stop the job, and remove what only it needed."""
        try:
            self._job.stop()
        finally:
            self._parcel.close()
