"""The tags and the Dagster pool of steps that use a GPU."""

from typing import Any

# On Kubernetes, dagster-k8s runs a step with these tags on a GPU node. Elsewhere the tags have no
# effect.
GPU_TAGS = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
}

# If the Dagster instance limits this pool, steps wait for the GPU in a queue. Do not rely on the
# pool for correctness: a run killed by SIGKILL never releases its slot.
GPU_POOL = "gpu"


def gpu_tags(where: str) -> dict[str, Any]:
    """The tags of a step that uses a GPU.

    Args:
        where: the setting BIOINSTRUCT_COMPUTE. If the model process has a machine of its own, the
            step itself only waits for it, and needs no GPU.
    """
    return GPU_TAGS if where == "local" else {}
