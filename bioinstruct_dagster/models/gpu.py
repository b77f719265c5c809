"""The tags and the Dagster pool of steps that use a GPU."""

# On Kubernetes, dagster-k8s runs a step with these tags on a GPU node. Elsewhere the tags have no
# effect.
GPU_TAGS = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
}

# If the Dagster instance limits this pool, steps wait for the GPU in a queue. Do not rely on the
# pool for correctness: a run killed by SIGKILL never releases its slot.
GPU_POOL = "gpu"
