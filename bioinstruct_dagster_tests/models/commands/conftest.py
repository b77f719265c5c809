"""Settings whose folder of outputs holds the session's adapter."""

import shutil
from pathlib import Path

import pytest

from bioinstruct_dagster.models.commands.found_adapter import find_adapter
from bioinstruct_dagster.settings import Settings

EXPERIMENT = "rehearsal-llama|all"


@pytest.fixture
def trained(training_spec, adapter) -> Settings:
    """The settings with which the session's adapter was trained. Do not change its folder."""
    folder = Path(training_spec.adapters_dir).parent
    return Settings.of(data_dir=folder, experiments=folder / "experiments.yaml")


@pytest.fixture
def copied(trained, tmp_path) -> Settings:
    """The same with a copy of the adapters that the test may change."""
    data = tmp_path / "copied"
    shutil.copytree(trained.store.data_dir / "adapters", data / "adapters")
    (data / "models").symlink_to(trained.store.data_dir / "models")
    return Settings.of(data_dir=data, experiments=trained.models.experiments)


@pytest.fixture
def opened(trained):
    """The adapter on a base model of its own."""
    return find_adapter(trained, EXPERIMENT).open(lambda _: None)
