"""The settings of where training runs: what is missing or wrong is said when the project loads."""

import pytest

from bioinstruct_dagster.settings import Settings, SettingsError, load_settings

KUBERNETES = {
    "BIOINSTRUCT_COMPUTE": "kubernetes",
    "BIOINSTRUCT_EXCHANGE_URL": "s3://bucket/bioinstruct",
    "BIOINSTRUCT_KUBERNETES_IMAGE": "registry/image:1",
}
RAY = {
    "BIOINSTRUCT_COMPUTE": "ray",
    "BIOINSTRUCT_EXCHANGE_URL": "s3://bucket/bioinstruct",
    "BIOINSTRUCT_RAY_JOBS": "http://head:8265",
}


def loaded(monkeypatch, values):
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return load_settings(None).compute


@pytest.mark.parametrize("values", [{}, KUBERNETES, RAY])
def test_what_is_needed_is_enough(monkeypatch, values):
    compute = loaded(monkeypatch, values)
    assert compute.where == values.get("BIOINSTRUCT_COMPUTE", "local")


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        (KUBERNETES, "BIOINSTRUCT_EXCHANGE_URL"),
        (KUBERNETES, "BIOINSTRUCT_KUBERNETES_IMAGE"),
        (RAY, "BIOINSTRUCT_EXCHANGE_URL"),
        (RAY, "BIOINSTRUCT_RAY_JOBS"),
    ],
)
def test_a_missing_setting_is_named(monkeypatch, values, missing):
    without = {name: value for name, value in values.items() if name != missing}
    where = values["BIOINSTRUCT_COMPUTE"]
    with pytest.raises(SettingsError, match=rf"{missing}: .*BIOINSTRUCT_COMPUTE={where} needs it"):
        loaded(monkeypatch, without)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("BIOINSTRUCT_COMPUTE", "slurm", "'local', 'kubernetes' or 'ray'"),
        ("BIOINSTRUCT_EXCHANGE_URL", "/mnt/exchange", "is no URL"),
        ("BIOINSTRUCT_EXCHANGE_URL", "memory://exchange", "seen by one process alone"),
        ("BIOINSTRUCT_EXCHANGE_URL", "ftp://me:word@host/exchange", "holds a password"),
        ("BIOINSTRUCT_EXCHANGE_URL", "http://x", "begins with http://.*these: file://, s3://"),
        ("BIOINSTRUCT_EXCHANGE_URL", "https://x/y", "begins with https://"),
        ("BIOINSTRUCT_EXCHANGE_URL", "github://org:repo@main/", "begins with github|password"),
        ("BIOINSTRUCT_EXCHANGE_URL", "zip://a", "begins with zip://"),
        ("BIOINSTRUCT_COMPUTE_ENV", "NCCL_DEBUG,HF_TOKEN", "HF_TOKEN looks like a secret"),
        ("BIOINSTRUCT_COMPUTE_ENV", "AWS_SECRET_ACCESS_KEY", "looks like a secret"),
        ("BIOINSTRUCT_COMPUTE_ENV", "A=1", "no name of an environment variable"),
        ("BIOINSTRUCT_KUBERNETES_NODES", "gpu", "not of the form label=value"),
        ("BIOINSTRUCT_KUBERNETES_NAMESPACE", "Training", "pattern"),
        ("BIOINSTRUCT_RAY_JOBS", "head:8265", "http://host:8265"),
        ("BIOINSTRUCT_COMPUTE_GPUS", "-1", "greater than or equal to 0"),
    ],
)
def test_a_wrong_value_is_refused_without_repeating_it(monkeypatch, variable, value, words):
    with pytest.raises(SettingsError, match=words) as refused:
        loaded(monkeypatch, {variable: value})
    assert variable in str(refused.value)
    assert "me:word" not in str(refused.value)


def test_lists_are_read_as_they_are_written():
    compute = Settings.of(
        compute_env="NCCL_DEBUG, HF_HUB_OFFLINE,", kubernetes_nodes="zone=a, gpu=h100"
    ).compute
    assert compute.variables == ["NCCL_DEBUG", "HF_HUB_OFFLINE"]
    assert compute.node_labels == {"zone": "a", "gpu": "h100"}
