"""Fixtures for the tests of the model process."""

import os
from pathlib import Path

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.models.steps import MODULE, WORK


@pytest.fixture
def work_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The module of `steps`, where a child process finds it."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / f"{MODULE}.py").write_text(WORK, "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{PROJECT_ROOT}")
    return MODULE
