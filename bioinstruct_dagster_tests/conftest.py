"""Fixtures for the tests of all stages: a clean environment, settings, a store, an adapter."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from bioinstruct_dagster.dataset.build import BuiltDataset, build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.models.base_models import LoadedBaseModel, load
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.settings import PROJECT_ROOT, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.train import train

# Small enough for a test, and still the real chain: a Llama pre-trained for a few steps, two
# recipes.
TINY_EXPERIMENTS = """
base_models:
  rehearsal-llama:
    source: rehearsal
    pretraining_steps: 3
    training: {learning_rate: 4.0e-3, epochs: 0.2, rows_per_update: 4}
recipes:
  all: {categories: [information_extraction, question_answering, generation, other]}
  information_extraction: {categories: [information_extraction]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, rows_per_update: 4, warmup: 0.03,
           max_length: 512}
"""


GROUP = pytest.StashKey[str]()

CHAIN = [
    "seed_tasks",
    "raw_instructions",
    "deduplicated_instructions",
    "categorized_instructions",
    "hf_dataset",
    "lora_adapter",
    "eval_scores",
]
# Between the labels and the data set; the second has no row until a person has judged one.
REVIEW = ["review_sample", "review_results"]


# Of two workers, neither is left alone with a long file: the longest begin.
LONGEST = [
    "test_chain.py", "models", "test_ui.py", "test_cli.py", "test_sensors.py", "test_secrets.py",
    "test_goal.py", "test_sharded.py", "curation/test_assets.py", "generation/test_assets.py",
]  # fmt: skip
# Files with a test that needs one of these stand together, because making them takes long.
MODEL_FIXTURES = {"built_dataset", "training_spec", "tiny_base", "adapter"}
# Seconds of the epoch after which no slow test begins; .ci/run sets it to keep to its time.
SLOW_UNTIL = "SLOW_TESTS_UNTIL"


def pytest_configure() -> None:
    """Listen to Ctrl-C, also where a shell started the tests in the background.

    A shell ignores SIGINT in what it starts there. Children would inherit that, and Dagster copies
    what SIGINT does to SIGTERM, so nothing that a test cancels would end.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; `make test` gives each file's tests to one worker."""
    with_models = {
        item.path for item in items if MODEL_FIXTURES & set(getattr(item, "fixturenames", ()))
    }
    for item in items:
        group = "models" if item.path in with_models else item.path.as_posix()
        item.stash[GROUP] = group
    items.sort(key=lambda item: _turn(item.stash[GROUP]))


def _turn(group: str) -> int:
    return next((n for n, name in enumerate(LONGEST) if group.endswith(name)), len(LONGEST))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out slow tests that would begin too late, and say so."""
    until = os.environ.get(SLOW_UNTIL)
    if until and item.get_closest_marker("slow") and time.time() > float(until):
        pytest.skip(f"no time was left for {item.name}; `make test-slow` runs it")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the developer's shell reaches a test, and no test reaches the developer's
    data.
    """
    for name in list(os.environ):
        if name.startswith(("BIOINSTRUCT_", "OPENAI_", "DAGSTER_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.fixture(scope="session")
def declared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without rows, made once: executing the declaration takes a tenth of a second."""
    path = tmp_path_factory.mktemp("declared") / "bioinstruct.duckdb"
    Store(path).replace({})
    return path


@pytest.fixture(autouse=True)
def copied_declaration(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, declared_store: Path
) -> None:
    """A test's new store is a copy of the declared one, but for the tests of the store itself."""
    if request.path.parent.name != "store":
        monkeypatch.setattr(Store, "_create", lambda store: shutil.copy(declared_store, store.path))


@pytest.fixture
def experiments(tmp_path: Path) -> Path:
    """An experiment file with a base model that is quick to build."""
    path = tmp_path / "experiments.yaml"
    path.write_text(TINY_EXPERIMENTS, "utf-8")
    return path


@pytest.fixture
def settings(tmp_path: Path, experiments: Path) -> Settings:
    """Settings of a small rehearsal whose outputs go to the test's folder."""
    return Settings.of(data_dir=tmp_path / "data", experiments=experiments, requests=12)


@pytest.fixture
def environment(tmp_path: Path, experiments: Path) -> dict[str, str]:
    """A user's shell: an instance by the project's own dagster.yaml, and a data folder."""
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(PROJECT_ROOT / ".dagster_home" / "dagster.yaml", home)
    return {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "BIOINSTRUCT_DATA_DIR": str(tmp_path / "data"),
        "BIOINSTRUCT_EXPERIMENTS": str(experiments),
        "BIOINSTRUCT_REQUESTS": "12",
    }


def store_of(environment: dict[str, str]) -> Store:
    """The store that commands in this environment write to."""
    return Store(Path(environment["BIOINSTRUCT_DATA_DIR"]) / "bioinstruct.duckdb", timeout=30)


@pytest.fixture
def store(settings: Settings) -> Store:
    """An empty store."""
    return Store(settings.store.path, timeout=10.0)


# Properties are checked by what they find, never by how long an example took on a busy machine.
hypothesis.settings.register_profile("bioinstruct", deadline=None, print_blob=True)
hypothesis.settings.load_profile("bioinstruct")


@pytest.fixture
def start_python() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start Python processes from source text. Processes that still run at the end are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str, *arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", source, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


# A data set, a base model and an adapter, made once: 60 recorded tasks, three pre-training steps.


@pytest.fixture(scope="session")
def hugging_face(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hugging Face's caches in a folder of the session, because session fixtures use them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
        import datasets

        datasets.disable_progress_bars()
        yield


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Torch on one thread, because a tiny model gains nothing from a second one."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def one_blas_thread() -> Iterator[None]:
    """scikit-learn on one thread, because it spins while it waits for a second one."""
    import sklearn.linear_model  # noqa: F401  # loads the libraries that are limited
    import threadpoolctl

    with threadpoolctl.threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def dataset_rows() -> list[dict[str, Any]]:
    """60 rows from the recordings, as `hf_dataset` is built from. Each split has some."""
    tasks = [
        (task, category)
        for recording in read_recordings()
        for task, category in zip(
            read_reply(recording.content, recording.finish_reason, recording.refusal).tasks,
            recording.categories,
            strict=False,
        )
    ][:60]
    return [
        {
            "row_id": f"row-{number:02d}",
            **task,
            "category": category,
            "labelled_by": "teacher:rehearsal-teacher",
            "source": "completion",
            "completion_id": f"completion-{number // 5}",
            "rehearsal": True,
        }
        for number, (task, category) in enumerate(tasks)
    ]


@pytest.fixture(scope="session")
def built_dataset(
    dataset_rows: list[dict[str, Any]],
    hugging_face: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> BuiltDataset:
    """The rows as a folder that `datasets.load_dataset` opens."""
    card = Card(teacher="rehearsal", template="test/1", seeds_fingerprint="none")
    return build_dataset(dataset_rows, tmp_path_factory.mktemp("dataset") / "hf_dataset", card)


@pytest.fixture(scope="session")
def training_spec(
    built_dataset: BuiltDataset, one_thread: None, tmp_path_factory: pytest.TempPathFactory
) -> TrainingSpec:
    """The experiment `rehearsal-llama|all` on those rows, untrained."""
    folder = tmp_path_factory.mktemp("training")
    (folder / "experiments.yaml").write_text(TINY_EXPERIMENTS, "utf-8")
    matrix = read_experiments(folder / "experiments.yaml")
    return TrainingSpec(
        experiment="rehearsal-llama|all",
        base=matrix.base_models["rehearsal-llama"],
        recipe=matrix.recipe("rehearsal-llama", "all"),
        dataset_path=str(built_dataset.path),
        dataset_fingerprint=built_dataset.fingerprint,
        dataset_rehearsal=True,
        seed=42,
        models_dir=str(folder / "models"),
        adapters_dir=str(folder / "adapters"),
    )


@pytest.fixture(scope="session")
def tiny_base(training_spec: TrainingSpec) -> LoadedBaseModel:
    """The experiment's base model in memory. Do not change it; peft changes a model in place."""
    return load(training_spec.base, Path(training_spec.models_dir), lambda _: None)


@pytest.fixture(scope="session")
def adapter(training_spec: TrainingSpec, tiny_base: LoadedBaseModel) -> dict[str, Any]:
    """The experiment's adapter, trained: the result that `train` returned."""
    return train(training_spec, lambda _: None)


@pytest.fixture(scope="session")
def experiments_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same experiment file as `experiments`, for fixtures that live longer than one test."""
    path = tmp_path_factory.mktemp("experiments") / "experiments.yaml"
    path.write_text(TINY_EXPERIMENTS, "utf-8")
    return path
