"""The choice of a launcher, and what is refused before a run."""

import importlib.util

import pytest

from bioinstruct_dagster.models.compute.choice import launchers
from bioinstruct_dagster.models.compute.kubernetes_pods import KubernetesLauncher
from bioinstruct_dagster.models.compute.launcher import ModelProcessError
from bioinstruct_dagster.models.compute.local import LocalLauncher
from bioinstruct_dagster.models.compute.ray_jobs import RayLauncher
from bioinstruct_dagster.models.compute.travelling import TravellingLauncher
from bioinstruct_dagster.settings import Settings

EXCHANGE = {"exchange_url": "file:///mnt/exchange"}
KUBERNETES = {"compute": "kubernetes", "kubernetes_image": "image", **EXCHANGE}
RAY = {"compute": "ray", "ray_jobs": "http://127.0.0.1:8265", **EXCHANGE}


@pytest.fixture
def all_installed(monkeypatch):
    found = importlib.util.find_spec("json")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: found)


@pytest.mark.parametrize(
    ("values", "inner"),
    [
        (EXCHANGE, LocalLauncher),
        (KUBERNETES, KubernetesLauncher),
        (RAY, RayLauncher),
    ],
)
def test_with_an_exchange_the_specification_travels(all_installed, values, inner):
    launcher = launchers(Settings.of(**values).compute)()
    assert isinstance(launcher, TravellingLauncher)
    assert isinstance(launcher._launcher, inner)
    assert launcher.same_machine is (inner is LocalLauncher)


def test_without_an_exchange_a_local_process_uses_the_data_folder():
    assert isinstance(launchers(Settings().compute)(), LocalLauncher)


@pytest.mark.parametrize(("values", "extra"), [(KUBERNETES, "kubernetes"), (RAY, "ray")])
def test_a_missing_library_is_named_when_the_project_loads(monkeypatch, values, extra):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelProcessError, match=rf"pip install 'bioinstruct-dagster\[{extra}\]'"):
        launchers(Settings.of(**values).compute)
