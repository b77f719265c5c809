"""The tags and the Dagster pool of steps that use a GPU."""

from typing import Any

# On Kubernetes, dagster-k8s runs a step with these tags on a GPU node. Elsewhere the tags have no
# effect.
GPU_TAGS = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
}

# An installation whose daemon always runs may limit this pool, and steps wait for a place in a
# queue. The shipped instance does not: a run killed by SIGKILL keeps its place. Model processes of
# one machine wait for its GPU by themselves (models.process.turns).
GPU_POOL = "gpu"


def gpu_tags(where: str) -> dict[str, Any]:
    """The tags of a step that uses a GPU.

    Args:
        where: the setting BIOINSTRUCT_COMPUTE. If the model process has a machine of its own, the
            step itself only waits for it, and needs no GPU.
    """
    return GPU_TAGS if where == "local" else {}
