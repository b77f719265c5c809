"""The model process as a job of a Ray cluster, which is stopped when the step ends.

Belongs here: submitting, following and stopping a job, and its end in words. Does not: what travels
(travelling), or the cluster of the novelty gate (curation.novelty.cluster).
"""

import asyncio
import os
import shlex
import time
import uuid
from collections.abc import Iterator
from typing import Any

from bioinstruct_dagster.models.compute.launcher import (
    Ended,
    Job,
    ModelProcessError,
    Order,
    RemoteLauncher,
)
from bioinstruct_dagster.settings.compute import ComputeSettings

_SECONDS_BETWEEN_LOOKS = 1.0
_SECONDS_TO_END = 60.0
_SECONDS_OF_OUTAGE = 900.0
_KILLED = (-9, 137)
_WORK = "bioinstruct/work"


class RayLauncher(RemoteLauncher):
    """Runs the model process as a Ray job."""

    def job(self, order: Order) -> "RayJob":
        """The Ray job for an order."""
        return RayJob(order, self._settings)


class RayJob(Job):
    """A job of a Ray cluster."""

    def __init__(self, order: Order, settings: ComputeSettings) -> None:
        self._order = order
        self._settings = settings
        # Ray confuses a job with an earlier one of the same name that has just been stopped.
        self._name = f"{order.work}-{uuid.uuid4().hex[:8]}"
        self._client: Any = None
        self._stopping = False
        self._submitted = False

    def start(self) -> None:
        """Submit the job. A job that an earlier start of the same work left is stopped first."""
        self._client = self._connected()
        self._end_earlier()
        settings = self._settings
        variables = {
            "PYTHONUNBUFFERED": "1",
            **{name: os.environ[name] for name in settings.variables if name in os.environ},
            **self._order.environment,
        }
        self._submitted = True
        try:
            self._client.submit_job(
                entrypoint=shlex.join(["python", "-m", self._order.module, self._order.spec]),
                submission_id=self._name,
                runtime_env={"env_vars": variables},
                entrypoint_num_cpus=settings.cpus,
                entrypoint_num_gpus=settings.gpus or None,
                entrypoint_memory=settings.memory << 30,
                metadata={_WORK: self._order.work, "dagster/run-id": self._order.run_id},
            )
        except RuntimeError as error:
            raise ModelProcessError(
                f"The Ray cluster at {settings.ray_jobs} did not take the job: "
                f"{str(error).splitlines()[-1]}"
            ) from error
        self._order.log(f"Ray job {self._name} was submitted to {settings.ray_jobs}.")

    def lines(self) -> Iterator[str]:
        """The lines of the job's log. Each reading begins at its start, so known lines are left."""
        # Ray ends the reading of a log without an error when its connection breaks
        # (ray-project/ray#57002), so the job's status decides whether there may be more.
        seen = 0
        answered = time.monotonic()
        while not self._stopping:
            over = self.ended() is not None
            number = 0
            try:
                for line in self._log():
                    number += 1
                    if number > seen:
                        seen = number
                        yield line
                answered = time.monotonic()
            except Exception as error:  # aiohttp has many: the server restarts, or has no log yet
                if not over and time.monotonic() - answered > _SECONDS_OF_OUTAGE:
                    raise ModelProcessError(self._unreachable(error)) from error
            if over:
                return
            time.sleep(_SECONDS_BETWEEN_LOOKS)

    def ended(self) -> Ended | None:
        """How the job ended, in words where it was not the process itself."""
        try:
            job = self._client.get_job_info(self._name)
        except RuntimeError as error:
            gone = "404" in str(error)
            return Ended(self._gone(), explained=True) if gone else None
        except OSError:
            return None
        match str(getattr(job.status, "value", job.status)):
            case "SUCCEEDED":
                return Ended()
            case "STOPPED":
                return Ended(self._gone(), explained=True)
            case "FAILED":
                return self._fault_of(job)
        return None

    def stop(self) -> None:
        """Stop the job with all that it started, and remove it."""
        self._stopping = True
        if self._submitted:
            self._end(self._name)

    def _connected(self) -> Any:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.job_submission import JobSubmissionClient

        try:
            return JobSubmissionClient(self._settings.ray_jobs)
        except (ConnectionError, RuntimeError) as error:
            raise ModelProcessError(self._unreachable(error)) from error

    def _end_earlier(self) -> None:
        """Stop jobs of the same work that an earlier start left."""
        try:
            jobs = self._client.list_jobs()
        except (OSError, RuntimeError) as error:
            raise ModelProcessError(self._unreachable(error)) from error
        for job in jobs:
            if (job.metadata or {}).get(_WORK) == self._order.work and job.submission_id:
                self._order.log(f"Ray job {job.submission_id} of an earlier start is stopped.")
                self._end(job.submission_id)

    def _status(self, name: str) -> str | None:
        """A job's status; None if there is no such job."""
        try:
            status = self._client.get_job_status(name)
        except RuntimeError as error:
            if "404" in str(error):
                return None
            raise
        return str(getattr(status, "value", status))

    def _end(self, name: str) -> None:
        """Stop a job, wait until it has ended, and remove it."""
        give_up = time.monotonic() + _SECONDS_TO_END
        try:
            while (status := self._status(name)) in {"PENDING", "RUNNING"}:
                self._client.stop_job(name)
                if time.monotonic() > give_up:
                    raise ModelProcessError(
                        f"Ray job {name} does not end. Look at it with ray job status "
                        f"{name} --address {self._settings.ray_jobs}."
                    )
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            if status is not None:
                self._client.delete_job(name)
        except (OSError, RuntimeError) as error:
            raise ModelProcessError(self._unreachable(error)) from error

    def _log(self) -> Iterator[str]:
        """The lines of one reading of the log, from its start."""
        chunks = self._client.tail_job_logs(self._name)
        loop = asyncio.new_event_loop()
        try:
            rest = ""
            while not self._stopping:
                try:
                    chunk = loop.run_until_complete(anext(chunks))
                except StopAsyncIteration:
                    break
                *lines, rest = (rest + chunk).split("\n")
                yield from lines
        finally:
            loop.run_until_complete(chunks.aclose())
            loop.close()

    def _fault_of(self, job: Any) -> Ended:
        if job.driver_exit_code in _KILLED:
            return Ended(
                f"The process of Ray job {self._name} was killed (SIGKILL), most often because "
                "memory was full. Raise BIOINSTRUCT_COMPUTE_MEMORY, or train with fewer tokens at "
                "once. The step's log holds the memory estimate.",
                explained=True,
            )
        if job.driver_exit_code is None:  # the process had not begun, or its node is gone
            return Ended(
                f"Ray job {self._name} failed: {str(job.message or '').strip()[:500]} Check that "
                "the cluster has a node with BIOINSTRUCT_COMPUTE_GPUS, _CPUS and _MEMORY free.",
                explained=True,
            )
        return Ended(
            f"The model process in Ray job {self._name} failed with exit status "
            f"{job.driver_exit_code}."
        )

    def _gone(self) -> str:
        return (
            f"Ray job {self._name} was stopped or deleted from outside. Another start of the same "
            "step also stops it. Run the step again."
        )

    def _unreachable(self, error: Exception) -> str:
        return (
            f"BIOINSTRUCT_RAY_JOBS: the job server {self._settings.ray_jobs} does not answer "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}). Check "
            f"the address. Job {self._name} may still run; ray job stop ends it."
        )
