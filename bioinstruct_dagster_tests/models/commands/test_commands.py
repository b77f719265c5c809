"""The commands as a user runs them: their output, and words in place of a traceback."""

import io
import os
import shlex
import subprocess
import sys

import pytest

from bioinstruct_dagster.models.__main__ import main
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.models.commands.conftest import EXPERIMENT


@pytest.fixture
def shell(trained, monkeypatch):
    """The environment of a user who has trained the session's adapter."""
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", str(trained.store.data_dir))
    monkeypatch.setenv("BIOINSTRUCT_EXPERIMENTS", str(trained.models.experiments))
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")


@pytest.fixture
def command(shell, monkeypatch, capsys):
    """Run a command in this process. Returns exit status, output and messages."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "argv", ["models", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="ascii"))
        status = main()
        return status, *capsys.readouterr()

    return run


def test_the_list_names_the_adapter(command):
    status, output, _ = command("adapters")
    assert status == 0
    assert output.startswith(f"{EXPERIMENT}: newest, ")


def test_a_project_without_adapters_says_so(command, monkeypatch, tmp_path):
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", str(tmp_path))
    assert command("adapters")[:2] == (0, f"There is no adapter in {tmp_path / 'adapters'}.\n")


def test_chat_answers_lines_of_the_standard_input(command):
    lines = b"Sum up.\tA \xff note: \xc3\xa9.\n\nList.\n"
    status, output, messages = command("chat", EXPERIMENT, "--most-tokens", 3, stdin=lines)
    assert status == 0
    assert output.count("base: ") == output.count("adapter: ") == 2
    assert "the adapter acts" in messages


def test_the_serve_line_stands_alone_on_the_standard_output(command):
    status, output, _ = command("serve-line", EXPERIMENT)
    assert status == 0
    (line,) = output.splitlines()
    assert shlex.split(line)[:2] == ["vllm", "serve"]


def test_a_pattern_serves_what_is_there_and_names_what_is_not(command):
    status, output, messages = command("serve-line", "rehearsal-llama|*")
    assert status == 0
    assert len(output.splitlines()) == 1
    assert "have no intact adapter: rehearsal-llama|information_extraction." in messages


def test_merge_writes_a_folder_once(command, tmp_path):
    target = tmp_path / "merged"
    status, _, messages = command("merge", EXPERIMENT, target, "--dtype", "float32")
    assert status == 0
    assert (target / "config.json").is_file()
    assert "is merged into" in messages
    status, _, messages = command("merge", EXPERIMENT, target)
    assert status == 1
    assert "nothing is overwritten" in messages


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["chat", "no-model|all"], "stands for no experiment"),
        (["chat", "rehearsal-llama|information_extraction"], "has no adapter yet"),
        (["chat", EXPERIMENT, "--adapter", "/no/such/folder"], "(missing folder): /no/such/folder"),
        (["serve-line", "rehearsal-llama|information_*"], "has no adapter yet"),
        (
            ["serve-line", EXPERIMENT, "rehearsal-llama|information_extraction"],
            "has no adapter yet",
        ),
    ],
)
def test_a_command_that_fails_says_why(command, arguments, words):
    status, output, messages = command(*arguments)
    assert status == 1
    assert words in messages
    assert output == ""


def test_a_users_shell_sees_words_and_no_traceback(shell):
    done = subprocess.run(
        [sys.executable, "-m", "bioinstruct_dagster.models", "chat", "no-model|all"],
        capture_output=True,
        check=False,
        cwd=PROJECT_ROOT,
        env=dict(os.environ),
    )
    assert done.returncode == 1
    assert b"stands for no experiment" in done.stderr
    assert b"Traceback" not in done.stderr
