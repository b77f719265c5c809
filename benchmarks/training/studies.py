"""Two measures of whole runs: eight experiments in one run, and the training part of the demo.

Both train the embedded base model on the data set that `make demo` makes. Belongs here: the
specifications, and the commands that train them. Does not: single modes of training (measures).
"""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.training.runs import RunError, Session, Usage
from bioinstruct_dagster.settings import PROJECT_ROOT, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.training.spec import TrainingSpec, training_spec

EXPERIMENTS = 8
BASE_MODEL, RECIPE = "rehearsal-llama", "all"
DEMO_RECIPES = ("all", "information_extraction")
BEFORE = "2e44866"  # the last commit with transformers' Trainer
_DATA_SET = (
    "seed_tasks",
    "raw_instructions",
    "deduplicated_instructions",
    "categorized_instructions",
    "hf_dataset",
)
_BUILD_BASE = """
import sys
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.experiments import BaseModelSpec
from pathlib import Path
spec = BaseModelSpec.model_validate_json(sys.argv[1])
base_models.load(spec, Path(sys.argv[2]), print)
"""
# Writes the specifications of an older revision, by that revision's own code.
_OLD_SPECS = """
import sys
from pathlib import Path
from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.training.spec import training_spec
folder, data, fingerprint, *recipes = sys.argv[1:]
settings = Settings.of(data_dir=Path(folder))
matrix = read_experiments(Path("data/experiments.yaml"))
version = DatasetVersion(Path(data), fingerprint, True)
for recipe in recipes:
    spec = training_spec(matrix, "rehearsal-llama", recipe, version, settings)
    (Path(folder) / f"{recipe}.json").write_text(spec.to_json(), "utf-8")
"""


@dataclass(frozen=True)
class Prepared:
    """The demo's data set, and the specification of each experiment of the demo."""

    settings: Settings
    path: Path
    fingerprint: str
    specs: Mapping[str, TrainingSpec]


def prepare(session: Session) -> Prepared:
    """Make the demo's data set with the embedded teacher, and build the embedded base model."""
    from bioinstruct_dagster.models.current_dataset import current_dataset
    from bioinstruct_dagster.models.experiments import read_experiments

    folder = session.folder / "demo"
    (folder / "dagster").mkdir(parents=True, exist_ok=True)
    environment = {"BIOINSTRUCT_DATA_DIR": str(folder), "DAGSTER_HOME": str(folder / "dagster")}
    command = ["-m", "dagster", "asset", "materialize", "-m", "bioinstruct_dagster", "--select"]
    session.command(
        [sys.executable, *command, ",".join(_DATA_SET)],
        folder / "data_set.log",
        environment=environment,
    )
    settings = Settings.of(data_dir=folder)
    version = current_dataset(Store(settings.store.path, timeout=30), settings)
    matrix = read_experiments(PROJECT_ROOT / "data" / "experiments.yaml")
    specs = {
        recipe: training_spec(matrix, BASE_MODEL, recipe, version, settings)
        for recipe in DEMO_RECIPES
    }
    build_base(session, PROJECT_ROOT, specs[RECIPE], folder)
    return Prepared(settings, version.path, version.fingerprint, specs)


def build_base(session: Session, code: Path, spec: TrainingSpec, folder: Path) -> Usage:
    """Build the embedded base model with the code in this folder."""
    values = spec.base.model_dump_json(include={"source", "pretraining_steps"})
    return session.command(
        [sys.executable, "-c", _BUILD_BASE, values, str(folder / "models")],
        folder / "base.log",
        environment={"PYTHONPATH": str(code)},
        code=code,
    )


@dataclass(frozen=True)
class Study:
    """Eight experiments of one base model, which differ in their seed, in a folder of outputs."""

    session: Session
    folder: Path
    partitions: Sequence[str]

    def run(self, number: int, *selection: str) -> Usage:
        """A run of Dagster that trains the selected partitions.

        Raises:
            RunError: the run failed.
        """
        command = ["-m", "dagster", "asset", "materialize", "-m", "bioinstruct_dagster"]
        return self.session.command(
            [sys.executable, *command, "--select", "key:lora_adapter", *selection],
            self.folder / f"run-{number}.log",
            environment={
                "BIOINSTRUCT_DATA_DIR": str(self.folder),
                "BIOINSTRUCT_EXPERIMENTS": str(self.folder / "experiments.yaml"),
                "DAGSTER_HOME": str(self.folder / "dagster"),
            },
        )

    def one_run(self) -> list[Usage]:
        """All partitions in one run, as the single-run policy of a backfill makes it."""
        first, last = self.partitions[0], self.partitions[-1]
        return [self.run(0, "--partition-range", f"{first}...{last}")]

    def run_each(self) -> list[Usage]:
        """Each partition in a run of its own."""
        return [self.run(n, "--partition", one) for n, one in enumerate(self.partitions)]


def study_of(session: Session, prepared: Prepared, rows: int, folder: Path) -> Study:
    """The eight experiments, over a copy of the demo's outputs."""
    from bioinstruct_dagster.models.experiments import read_experiments

    shutil.copytree(prepared.settings.store.data_dir, folder)
    content = yaml.safe_load((PROJECT_ROOT / "data" / "experiments.yaml").read_text("utf-8"))
    seeds = list(range(1, EXPERIMENTS + 1))
    content["base_models"] = {BASE_MODEL: content["base_models"][BASE_MODEL]}
    content["recipes"] = {"bench": {"rows": rows, "seed": seeds}}
    file = folder / "experiments.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    names = read_experiments(file).names_of(["*"])
    return Study(session, folder, ["|".join(name) for name in names])


def train_together(session: Session, specs: Sequence[TrainingSpec], folder: Path) -> Usage:
    """Train all specifications in one process, as a run does.

    Raises:
        RunError: the process failed, or an experiment did.
    """
    from bioinstruct_dagster.training.study.spec import StudySpec

    folder.mkdir(parents=True)
    spec, result = folder / "spec.json", folder / "result.json"
    spec.write_text(StudySpec(tuple(specs)).to_json(), "utf-8")
    usage = _train(session, PROJECT_ROOT, spec, result)
    messages = json.loads(result.read_text("utf-8"))["messages"]
    trained = [one for one in messages if one["kind"] == "adapter"]
    if len(trained) != len(specs):
        raise RunError(f"{len(trained)} of {len(specs)} adapters were trained: {messages[-1]}")
    return usage


def checked_out(revision: str, folder: Path) -> Path:
    """The code of an older revision, in a folder of its own.

    Raises:
        RunError: the project is no git repository, or does not have the revision.
    """
    done = subprocess.run(
        ["git", "archive", revision, "bioinstruct_dagster", "data", "pyproject.toml"],  # noqa: S607
        cwd=PROJECT_ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RunError(f"revision {revision} is not at hand: {done.stderr.decode()[:200]}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def train_as_before(session: Session, prepared: Prepared, code: Path, folder: Path) -> list[Usage]:
    """Train the demo's adapters as an older revision did: a process for each."""
    build_base(session, code, prepared.specs[RECIPE], folder)
    arguments = [str(folder), str(prepared.path), prepared.fingerprint, *DEMO_RECIPES]
    session.command(
        [sys.executable, "-c", _OLD_SPECS, *arguments],
        folder / "specs.log",
        environment={"PYTHONPATH": str(code)},
        code=code,
    )
    return [
        _train(session, code, folder / f"{recipe}.json", folder / f"{recipe}.result.json")
        for recipe in DEMO_RECIPES
    ]


def _train(session: Session, code: Path, spec: Path, result: Path) -> Usage:
    return session.command(
        [sys.executable, "-m", "bioinstruct_dagster.training", str(spec), str(result)],
        spec.with_suffix(".log"),
        environment={"PYTHONPATH": str(code)},
        code=code,
    )
