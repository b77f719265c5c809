"""The command `bioinstruct-rehearsal-server`, started as a process, as its users start it."""

import importlib.metadata
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from openai import AuthenticationError, OpenAI, RateLimitError

from bioinstruct_dagster.rehearsal.api_server import cli
from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions
from bioinstruct_dagster.rehearsal.recordings import read_recordings

COMMAND = [sys.executable, "-m", "bioinstruct_dagster.rehearsal.api_server.cli"]
ASKED = {
    "model": "m",
    "messages": [{"role": "user", "content": "Write JSON."}],
    "response_format": {"type": "json_object"},
}


@contextmanager
def command(*arguments):
    """The running command and the line it printed."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process, process.stdout.readline()
    finally:
        process.kill()
        process.communicate()


def client_of(line: str, key: str = "rehearsal") -> OpenAI:
    url = re.search(r"OPENAI_BASE_URL=(\S+)", line).group(1)
    return OpenAI(base_url=url, api_key=key, max_retries=0)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_says_how_to_connect_a_client_and_stops_cleanly(stop):
    with command() as (process, line):
        assert re.match(r"Serving at http://127\.0\.0\.1:\d+/v1 ", line)
        with client_of(line) as client:
            reply = client.chat.completions.create(**ASKED, seed=4)
        assert reply.choices[0].message.content == read_recordings()[4].content
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=60)
        assert (process.returncode, rest, errors) == (0, "", "")


def test_it_stops_though_a_request_is_in_flight():
    with command("--latency", "600") as (process, line):
        url = re.search(r"127\.0\.0\.1:(\d+)", line)
        body = b'{"messages": [{"role": "user", "content": "Write."}]}'
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", int(url.group(1)))) as connection:
            connection.sendall(head.encode() + body)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


def test_the_options_reach_the_server(tmp_path):
    options = ["--key", "sk-mine", "--rpm", "1", "--prompt-tokens", "7", "--answer-tokens", "5"]
    with command(*options, "--state-dir", str(tmp_path / "state")) as (_, line):
        assert "sk-mine" not in line
        with client_of(line) as wrong, pytest.raises(AuthenticationError):
            wrong.chat.completions.create(**ASKED)
        with client_of(line, "sk-mine") as client:
            usage = client.chat.completions.create(**ASKED).usage
            assert (usage.prompt_tokens, usage.completion_tokens) == (7, 5)
            with pytest.raises(RateLimitError):
                client.chat.completions.create(**ASKED)
            client.files.create(file=("in.jsonl", b"{}\n"), purpose="batch")
        assert list((tmp_path / "state" / "files").glob("file-*.json"))


def test_every_option_of_the_server_is_an_option_of_the_command():
    arguments = {
        "latency": 0.5,
        "rpm": 60.0,
        "tpm": 1_000.0,
        "burst-seconds": 2.0,
        "fault-seed": 3,
        "fault-attempts": 2,
        "key": "k",
        "quota-requests": 9,
        "batch-seconds": 5.0,
        "batch-expire-share": 0.5,
        "batch-max-lines": 7,
        "batch-max-bytes": 99,
        "batch-token-limit": 98,
        "answer-tokens": 3,
        "prompt-tokens": 4,
        "slow-seconds": 6.0,
    }
    given = [f"--{name}={value}" for name, value in arguments.items()]
    rest = ["--fault", "reset=0.1", "--fault", "slow=0.2", "--formats", "json_object", "--no-flex"]
    where = ["--state-dir", "here", "--host", "::1", "--port", "8000"]
    options, *address = cli.read_command_line([*given, *where, *rest])
    assert address == ["::1", 8000]
    got = dict(vars(options))
    for name, value in arguments.items():
        assert got.pop(name.replace("-", "_")) == value
    assert str(got.pop("state_dir")) == "here"
    assert got.pop("faults") == {"reset": 0.1, "slow": 0.2}
    assert got.pop("formats") == {"json_object"}
    assert got.pop("service_tiers") == {"default"}
    assert not got


def test_without_options_it_has_the_servers_defaults():
    assert cli.read_command_line([]) == (ServerOptions(), "127.0.0.1", 0)


def test_a_port_in_use_is_said_so(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["--port", str(port)]) == 2
    message = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in message
    assert "in use" in message
    assert "--port 0" in message


def test_options_that_make_no_sense_are_said_so(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    for arguments, named in (
        (["--rpm", "-1"], "rpm"),
        (["--fault", "reset=0.7", "--fault", "slow=0.7"], "add up"),
        (["--state-dir", str(tmp_path / "file")], "state_dir"),
    ):
        assert cli.main(arguments) == 2
        assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "70000"], "70000 is not a port"),
        (["--port", "x"], "--port"),
        (["--fault", "earthquake=0.1"], "earthquake"),
        (["--fault", "reset"], "NAME=SHARE"),
        (["--fault", "reset=often"], "often"),
        (["--formats", "xml"], "xml"),
        (["--lat", "1"], "--lat"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_said_so(capsys, arguments, named):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert named in capsys.readouterr().err


def test_the_command_is_installed_with_the_package():
    (found,) = importlib.metadata.entry_points(
        group="console_scripts", name="bioinstruct-rehearsal-server"
    )
    assert found.load() is cli.main
    assert os.access(Path(sys.executable).with_name(found.name), os.X_OK)
