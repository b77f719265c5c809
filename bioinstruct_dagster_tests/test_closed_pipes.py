"""Commands end quietly if nobody reads their output any more."""

import os
import subprocess
import sys

import pytest

from bioinstruct_dagster.closed_pipes import STATUS, quiet_on_closed_pipe
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.database import Store

PACKAGE = PROJECT_ROOT / "bioinstruct_dagster"
# They are no commands of a user: Dagster's steps start them, and read all that they write.
INTERNAL = {
    "evaluation/__main__.py",
    "evaluation/metrics/bertscore.py",
    "settings/__main__.py",  # prints nothing
    "training/__main__.py",
    "training/study/worker.py",
    "training/tracker_process.py",
}


def run_without_a_reader(settings, *arguments):
    """The status and the messages of a command whose output is a pipe that nobody reads."""
    reads, writes = os.pipe()
    os.close(reads)
    ended = subprocess.run(
        [sys.executable, "-m", *arguments],
        stdout=writes,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT_ROOT,
        env={**os.environ, "BIOINSTRUCT_DATA_DIR": str(settings.store.data_dir)},
        check=False,
    )
    os.close(writes)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("bioinstruct_dagster.store", "select range, repeat('x', 70) from range(1000)"),
        ("bioinstruct_dagster.report",),
        ("bioinstruct_dagster.eval_sets",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_ends_quietly_on_a_closed_pipe(settings, arguments):
    Store(settings.store.path).replace({})
    assert run_without_a_reader(settings, *arguments) == (STATUS, "")


def test_each_command_of_the_package_ends_quietly():
    starts = {
        path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8")
        for path in PACKAGE.rglob("*.py")
        if 'if __name__ == "__main__":' in path.read_text("utf-8")
    }
    assert set(starts) > INTERNAL
    for name, text in starts.items():
        assert name in INTERNAL or "@quiet_on_closed_pipe\ndef main(" in text, name


def test_a_command_that_is_read_keeps_its_status(capsys):
    @quiet_on_closed_pipe
    def main(status):
        sys.stdout.write("read\n")
        return status

    assert main(3) == 3
    assert capsys.readouterr().out == "read\n"
