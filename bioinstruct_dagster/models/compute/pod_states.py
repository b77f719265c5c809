"""The state of a pod in words: why it does not run yet, and how it ended.

Belongs here: reading a pod's status. Does not: asking the API server for it (kubernetes_pods).
"""

from typing import Any

from bioinstruct_dagster.models.compute.launcher import Ended
from bioinstruct_dagster.settings.compute import ComputeSettings

_KILLED = 137  # exit status of a process that was ended by SIGKILL


def waiting(pod: Any) -> tuple[str, str]:
    """Why the container does not run yet, and details; empty if it runs or has ended."""
    for status in pod.status.container_statuses or []:
        if status.state.waiting:
            return status.state.waiting.reason or "Waiting", status.state.waiting.message or ""
        return "", ""
    for condition in pod.status.conditions or []:
        if condition.type == "PodScheduled" and condition.status == "False":
            return condition.reason or "Unschedulable", condition.message or ""
    return ("Pending", "") if pod.status.phase == "Pending" else ("", "")


def fault_of(pod: Any, settings: ComputeSettings) -> Ended:
    """Why a pod that failed did so; with advice if the process itself is not at fault."""
    name = pod.metadata.name
    ends = [
        status.state.terminated
        for status in pod.status.container_statuses or []
        if status.state.terminated
    ]
    if any(end.reason == "OOMKilled" for end in ends):
        return Ended(
            f"Pod {name} was killed because it used more than {settings.memory} GiB of memory. "
            "Raise BIOINSTRUCT_COMPUTE_MEMORY, train with fewer tokens at once, or take a smaller "
            "base model. The step's log holds the memory estimate.",
            explained=True,
        )
    if pod.status.reason:  # Evicted, Preempting, NodeLost, …: not the process's own doing
        return Ended(
            f"Pod {name} was ended by the cluster ({pod.status.reason}): "
            f"{pod.status.message or 'no more is known'}. Run the step again.",
            explained=True,
        )
    status = ends[0].exit_code if ends else None
    if status == _KILLED:
        return Ended(
            f"The process of pod {name} was killed (SIGKILL), most often because memory was full. "
            "Raise BIOINSTRUCT_COMPUTE_MEMORY, or train with fewer tokens at once.",
            explained=True,
        )
    return Ended(f"The model process in pod {name} failed with exit status {status}.")
