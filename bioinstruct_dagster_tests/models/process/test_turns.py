"""Turns on this machine: who waits for whom, what the log says, and what a killed holder leaves."""

import os
import signal
import tempfile
import threading

import pytest

from bioinstruct_dagster.models.process import turns
from bioinstruct_dagster.models.process.turns import turn

HOLDER = """
import sys, time
from pathlib import Path
from bioinstruct_dagster.models.process.turns import turn
with turn("trains a|b", sys.argv[2:], Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """A folder of temporary files that no other test uses."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def held(start_python, *arguments):
    process = start_python(HOLDER, *arguments)
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("gpus", [(), ("0",), ("GPU-a/b", "1")])
def test_the_turn_of_a_killed_process_goes_to_the_one_that_waits(
    start_python, temporary, monkeypatch, gpus
):
    monkeypatch.setattr(turns, "_SECONDS_BETWEEN_LINES", 0.0)
    holder = held(start_python, temporary / "models", *gpus)
    lines = []
    twice = threading.Event()

    def log(line):
        lines.append(line)
        if len(lines) == 2:
            twice.set()

    def wait():
        with turn("trains c|d", gpus, temporary / "models", log):
            pass

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert twice.wait(60)
    assert waiting.is_alive()
    assert f"in use by process {holder.pid}, which trains a|b since" in lines[0]
    holder.send_signal(signal.SIGKILL)
    waiting.join(60)
    assert not waiting.is_alive()
    assert "is free" in lines[-1]


def test_other_gpus_and_other_data_folders_do_not_wait(start_python, temporary):
    held(start_python, temporary / "models", "0")
    lines = []
    with (
        turn("trains", ["1"], temporary / "models", lines.append),
        turn("trains", [], temporary / "models", lines.append),
        turn("trains", [], temporary / "others", lines.append),
    ):
        assert lines == []


def test_a_process_that_waits_ends_at_once_by_sigterm(start_python, temporary):
    held(start_python, temporary / "models")
    waiting = start_python(HOLDER.replace("print)", "lambda _: print('waits', flush=True))"),
                           temporary / "models")  # fmt: skip
    assert waiting.stdout.readline() == "waits\n"
    waiting.terminate()
    assert waiting.wait(60) == -signal.SIGTERM


def test_a_link_in_the_folder_of_temporary_files_is_not_followed(temporary):
    victim = temporary / "victim"
    victim.write_text("text")
    (temporary / "bioinstruct-gpu-0.lock").symlink_to(victim)
    lines = []
    with turn("trains", ["0"], temporary, lines.append):
        assert victim.read_text() == "text"
    assert "can't be opened" in lines[0]


def test_a_file_that_cannot_be_written_still_locks(start_python, temporary):
    lock = temporary / "bioinstruct-gpu-0.lock"
    lock.touch()
    handle = os.open(lock, os.O_RDONLY)
    turns._wait(handle, "the GPU", pytest.fail)
    turns._write(handle, "text")
    assert lock.read_text() == ""
    os.close(handle)
