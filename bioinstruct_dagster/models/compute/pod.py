"""The specification of the pod that runs the model process.

Belongs here: a pod as a function of settings and an order. Does not: starting it (kubernetes_pods).
"""

import os
from typing import Any

from bioinstruct_dagster.models.compute.launcher import Order
from bioinstruct_dagster.settings.compute import ComputeSettings

CONTAINER = "model-process"
DATA = "/data"  # of the image: base models, checkpoints, and what was fetched
_USER = 1000  # of the image
SECONDS_TO_END = 30


def pod_of(order: Order, settings: ComputeSettings) -> Any:
    """The pod, as a model of the Kubernetes client. It is never started a second time."""
    from kubernetes import client

    resources = {"cpu": str(settings.cpus), "memory": f"{settings.memory}Gi"}
    tolerations = []
    if settings.gpus:
        resources[settings.gpu_resource] = str(settings.gpus)
        # Clusters mark their GPU nodes with this taint, so that other pods stay away.
        tolerations.append(
            client.V1Toleration(key=settings.gpu_resource, operator="Exists", effect="NoSchedule")
        )
    variables = {
        "BIOINSTRUCT_DATA_DIR": DATA,
        "HF_HOME": f"{DATA}/hf",
        "PYTHONUNBUFFERED": "1",
        **{name: os.environ[name] for name in settings.variables if name in os.environ},
        **order.environment,
    }
    container = client.V1Container(
        name=CONTAINER,
        image=settings.image,
        args=[order.module, order.spec],  # the image's entry point is `python -m`
        env=[client.V1EnvVar(name=name, value=value) for name, value in variables.items()],
        env_from=[client.V1EnvFromSource(secret_ref=client.V1SecretEnvSource(name=settings.secret))]
        if settings.secret
        else None,
        resources=client.V1ResourceRequirements(requests=resources, limits=resources),
        security_context=client.V1SecurityContext(
            allow_privilege_escalation=False,
            capabilities=client.V1Capabilities(drop=["ALL"]),
        ),
        volume_mounts=[
            client.V1VolumeMount(name="data", mount_path=DATA),
            client.V1VolumeMount(name="shared-memory", mount_path="/dev/shm"),  # noqa: S108
        ],
    )
    return client.V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=client.V1ObjectMeta(
            name=order.work,
            namespace=settings.namespace,
            labels={
                "app.kubernetes.io/managed-by": "bioinstruct-dagster",
                "dagster/run-id": order.run_id,
            },
            annotations={
                # A training that is moved to another node begins again, so autoscalers let it be.
                "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
            },
        ),
        spec=client.V1PodSpec(
            restart_policy="Never",
            service_account_name=settings.service_account or None,
            termination_grace_period_seconds=SECONDS_TO_END,
            containers=[container],
            tolerations=tolerations or None,
            node_selector=settings.node_labels or None,
            security_context=client.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=_USER,
                fs_group=_USER,
                seccomp_profile=client.V1SeccompProfile(type="RuntimeDefault"),
            ),
            volumes=[_data_volume(settings), _shared_memory()],
        ),
    )


def _data_volume(settings: ComputeSettings) -> Any:
    from kubernetes import client

    if not settings.volume:
        return client.V1Volume(name="data", empty_dir=client.V1EmptyDirVolumeSource())
    claim = client.V1PersistentVolumeClaimVolumeSource(claim_name=settings.volume)
    return client.V1Volume(name="data", persistent_volume_claim=claim)


def _shared_memory() -> Any:
    """Room for NCCL, which needs more than a container's 64 MiB between several GPUs."""
    from kubernetes import client

    memory = client.V1EmptyDirVolumeSource(medium="Memory", size_limit="8Gi")
    return client.V1Volume(name="shared-memory", empty_dir=memory)
