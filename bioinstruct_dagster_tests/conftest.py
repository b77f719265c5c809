"""Fixtures that every stage's tests share: an environment of its own, settings, a store."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

# Small enough for a test, and still the real chain: a Llama pre-trained for a few steps, two recipes.
TINY_EXPERIMENTS = """
base_models:
  rehearsal-llama:
    source: rehearsal
    pretraining_steps: 3
    training: {learning_rate: 4.0e-3, epochs: 0.2, batch_size: 4, accumulation: 1}
recipes:
  all: {categories: [information_extraction, question_answering, generation, other]}
  information_extraction: {categories: [information_extraction]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, batch_size: 4, accumulation: 1, warmup: 0.03, max_length: 256}
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No setting of the developer's shell reaches a test, and no test reaches the developer's data."""
    for name in list(os.environ):
        if name.startswith(("BIOINSTRUCT_", "OPENAI_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    yield


@pytest.fixture
def experiments(tmp_path: Path) -> Path:
    """An experiment file with a base model that is built in seconds."""
    path = tmp_path / "experiments.yaml"
    path.write_text(TINY_EXPERIMENTS, "utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path, experiments: Path) -> Settings:
    """Settings of a small rehearsal whose outputs go to the test's folder."""
    return Settings(_env_file=None, data_dir=tmp_path / "data", experiments=experiments, requests=12)


@pytest.fixture
def store(settings: Settings) -> Store:
    """An empty store."""
    return Store(settings.store_path, timeout=10.0)
