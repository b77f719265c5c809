"""What `make demo` installs is enough for the chain, and an optional library that is missing is
named with the command that installs it.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution

import pytest
from packaging.requirements import Requirement

from bioinstruct_dagster.settings import PROJECT_ROOT

PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# Imported only for a setting that asks for it.
OPTIONAL = {"kubernetes", "mlflow", "ray", "sentence_transformers", "trackio", "vllm"}

CHECK = """
import importlib.util, json, sys
names = json.loads(sys.argv[1])
print(json.dumps([name for name in names if importlib.util.find_spec(name) is None]))
"""
WITHOUT_RAY = """
from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import RayClusterError, ray_connection
try:
    with ray_connection("local", 1):
        pass
except RayClusterError as error:
    print(error)
"""
WITHOUT_EMBEDDINGS = """
import sys
from pathlib import Path
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter, MeaningModelError
try:
    MeaningFilter(Path(sys.argv[1]), 0.9).embed(["Name a vitamin."])
except MeaningModelError as error:
    print(error)
"""


def required(requirements, extras=("",)):
    """The requirements that apply here, with these extras."""
    for requirement in map(Requirement, requirements):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
            yield requirement


def distributions_of(requirements) -> dict[str, Distribution]:
    """Everything that pip installs for these requirements."""
    found, open_ends, seen = {}, list(required(requirements)), set()
    while open_ends:
        requirement = open_ends.pop()
        key = (requirement.name.lower(), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        found[key[0]] = distribution(requirement.name)
        open_ends += required(found[key[0]].requires or (), ("", *requirement.extras))
    return found


@pytest.fixture(scope="module")
def user_packages(tmp_path_factory):
    """A folder that holds links to the packages of the user's installation, and to no other."""
    folder = tmp_path_factory.mktemp("packages")
    for each in distributions_of(PROJECT["dependencies"]).values():
        tops = {file.parts[0] for file in each.files or () if file.parts[0] not in {"..", "bin"}}
        for top in tops - {"__pycache__"}:
            if not (folder / top).exists():
                (folder / top).symlink_to(each.locate_file(top))
    return folder


def output_of(user_packages, source, *arguments):
    """What a Python prints that sees the user's packages and the project, and no other."""
    path = os.pathsep.join((str(PROJECT_ROOT), str(user_packages)))
    done = subprocess.run(
        [sys.executable, "-S", "-c", source, *arguments],  # -S: no site-packages
        env={**os.environ, "PYTHONPATH": path},
        cwd=user_packages,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported_packages():
    """The packages that any module of the project imports, also inside its functions."""
    names = set()
    for file in (PROJECT_ROOT / "bioinstruct_dagster").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module).partition(".")[0])
    return names - sys.stdlib_module_names - {"bioinstruct_dagster"}


def test_the_user_install_holds_every_imported_package(user_packages):
    names = imported_packages()
    assert {"dagster", "torch", "openai"} <= names
    missing = json.loads(output_of(user_packages, CHECK, json.dumps(sorted(names | OPTIONAL))))
    assert set(missing) == OPTIONAL


def test_the_user_install_loads_the_definitions(user_packages):
    output_of(user_packages, "import bioinstruct_dagster.definitions")


def test_the_user_install_holds_no_development_tool(user_packages):
    tools = ["pytest", "mypy", "ruff", "playwright", "hypothesis", "kubernetes", "piptools"]
    assert json.loads(output_of(user_packages, CHECK, json.dumps(tools))) == tools


def test_ray_that_is_missing_is_named_with_its_extra(user_packages):
    message = output_of(user_packages, WITHOUT_RAY)
    assert "BIOINSTRUCT_RAY_ADDRESS" in message
    assert_it_names_an_extra(message, "ray")


def test_missing_sentence_transformers_name_their_extra(user_packages, tmp_path):
    (tmp_path / "modules.json").write_text("[]", "utf-8")
    message = output_of(user_packages, WITHOUT_EMBEDDINGS, str(tmp_path))
    assert "BIOINSTRUCT_MEANING_MODEL" in message
    assert_it_names_an_extra(message, "embeddings")


def assert_it_names_an_extra(message, extra):
    [named] = re.findall(r"pip install '([^']+)'", message)
    requirement = Requirement(named)
    assert requirement.name == PROJECT["name"]
    assert requirement.extras == {extra}
    assert extra in PROJECT["optional-dependencies"]


@pytest.mark.parametrize("extra", ["ray", "embeddings", "kubernetes"])
def test_the_development_install_holds_each_extra(extra):
    for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
        try:
            distribution(requirement.name)
        except PackageNotFoundError:
            pytest.fail(f"{requirement.name} is not installed: run `make setup-dev`")
