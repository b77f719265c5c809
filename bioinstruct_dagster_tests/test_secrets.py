"""The teacher's API key is never written: not on success or failure, not if the server repeats it,
and not with all loggers at their lowest level.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server.app import RehearsalTeacher, serve_teacher
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.conftest import store_of

PLANTED = "5f0c1d7e9ab34c218d6e0b7fa4429c13e8d1"
KEY = f"sk-planted-{PLANTED}"
PIECE = 10  # characters of it that already count as told
MATERIALIZE = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "bioinstruct_dagster"]
LOUD = """
python_logs:
  python_log_level: DEBUG
  managed_python_loggers: [root]
"""

# Materializes in one process what a user would in several, each with its own settings.
DRIVER = """
import json, os, sys
import dagster as dg
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import load_settings

instance = dg.DagsterInstance.get()
results = []
for environment, config in json.loads(sys.argv[1]):
    os.environ.update(environment)
    job = build_defs(load_settings()).resolve_job_def("data_set")
    result = job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey("seed_tasks"), dg.AssetKey("raw_instructions")],
        run_config={"ops": {"raw_instructions": {"config": config}}},
        raise_on_error=False,
    )
    results.append(result.success)
print("RESULTS", json.dumps(results))
"""


# How a request is to fail, by a word of it: a model's name, or the number of tasks in its prompt.
FAILURES = {
    "fail-400": (400, "json"),
    "fail-401": (401, "json"),
    "fail-403": (403, "text"),
    "fail-429": (429, "json"),
    "fail-500": (500, "text"),
    "Write 6 new": (400, "json"),
    "Write 7 new": (400, "text"),
    "Write 8 new": (401, "json"),
    "Write 9 new": (500, "json"),
}
CREATIONS = [None, (400, "json"), (401, "text"), (500, "text")]  # how each in turn fails


class Telltale(RehearsalTeacher):
    """A teacher that repeats the key wherever it can: in headers, errors, and lines of a batch."""

    def application(self) -> web.Application:
        application = super().application()
        creations = iter(CREATIONS)

        def failure(path: str, body: str) -> tuple[int, str] | None:
            if path == "/v1/batches":
                return next(creations, None)
            return next((how for word, how in FAILURES.items() if word in body), None)

        @web.middleware
        async def tell(request: web.Request, handler) -> web.StreamResponse:
            key = request.headers["authorization"]
            how = None
            if request.method == "POST" and request.path != "/v1/files":
                how = failure(request.path, await request.text())
            response = _failed(*how, key) if how else await handler(request)
            if request.path.endswith("/content"):
                response = web.Response(body=_failing_lines(response.body, key))
            for name in ("x-echo", "www-authenticate", "openai-organization"):
                response.headers[name] = key
            return response

        application.middlewares.append(tell)
        return application


def _failed(status: int, form: str, key: str) -> web.Response:
    # The key lies across every length at which a message may be cut.
    said = " ".join([key] * 60)
    headers = {"x-should-retry": "false"}
    if form == "text":
        return web.Response(text=said, status=status, headers=headers)
    error = {"message": said, "type": key, "param": key, "code": key}
    return web.json_response({"error": error}, status=status, headers=headers)


def _failing_lines(content: bytes, key: str) -> bytes:
    """Turn every other line of a batch's output into an error that repeats the key."""
    lines = [json.loads(line) for line in content.splitlines()]
    for line in lines[::2]:
        error = {"error": {"message": " ".join([key] * 60), "code": key}}
        line["response"] = {"status_code": 500, "request_id": key, "body": error}
    for line in lines[1::2]:
        line["response"]["request_id"] = key
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@contextmanager
def telltale(environment) -> Iterator[dict[str, str]]:
    """The environment of a user whose server is a Telltale, with all loggers on."""
    config = Path(environment["DAGSTER_HOME"]) / "dagster.yaml"
    config.write_text(config.read_text("utf-8") + LOUD, "utf-8")
    with serve_teacher(Telltale(read_recordings())) as url:
        yield {
            **environment,
            "BIOINSTRUCT_TEACHER": "openai",
            "BIOINSTRUCT_CONTROLS": "none",
            "BIOINSTRUCT_TASKS_PER_REQUEST": "5",
            "OPENAI_BASE_URL": url,
            "OPENAI_API_KEY": KEY,
            "OPENAI_LOG": "debug",
        }


def run(command, environment):
    return subprocess.run(
        command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )


def drive(environment, *runs):
    """Materialize several times. Returns whether each run succeeded, and all printed text."""
    result = run([sys.executable, "-c", DRIVER, json.dumps(runs)], environment)
    told = [line for line in result.stdout.splitlines() if line.startswith("RESULTS ")]
    assert told, result.stderr[-3000:]
    return json.loads(told[0].removeprefix("RESULTS ")), result.stdout + result.stderr


def pieces() -> list[bytes]:
    """All parts of the key that are long enough to reveal it."""
    return [PLANTED[at : at + PIECE].encode() for at in range(len(PLANTED) - PIECE + 1)]


def leaks(folder: Path, environment, *printed: str) -> list[str]:
    """The places where the key or a part of it was written."""
    found = [f"printed {number}" for number, text in enumerate(printed) if told_by(text.encode())]
    found += [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and told_by(path.read_bytes())
    ]
    # DuckDB compresses what it stores: the rows themselves are looked through as well.
    store = store_of(environment)
    tables = [r["n"] for r in store.rows("select table_name as n from information_schema.tables")]
    return found + [
        f"table {table}"
        for table in tables
        if told_by(repr(store.rows(f"select * from {table}")).encode())
    ]


def told_by(data: bytes) -> bool:
    return any(piece in data for piece in pieces())


def test_the_search_finds_what_it_is_to_find(tmp_path, environment):
    store = store_of(environment)
    store.replace({"seed_tasks": []})
    assert leaks(tmp_path, environment) == []
    (tmp_path / "log").write_bytes(b"\0..." + PLANTED[7 : 7 + PIECE].encode())
    assert leaks(tmp_path, environment, "fine", KEY[:-3]) == ["printed 1", "log"]


def test_success_and_failure_on_the_command_line_tell_no_key(environment, tmp_path):
    with telltale(environment) as keyed:
        good = run([*MATERIALIZE, "--select", "+key:hf_dataset"], keyed)
        assert good.returncode == 0, good.stderr[-3000:]
        config = json.dumps({"ops": {"raw_instructions": {"config": {"seed": 7}}}})
        keyed["BIOINSTRUCT_TEACHER_MODEL"] = "fail-500"
        select = ["--select", "key:raw_instructions", "--config-json", config]
        bad = run([*MATERIALIZE, *select], keyed)
        assert bad.returncode != 0
        assert "HTTP 500" in bad.stderr
    lost = run([*MATERIALIZE, *select], keyed)  # the server is gone
    assert lost.returncode != 0
    printed = [text for each in (good, bad, lost) for text in (each.stdout, each.stderr)]
    assert leaks(tmp_path, environment, *printed) == []


USUAL = {"BIOINSTRUCT_REPLY_FORMAT": "json_schema", "BIOINSTRUCT_TEACHER_MODEL": "gpt-4.1"}


@pytest.mark.slow
def test_no_failure_of_a_server_that_repeats_the_key_tells_it(environment, tmp_path):
    runs = [(USUAL, {"requests": 2})]
    runs += [
        ({**USUAL, "BIOINSTRUCT_TASKS_PER_REQUEST": str(n)}, {"seed": n}) for n in range(6, 10)
    ]
    models = ["fail-400", "fail-401", "fail-403", "fail-429", "fail-500"]
    runs += [({**USUAL, "BIOINSTRUCT_TEACHER_MODEL": model}, {}) for model in models]
    with telltale(environment) as keyed:
        results, printed = drive(keyed, *runs)
    assert results == [True] + [False] * 9
    assert leaks(tmp_path, environment, printed) == []


@pytest.mark.slow
def test_no_batch_of_a_server_that_repeats_the_key_tells_it(environment, tmp_path):
    runs = [({**USUAL, "BIOINSTRUCT_SERVICE": "batch"}, {"requests": 4})] * 5
    with telltale(environment) as keyed:
        results, printed = drive(keyed, *runs)
    # Submitted; half harvested, and the rest refused twice; then cut off, and waited for.
    assert results == [True, False, False, False, True]
    assert any("first fault" in d for d in details(environment))
    assert leaks(tmp_path, environment, printed) == []


def details(environment) -> list[str]:
    return [row["detail"] for row in store_of(environment).rows("select detail from batches")]
