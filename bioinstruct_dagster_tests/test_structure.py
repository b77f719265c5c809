"""The shape of the package: sizes of files and folders, docstrings, names, what imports load."""

import ast
import json
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path

from bioinstruct_dagster.settings import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "bioinstruct_dagster"
FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = PROJECT_ROOT / "bioinstruct_dagster_tests"
FACES = {"assets", "checks", "partitions"}
MOST_LINES = 400
MOST_LINES_OF_THE_MEDIAN = 120
MOST_MODULES = 16

IMPORT_ALL = """
import importlib, json, sys
for name in json.load(sys.stdin):
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


def module_of(path: Path) -> str:
    parts = path.relative_to(PROJECT_ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def lines_of(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_longer_than_400_lines():
    long = {module_of(path): lines_of(path) for path in FILES if lines_of(path) > MOST_LINES}
    assert not long


def test_the_median_file_has_at_most_120_lines():
    # Files that only name a package would make the median look better than it is.
    lengths = [lines_of(path) for path in FILES if path.name != "__init__.py"]
    assert statistics.median(lengths) <= MOST_LINES_OF_THE_MEDIAN


def test_no_folder_holds_more_than_16_modules():
    counts = Counter(path.parent for path in FILES if path.name != "__init__.py")
    assert not {module_of(folder): n for folder, n in counts.items() if n > MOST_MODULES}


def test_every_module_opens_with_a_docstring():
    silent = [
        module_of(path)
        for path in FILES
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert not silent


def has_logic(path: Path) -> bool:
    """Whether the module defines a function or a method; faces and commands are tested as such."""
    if path.stem in {"__init__", "__main__", *FACES}:
        return False
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)


def test_every_module_with_logic_says_where_it_is_tested():
    logic = {module_of(path).partition(".")[2]: path for path in FILES if has_logic(path)}
    own = {name: TESTS.joinpath(*name.split(".")) for name in logic}
    without = {
        name for name, path in own.items() if not path.with_name(f"test_{path.name}.py").is_file()
    }
    table = TESTS.joinpath("README.md").read_text("utf-8").partition("| module | tested in |")[2]
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", table, re.MULTILINE)
    assert [name for name, _ in rows] == sorted(without)
    files = {file for _, places in rows for file in re.findall(r"`([\w/]+\.py)`", places)}
    assert files
    assert not {file for file in files if not TESTS.joinpath(file).is_file()}
    assert all(re.fullmatch(r"`[\w/]+\.py`(, `[\w/]+\.py`)*", places) for _, places in rows)


def test_a_public_class_name_has_one_meaning():
    places = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module_of(path))
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}


def is_face(module: str) -> bool:
    """Whether the module may import Dagster, by the one list in pyproject.toml."""
    text = (PROJECT_ROOT / "pyproject.toml").read_text("utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (faces,) = [
        c["allowed_importers"] for c in contracts if c["name"].startswith("Only a package'")
    ]
    return any(fnmatchcase(module, face) and module.count(".") == face.count(".") for face in faces)


def loaded_with(modules: list[str]) -> set[str]:
    """What a fresh interpreter has loaded after importing the modules."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        input=json.dumps(modules),
        check=False,
        capture_output=True,
        text=True,
        cwd=PROJECT_ROOT,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert set(modules) <= loaded
    return loaded


def test_modules_below_the_faces_load_without_dagster():
    below = [m for m in map(module_of, FILES) if not is_face(m) and not m.endswith("__main__")]
    assert len(below) > len(FILES) / 2
    assert "dagster" not in loaded_with(below)


def test_the_model_process_loads_neither_store_nor_dagster():
    loaded = loaded_with(
        ["bioinstruct_dagster.training.__main__", "bioinstruct_dagster.evaluation.__main__"]
    )
    assert not loaded & {"dagster", "duckdb", "bioinstruct_dagster.store.database"}
