"""The lock file keeps all others out, although its holder removes it."""

import subprocess
import sys

import pytest

from bioinstruct_dagster.training.loop.lock_file import held_alone

# Each holder adds 1 to a number in a file, in two steps that must not overlap.
COUNTING = """
import sys
from pathlib import Path
from bioinstruct_dagster.training.loop.lock_file import held_alone

lock, number = map(Path, sys.argv[1:])
for _ in range(200):
    with held_alone(lock, lambda: None):
        before = int(number.read_text())
        number.write_text(str(before + 1))
"""


def test_the_file_is_gone_afterwards_also_after_an_error(tmp_path):
    path = tmp_path / "folder" / "one.lock"
    with held_alone(path, pytest.fail) as waited:
        assert path.is_file()
        assert not waited
    assert not path.exists()
    with pytest.raises(KeyError), held_alone(path, pytest.fail):
        raise KeyError
    assert not list(path.parent.iterdir())


def test_four_processes_never_hold_it_together(tmp_path):
    lock, number = tmp_path / "one.lock", tmp_path / "number"
    number.write_text("0")
    counting = [sys.executable, "-c", COUNTING, str(lock), str(number)]
    processes = [subprocess.Popen(counting) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert number.read_text() == "800"
    assert not lock.exists()


def test_a_waiting_process_says_so_once_and_gets_the_lock(tmp_path):
    path = tmp_path / "one.lock"
    code = (
        "import sys; from pathlib import Path; "
        "from bioinstruct_dagster.training.loop.lock_file import held_alone\n"
        "with held_alone(Path(sys.argv[1]), lambda: print('waits', flush=True)) as waited:\n"
        "    print(waited, Path(sys.argv[1]).exists())"
    )
    with held_alone(path, pytest.fail):
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout
        assert other.stdout.readline() == "waits\n"
    assert other.communicate()[0] == "True True\n"
