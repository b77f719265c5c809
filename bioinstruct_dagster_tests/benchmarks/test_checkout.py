"""The project at another commit, as a benchmark measures it beside the present one."""

import shutil
import subprocess

import pytest

from benchmarks.curation.checkout import ROOT, checked_out


@pytest.fixture(scope="module")
def commit():
    git = shutil.which("git") or pytest.skip("Git is not installed")
    said = subprocess.run(
        [git, "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    if said.returncode:
        pytest.skip("the project is not in a Git repository")
    return said.stdout.strip()


def test_the_folder_holds_the_commit_and_the_present_benchmarks(commit, tmp_path):
    folder = checked_out(commit, tmp_path / "beside")
    assert (folder / "bioinstruct_dagster" / "definitions.py").exists()
    assert (folder / "data" / "quality_rules.yaml").exists()
    present = ROOT / "benchmarks" / "curation" / "ours.py"
    assert (folder / "benchmarks" / "curation" / "ours.py").read_text() == present.read_text()


def test_an_unknown_commit_is_named(commit, tmp_path):
    with pytest.raises(SystemExit, match="--beside no-such-commit: Git can't write this commit"):
        checked_out("no-such-commit", tmp_path / "beside")
