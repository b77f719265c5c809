"""The pod's specification, checked by the Kubernetes models and by what a cluster may refuse."""

import json
import re
from dataclasses import replace

import pytest
from dagster_k8s.models import k8s_model_from_dict
from kubernetes import client

from bioinstruct_dagster.models.compute.launcher import Order
from bioinstruct_dagster.models.compute.pod import pod_of
from bioinstruct_dagster.settings import Settings

NEVER_WRITTEN = "hf_never_in_a_specification"
ORDER = Order(
    module="bioinstruct_dagster.training",
    spec="s3://bucket/bioinstruct/runs/r/1/parcel.json",
    step="Lora_Adapter",
    run_id="6674cde5-bece-4bc3-ad19-83e78e0407e4",
    environment={"DAGSTER_PIPES_CONTEXT": "c", "DAGSTER_PIPES_MESSAGES": "m"},
    log=print,
)


def settings(**values):
    given = {
        "compute": "kubernetes",
        "exchange_url": "s3://bucket/bioinstruct",
        "kubernetes_image": "registry/image:1",
        **values,
    }
    return Settings.of(**given).compute


def as_sent(pod) -> dict:
    """The pod as the client sends it to the server."""
    return client.ApiClient().sanitize_for_serialization(pod)


def full_pod() -> dict:
    return as_sent(
        pod_of(
            ORDER,
            settings(
                kubernetes_namespace="training",
                kubernetes_service_account="trainer",
                kubernetes_secret="keys",
                kubernetes_volume="cache",
                kubernetes_nodes="cloud.google.com/gke-accelerator=nvidia-h100-80gb, zone=a",
                compute_gpus=2,
                compute_cpus=16,
                compute_memory=128,
            ),
        )
    )


def test_every_field_is_one_of_the_kubernetes_models():
    # It refuses a name that the model does not have, at every depth.
    pod = full_pod()
    model = k8s_model_from_dict(client.V1PodSpec, _snake(pod["spec"]))
    assert client.ApiClient().sanitize_for_serialization(model) == pod["spec"]
    broken = _snake(pod["spec"])
    broken["containers"][0]["imagine"] = "?"
    with pytest.raises(Exception, match="imagine"):
        k8s_model_from_dict(client.V1PodSpec, broken)


def _snake(value):
    if isinstance(value, list):
        return [_snake(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    # Names of labels and resources are values of the user, not fields.
    return {
        re.sub("(?<=[a-z])([A-Z])", r"_\1", name).lower() if "/" not in name else name: (
            inner if name in {"limits", "requests", "nodeSelector"} else _snake(inner)
        )
        for name, inner in value.items()
    }


def test_the_pod_asks_for_its_gpus_on_the_chosen_nodes():
    spec = full_pod()["spec"]
    (container,) = spec["containers"]
    asked = {"cpu": "16", "memory": "128Gi", "nvidia.com/gpu": "2"}
    assert container["resources"] == {"limits": asked, "requests": asked}
    assert spec["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert spec["nodeSelector"] == {
        "cloud.google.com/gke-accelerator": "nvidia-h100-80gb",
        "zone": "a",
    }
    assert spec["serviceAccountName"] == "trainer"
    assert container["args"] == ["bioinstruct_dagster.training", ORDER.spec]
    assert {"name": "DAGSTER_PIPES_CONTEXT", "value": "c"} in container["env"]


def test_a_pod_without_gpus_runs_on_any_node():
    spec = as_sent(pod_of(ORDER, settings(compute_gpus=0)))["spec"]
    assert "tolerations" not in spec
    assert set(spec["containers"][0]["resources"]["limits"]) == {"cpu", "memory"}


def test_secrets_are_named_and_never_written(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", NEVER_WRITTEN)
    monkeypatch.setenv("NCCL_DEBUG", "INFO")
    given = settings(kubernetes_secret="keys", compute_env="NCCL_DEBUG,NOT_SET_HERE")
    pod = as_sent(pod_of(ORDER, given))
    container = pod["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert {"name": "NCCL_DEBUG", "value": "INFO"} in container["env"]
    assert "NOT_SET_HERE" not in json.dumps(pod)
    assert NEVER_WRITTEN not in json.dumps(pod)


def test_the_pod_runs_once_and_without_rights():
    spec = full_pod()["spec"]
    assert spec["restartPolicy"] == "Never"
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    claims = [v["persistentVolumeClaim"] for v in spec["volumes"] if v["name"] == "data"]
    assert claims == [{"claimName": "cache"}]


@pytest.mark.parametrize("step", ["Lora_Adapter", "eval_scores", "x" * 200, "_"])
def test_the_names_are_allowed_and_belong_to_one_work(step):
    order = replace(ORDER, step=step)
    pod = as_sent(pod_of(order, settings()))
    name = pod["metadata"]["name"]
    assert re.fullmatch("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name)
    assert all(len(value) <= 63 for value in pod["metadata"]["labels"].values())
    assert replace(order, spec="another", environment={}).work == name
    assert replace(order, run_id="another").work != name
