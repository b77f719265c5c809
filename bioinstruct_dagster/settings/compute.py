"""The settings of where training and evaluation run: on this machine, in a pod, or as a Ray job.

Belongs here: the machine of the model process, and what it is given. Does not: what is trained
(`data/experiments.yaml`), or the cluster of the novelty gate (curation).
"""

import re
from typing import Any, Literal

from pydantic import ValidationInfo, field_validator

from bioinstruct_dagster.settings.fields import SettingsGroup, setting

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.IGNORECASE)
# Protocols of fsspec that write and read files from several machines. HTTP only reads.
_WRITTEN = (
    "file",
    "s3",
    "s3a",
    "gs",
    "gcs",
    "az",
    "abfs",
    "abfss",
    "hdfs",
    "webhdfs",
    "sftp",
    "smb",
)
_KUBERNETES_NAME = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$"


class ComputeSettings(SettingsGroup):
    """Where training and evaluation run."""

    where: Literal["local", "kubernetes", "ray"] = setting(
        "local",
        "BIOINSTRUCT_COMPUTE",
        "Where the model process runs: on the machine of Dagster, in a Kubernetes pod (needs the "
        "extra `kubernetes`), or as a job of a Ray cluster (needs the extra `ray`). "
        "`deploy/README.md` says when to use which.",
    )
    exchange_url: str = setting(
        "",
        "BIOINSTRUCT_EXCHANGE_URL",
        "A folder that the machine of Dagster and the machine that trains both reach, such as "
        "`s3://bucket/bioinstruct`. Data sets go there, and adapters come back. `kubernetes` and "
        "`ray` need it.",
        unit="URL of file://, s3:// or gs://",
        empty="`local` uses the data folder itself",
        validate_default=True,
    )
    gpus: int = setting(
        1,
        "BIOINSTRUCT_COMPUTE_GPUS",
        "How many GPUs a pod or a Ray job asks for.",
        unit="GPUs",
        ge=0,
        le=64,
    )
    cpus: int = setting(
        4,
        "BIOINSTRUCT_COMPUTE_CPUS",
        "How many processors a pod or a Ray job asks for.",
        unit="processors",
        ge=1,
        le=1_024,
    )
    memory: int = setting(
        32,
        "BIOINSTRUCT_COMPUTE_MEMORY",
        "How much memory a pod or a Ray job asks for. A pod that uses more is killed.",
        unit="GiB",
        ge=1,
        le=65_536,
    )
    environment: str = setting(
        "",
        "BIOINSTRUCT_COMPUTE_ENV",
        "Environment variables of this machine that a pod or a Ray job gets too. Not for secrets, "
        "because the values stand in the pod's specification.",
        unit="names, with commas between them",
        empty="none",
    )
    image: str = setting(
        "",
        "BIOINSTRUCT_KUBERNETES_IMAGE",
        "The image of the pod, as `deploy/Dockerfile` builds it. `kubernetes` needs it.",
        unit="image name",
        empty="none",
        validate_default=True,
    )
    namespace: str = setting(
        "default",
        "BIOINSTRUCT_KUBERNETES_NAMESPACE",
        "The namespace of the pod.",
        unit="name",
        pattern=_KUBERNETES_NAME,
        min_length=1,
    )
    service_account: str = setting(
        "",
        "BIOINSTRUCT_KUBERNETES_SERVICE_ACCOUNT",
        "The service account of the pod, such as one that may write to the exchange.",
        unit="name",
        empty="the namespace's own",
        pattern=_KUBERNETES_NAME,
    )
    secret: str = setting(
        "",
        "BIOINSTRUCT_KUBERNETES_SECRET",
        "A Secret whose keys become environment variables of the pod, such as `HF_TOKEN`.",
        unit="name",
        empty="none",
        pattern=_KUBERNETES_NAME,
    )
    volume: str = setting(
        "",
        "BIOINSTRUCT_KUBERNETES_VOLUME",
        "A PersistentVolumeClaim for base models and checkpoints, so that a pod goes on where an "
        "earlier one was ended.",
        unit="name",
        empty="the pod's own disk, which ends with it",
        pattern=_KUBERNETES_NAME,
    )
    nodes: str = setting(
        "",
        "BIOINSTRUCT_KUBERNETES_NODES",
        "Labels of the nodes on which the pod may run.",
        unit="label=value, with commas between them",
        empty="any node with the GPUs",
    )
    gpu_resource: str = setting(
        "nvidia.com/gpu",
        "BIOINSTRUCT_KUBERNETES_GPU_RESOURCE",
        "What the cluster calls its GPUs.",
        unit="resource name",
        pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$",
    )
    ray_jobs: str = setting(
        "",
        "BIOINSTRUCT_RAY_JOBS",
        "The job server of a Ray cluster, such as `http://head:8265`. `ray` needs it.",
        unit="URL",
        empty="none",
        validate_default=True,
    )

    @property
    def variables(self) -> list[str]:
        """The names in `environment`."""
        return [name.strip() for name in self.environment.split(",") if name.strip()]

    @property
    def node_labels(self) -> dict[str, str]:
        """The labels in `nodes`."""
        pairs = (part.partition("=") for part in self.nodes.split(",") if part.strip())
        return {label.strip(): value.strip() for label, _, value in pairs}

    @field_validator("exchange_url")
    @classmethod
    def _both_reach_it(cls, url: str, info: ValidationInfo) -> str:
        where = info.data.get("where", "local")
        if not url:
            if where != "local":
                raise ValueError(
                    f"is not set, but BIOINSTRUCT_COMPUTE={where} needs it. Name a folder that "
                    "both sides reach, such as s3://bucket/bioinstruct"
                )
            return url
        protocol, found, place = url.partition("://")
        if not found or not place or not re.fullmatch("[a-z][a-z0-9+]*", protocol):
            raise ValueError("is no URL; write file:///folder, s3://bucket/folder or the like")
        if protocol == "memory":
            raise ValueError("memory:// is seen by one process alone; name file://, s3:// or gs://")
        if re.match(r"[^/@]*:[^/@]*@", place):
            raise ValueError(
                "holds a password, which would stand in the pod's specification. Give it to both "
                "sides in the way that the storage's library reads by itself"
            )
        if protocol not in _WRITTEN:
            known = ", ".join(f"{name}://" for name in _WRITTEN)
            raise ValueError(
                f"begins with {protocol}://, to which no adapter can be written. Name a URL that "
                f"begins with one of these: {known}"
            )
        return url

    @field_validator("environment")
    @classmethod
    def _no_secrets(cls, names: str) -> str:
        for name in filter(None, map(str.strip, names.split(","))):
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is no name of an environment variable")
            if _SECRET.search(name):
                raise ValueError(
                    f"{name} looks like a secret, and its value would stand in the pod's "
                    "specification. Put it into the Secret that BIOINSTRUCT_KUBERNETES_SECRET "
                    "names, or into the environment of the Ray nodes"
                )
        return names

    @field_validator("nodes")
    @classmethod
    def _labels(cls, nodes: str) -> str:
        for part in filter(None, map(str.strip, nodes.split(","))):
            if not re.fullmatch(r"[A-Za-z0-9._/-]+=[A-Za-z0-9._-]*", part):
                raise ValueError(f"{part!r} is not of the form label=value")
        return nodes

    @field_validator("image", "ray_jobs")
    @classmethod
    def _needed(cls, value: str, info: ValidationInfo) -> Any:
        where = info.data.get("where", "local")
        needs = {"image": "kubernetes", "ray_jobs": "ray"}[str(info.field_name)]
        if not value and where == needs:
            raise ValueError(f"is not set, but BIOINSTRUCT_COMPUTE={where} needs it")
        if value and needs == "ray" and not re.match("https?://[^/@]+$", value.rstrip("/")):
            raise ValueError("is no address; write http://host:8265")
        return value
