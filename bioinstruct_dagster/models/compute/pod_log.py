"""One reading of a pod's log, from the line after the last one that was read.

Belongs here: whole lines with their time stamps. Does not: reading again when a reading breaks
(kubernetes_pods).
"""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bioinstruct_dagster.models.compute.pod import CONTAINER

SECONDS_TO_ANSWER = 20.0
# A reading that hangs looks like a process that says nothing, so it is begun anew.
_SECONDS_OF_SILENCE = 60.0


def read_log(api: Any, name: str, namespace: str, last: str) -> Iterator[tuple[str, str]]:
    """Time stamps and lines of a log that is followed, after the line with the time stamp `last`.

    Args:
        api: the Kubernetes client's interface to pods.
        name: of the pod.
        namespace: of the pod.
        last: the last time stamp that was read; empty for the whole log. Kubernetes writes all
            time stamps of a log in one form, so their order is that of their text.
    """
    answer = api.read_namespaced_pod_log(
        name,
        namespace,
        container=CONTAINER,
        follow=True,
        timestamps=True,
        since_seconds=_seconds_since(last),
        _preload_content=False,
        _request_timeout=(SECONDS_TO_ANSWER, _SECONDS_OF_SILENCE),
    )
    try:
        rest = b""
        for block in answer.stream(amt=None, decode_content=True):
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                stamp, _, text = line.decode("utf-8", "replace").partition(" ")
                if stamp > last:
                    yield stamp, text
    finally:
        answer.close()
        answer.release_conn()


def _seconds_since(stamp: str) -> int | None:
    """Seconds from a time stamp of the log until now, and some more, because clocks differ."""
    if not stamp:
        return None
    try:
        then = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return max(int(time.time() - then.timestamp()), 0) + 300
