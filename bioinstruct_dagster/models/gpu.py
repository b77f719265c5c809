"""The tags and the pool of steps that need a GPU."""

# Routes the step to a GPU node under dagster-k8s's executor; without Kubernetes it has no effect.
GPU_TAGS = {
    "dagster-k8s/config": {"container_config": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
}

# A fair queue for a GPU, where the instance gives the pool a limit. No correctness rests on it.
GPU_POOL = "gpu"
