"""Ray: starting it or connecting to a cluster, actors, and the messages about failures.

Belongs here: all code that uses Ray's settings and errors. Does not: the work of the actors
(shard), or calling them (driver).
"""

import importlib
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from bioinstruct_dagster.curation.extras import RAY
from bioinstruct_dagster.errors import StatedError

LOCAL_CLUSTER = "local"  # in place of an address: a temporary cluster of this machine
_SECONDS_TO_ANSWER = 10.0
_STORE_BYTES = 256 << 20  # for data between driver and actors


class RayClusterError(StatedError):
    """The cluster of `BIOINSTRUCT_RAY_ADDRESS` can't be used; the message says why."""


def check_ray_installed() -> None:
    """Refuse the setting if Ray is not installed; Ray is not imported.

    Raises:
        RayClusterError: it is not installed.
    """
    if not RAY.is_installed():
        raise RayClusterError(RAY.missing_message)


@contextmanager
def ray_connection(address: str, workers: int) -> Iterator[Any]:
    """Ray, connected to a cluster with a processor for each worker.

    On leaving, a cluster or connection that was started here is ended. An earlier connection stays.

    Raises:
        RayClusterError: Ray is missing or broken, no cluster answers, or it has too few processors.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when a cluster starts: no telemetry
    check_ray_installed()
    try:
        ray: Any = importlib.import_module(RAY.module)
    except Exception as error:  # a broken library fails in many ways
        raise RayClusterError(RAY.broken_message(error)) from error
    ours = not ray.is_initialized()
    if ours:
        _start_or_connect(ray, address, workers)
    try:
        there = int(ray.cluster_resources().get("CPU", 0))
        if there < workers:
            raise RayClusterError(
                f"BIOINSTRUCT_RAY_ADDRESS: the Ray cluster {address!r} has {there} processors, "
                f"and {workers} workers need one each. Add nodes, or ask for fewer workers."
            )
        yield ray
    finally:
        if ours:
            ray.shutdown()


@contextmanager
def running_actors(
    ray: Any, address: str, kind: type, arguments: Sequence[Sequence[Any]]
) -> Iterator[list[Any]]:
    """An actor for each list of arguments, spread over the nodes; ended on leaving.

    Raises:
        RayClusterError: the cluster failed while the actors were used.
        StatedError: an actor raised it.
    """
    remote = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(kind)
    actors: list[Any] = []
    try:
        actors += [remote.remote(*given) for given in arguments]
        yield actors
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, StatedError):
            raise error.cause from None
        raise
    except ray.exceptions.RayError as error:
        raise RayClusterError(
            f"BIOINSTRUCT_RAY_ADDRESS: the Ray cluster {address!r} gave up: {error} Check that "
            "each node has this version of the project with the extra `ray`, and memory for its "
            "share (docs/scale.md); more workers need less each."
        ) from error
    finally:
        for actor in actors:
            ray.kill(actor)


def _start_or_connect(ray: Any, address: str, workers: int) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == LOCAL_CLUSTER:
        options |= {
            "num_cpus": workers,
            "include_dashboard": False,
            "object_store_memory": _STORE_BYTES,
        }
    else:
        _check_answers(address)
    try:
        ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError, AssertionError) as error:
        raise RayClusterError(
            f"BIOINSTRUCT_RAY_ADDRESS: can't use the Ray cluster {address!r}: {error} Check that "
            "it runs, with the version of Ray installed here (extra `ray`), or say `local`."
        ) from error


def _check_answers(address: str) -> None:
    """Refuse an address that does not answer; Ray itself would try for minutes."""
    if address == "auto":
        return
    try:
        parts = urlsplit(address if "://" in address else f"ray://{address}")
        where = (parts.hostname or "", parts.port or 0)
        if not all(where):
            raise ValueError("it has no host and port")
        socket.create_connection(where, timeout=_SECONDS_TO_ANSWER).close()
    except (OSError, ValueError) as error:
        raise RayClusterError(
            f"BIOINSTRUCT_RAY_ADDRESS: no Ray cluster answers at {address!r} ({error}). Name one "
            "as host:port, as `ray start --head` prints it, or say `local` (extra `ray`)."
        ) from error
