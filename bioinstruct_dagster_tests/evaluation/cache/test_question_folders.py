"""Folders of questions: what a killed run left is removed, and what a run uses is not."""

import subprocess
import sys

from bioinstruct_dagster.evaluation.cache.question_folders import questions_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from bioinstruct_dagster.evaluation.cache.question_folders import questions_folder

with questions_folder(Path(sys.argv[1])) as folder:
    folder.mkdir()
    (folder / "questions.json").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_uses_stays(tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert len(list(tmp_path.glob("*/questions.json"))) == 1
    with questions_folder(tmp_path) as first:
        first.mkdir()
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [first]
        with questions_folder(tmp_path) as second:
            assert second != first
            assert first.is_dir()
    assert list(tmp_path.iterdir()) == []
