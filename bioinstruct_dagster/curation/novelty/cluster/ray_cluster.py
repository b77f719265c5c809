"""Ray: starting it or reaching a cluster, actors on it, and what to say when that fails.

Belongs here: whatever knows Ray's settings and errors. Does not: what the actors do (sharded).
"""

import importlib
import importlib.util
import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from bioinstruct_dagster.errors import StatedError

LOCAL = "local"  # in place of an address: a cluster of this machine, for as long as it takes
_SECONDS_TO_ANSWER = 10.0
_STORE_BYTES = 256 << 20  # what is under way between driver and actors


class RayClusterError(StatedError):
    """The cluster of `BIOINSTRUCT_RAY_ADDRESS` can't be used; the message says why."""


@contextmanager
def connected(address: str, workers: int) -> Iterator[Any]:
    """Ray, connected to a cluster that has a processor for each worker.

    What is started here is ended here; a connection that was there before stays.

    Raises:
        RayClusterError: Ray is missing, nothing answers, or there are too few processors.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # read when a cluster starts: no telemetry
    if importlib.util.find_spec("ray") is None:
        raise RayClusterError(
            "BIOINSTRUCT_RAY_ADDRESS is set, but Ray is not installed. "
            "Run pip install 'bioinstruct-dagster[ray]', or leave the setting empty."
        )
    ray: Any = importlib.import_module("ray")
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
def actors_of(
    ray: Any, address: str, kind: type, arguments: Sequence[Sequence[Any]]
) -> Iterator[list[Any]]:
    """An actor for each of these arguments, spread over the nodes and ended on leaving.

    Raises:
        RayClusterError: the cluster gave up while they were used.
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
    if address == LOCAL:
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
    """Ray itself tries for minutes before it gives up."""
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
