"""The import contracts of pyproject.toml: each one breaks when a new module does what it forbids.

`make lint` checks that the package keeps them. Here a copy of the package gets new modules with
forbidden imports, and one run of lint-imports over the copy must name each of them.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT

PACKAGE = "bioinstruct_dagster"
LAYERS = "Later stages import earlier ones"
CIRCLES = "No folder's modules import each other in a circle"
FACES = "Only a package's face"
DAGSTER = "Only the faces import Dagster"
MODEL_PROCESS = "The model process"
COMPUTE = "In compute"
KUBERNETES = "Only the launcher of pods"
STORE = "In the store"
TEACHER = "In the teacher"
PROBING = "In probing"
CURATION = "In curation"
SERVER = "In the rehearsal server"
SERVER_PARTS = "Only its app and its options"

# Contract, new module, what it imports, and the text by which lint-imports names the fault.
FORBIDDEN = [
    (LAYERS, "store/new_view.py", "curation.gates", "store.new_view -> bioinstruct_dagster.curat"),
    (LAYERS, "evaluation/new_score.py", "training.spec", "evaluation.new_score -> bioinstruct_dag"),
    (LAYERS, "training/new_card.py", "evaluation.evaluate", "training.new_card -> bioinstruct_dag"),
    (LAYERS, "new_stage/__init__.py", "errors", "new_stage"),
    (
        CIRCLES,
        "dataset/new_shards.py",
        "dataset.new_folder",
        "No cycles are allowed in bioinstruct_dagster.dataset.",
    ),
    (
        CIRCLES,
        "dataset/new_folder.py",
        "dataset.new_shards",
        "No cycles are allowed in bioinstruct_dagster.dataset.",
    ),
    (FACES, "dataset/new_reader.py", "dataset.assets", "bioinstruct_dagster.dataset.new_reader"),
    (DAGSTER, "generation/replies/new_tasks.py", "dagster", "replies.new_tasks -> dagster"),
    (DAGSTER, "automation/deeper/new_job.py", "dagster", "automation.deeper.new_job -> dagster"),
    (MODEL_PROCESS, "training/new_rows.py", "duckdb", "training.new_rows -> duckdb"),
    (MODEL_PROCESS, "models/compute/new_bill.py", "duckdb", "compute.new_bill -> duckdb"),
    (COMPUTE, "models/compute/pod.py", "models.compute.ray_jobs", "compute.pod -> bioinstruct"),
    (COMPUTE, "models/compute/new_bill.py", "errors", "compute.new_bill"),
    (KUBERNETES, "models/new_pods.py", "kubernetes", "models.new_pods -> kubernetes"),
    (STORE, "store/new_view.py", "curation.gates", "new_view"),
    (TEACHER, "teacher/money/new_bill.py", "teacher.flow.sending", "money.new_bill -> bioinstruct"),
    (TEACHER, "teacher/new_door.py", "errors", "bioinstruct_dagster.teacher.new_door"),
    (
        PROBING,
        "teacher/probing/new_form.py",
        "errors",
        "bioinstruct_dagster.teacher.probing.new_form",
    ),
    (CURATION, "curation/novelty/new_rule.py", "curation.quality.rules", "novelty.new_rule -> bio"),
    (CURATION, "curation/new_gate/__init__.py", "errors", "bioinstruct_dagster.curation.new_gate"),
    (SERVER, "rehearsal/api_server/new_part.py", "errors", "api_server.new_part"),
    (SERVER_PARTS, "teacher/wire/new_call.py", "rehearsal.api_server.ledger", "wire.new_call"),
]
EXTERNAL = ("dagster", "duckdb", "kubernetes")


def contracts() -> list[dict]:
    text = (PROJECT_ROOT / "pyproject.toml").read_text("utf-8")
    return tomllib.loads(text)["tool"]["importlinter"]["contracts"]


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict[str, str]:
    """What lint-imports says of each broken contract, by the contract's name."""
    folder = tmp_path_factory.mktemp("contracts")
    only_python = shutil.ignore_patterns("__pycache__", "*.sql", "*.jsonl", "*.txt", "*.yaml")
    package = shutil.copytree(PROJECT_ROOT / PACKAGE, folder / PACKAGE, ignore=only_python)
    shutil.copy(PROJECT_ROOT / "pyproject.toml", folder)
    for _, path, imported, _ in FORBIDDEN:
        add(package / path, imported)
    add(package / "training" / "loop.py", "training.new_rows")  # in the model process's way
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    _, _, broken = done.stdout.partition("Broken contracts")
    return {
        name: text_about(name, broken)
        for name in (contract["name"] for contract in contracts())
        if f"{name} BROKEN" in done.stdout
    }


def add(path: Path, imported: str) -> None:
    path.parent.mkdir(exist_ok=True)
    if not (path.parent / "__init__.py").exists():
        (path.parent / "__init__.py").touch()
    name = imported if imported in EXTERNAL else f"{PACKAGE}.{imported}"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\nimport {name}\n")


def text_about(name: str, broken: str) -> str:
    _, _, after = broken.partition(f"\n{name}\n")
    others = [contract["name"] for contract in contracts() if contract["name"] != name]
    ends = [after.find(f"\n{other}\n") for other in others]
    return after[: min((end for end in ends if end >= 0), default=len(after))]


@pytest.mark.parametrize(
    ("contract", "path", "fault"), [(row[0], row[1], row[3]) for row in FORBIDDEN]
)
def test_a_forbidden_import_breaks_its_contract(report, contract, path, fault):
    (name,) = [each["name"] for each in contracts() if each["name"].startswith(contract)]
    assert fault in report[name]


def test_every_contract_is_broken_in_turn():
    tested = {contract for contract, *_ in FORBIDDEN}
    untested = [c["name"] for c in contracts() if not c["name"].startswith(tuple(tested))]
    assert not untested


def test_the_faces_stand_in_one_list():
    (faces,) = [contract for contract in contracts() if contract["name"].startswith(FACES)]
    (dagster,) = [contract for contract in contracts() if contract["name"].startswith(DAGSTER)]
    exempt = [line.split(" -> ") for line in dagster["ignore_imports"]]
    assert faces["protected_modules"] == faces["allowed_importers"]
    assert [face for face, name in exempt if name == "dagster"] == faces["allowed_importers"]
