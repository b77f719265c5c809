"""Tests on two workers: a file's tests go to one worker, since they may build on each other."""

import re
import subprocess
import sys

from bioinstruct_dagster.settings import PROJECT_ROOT

PASSED = re.compile(r"\[(gw\d)\].* PASSED (\S+?\.py)::")


def test_the_tests_of_a_file_go_to_one_worker():
    makefile = (PROJECT_ROOT / "Makefile").read_text("utf-8")
    [options] = re.findall(r"^PYTEST := .* -m pytest (.*)$", makefile, re.MULTILINE)
    files = [f"bioinstruct_dagster_tests/test_{name}.py" for name in ("markdown", "errors")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *options.split(), "-p", "no:cacheprovider", *files],
        cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    passed = PASSED.findall(done.stdout)
    assert len(passed) > len(files)
    assert len(set(passed)) == len(files), passed
