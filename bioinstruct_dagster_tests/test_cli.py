"""The command line of a user: `dagster asset materialize` and `dg launch` as processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bioinstruct_dagster.rehearsal.api_server.app import serve_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT
from bioinstruct_dagster.store.journal import fold
from bioinstruct_dagster_tests.conftest import store_of

DAGSTER = [sys.executable, "-m", "dagster"]
MATERIALIZE = [*DAGSTER, "asset", "materialize", "-m", "bioinstruct_dagster"]


def run(command, environment):
    return subprocess.run(
        command, env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False
    )


def with_seeds(environment):
    """The user's store with the seeds in it, as `seed_tasks` writes them."""
    store = store_of(environment)
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    store.replace({"seed_tasks": [seed.to_row(n) for n, seed in enumerate(seeds)]})
    return store


def test_one_command_goes_from_seeds_to_the_data_set(environment):
    result = run([*MATERIALIZE, "--select", "+key:hf_dataset"], environment)
    assert result.returncode == 0, result.stderr
    [counts] = store_of(environment).rows("select count(*) as rows from hf_dataset")
    assert counts["rows"] > 0


def test_dg_launch_materializes_too(environment):
    launch = [str(Path(sys.executable).with_name("dg")), "launch", "--assets", "key:seed_tasks"]
    result = run(launch, environment)
    assert result.returncode == 0, result.stderr
    [counts] = store_of(environment).rows("select count(*) as rows from seed_tasks")
    assert counts["rows"] == 80


def test_definitions_validate_by_pyproject_and_by_workspace(environment):
    for options in ([], ["-w", "workspace.yaml"]):
        result = run([*DAGSTER, "definitions", "validate", *options], environment)
        assert result.returncode == 0, result.stderr
        assert "passed validation" in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--select", "key:no_such_asset"], "matches no asset"),
        (["--select", "key:lora_adapter"], "the run names none. Name one, such as --partition"),
        (
            ["--select", "key:lora_adapter", "--partition", "gpt|all"],
            "The base models are rehearsal-llama; the recipes are all",
        ),
        (["--select", "key:hf_dataset"], "Materialize the first asset"),
    ],
)
def test_a_wrong_selection_fails_and_spends_nothing(environment, options, message):
    result = run([*MATERIALIZE, *options], environment)
    assert result.returncode != 0
    assert message in result.stderr.strip().splitlines()[-1]
    assert not store_of(environment).path.exists()


def test_a_step_before_its_input_says_which_asset_is_missing(environment):
    with_seeds(environment)
    result = run([*MATERIALIZE, "--select", "key:categorized_instructions"], environment)
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert "Materialize key:deduplicated_instructions first" in last


def test_a_malformed_seed_file_is_explained_last(environment, tmp_path):
    seeds = tmp_path / "seeds.jsonl"
    seeds.write_text('{"id": "a"}\nnot json\n', "utf-8")
    result = run(
        [*MATERIALIZE, "--select", "key:seed_tasks"],
        {**environment, "BIOINSTRUCT_SEEDS": str(seeds)},
    )
    assert result.returncode != 0
    last = result.stderr[-1500:]
    assert f"{seeds}:1: category: missing" in last
    assert f"{seeds}:2: not JSON" in last
    assert not store_of(environment).path.exists()


def test_a_wrong_setting_is_refused_at_start_by_name(environment):
    result = run(
        [*MATERIALIZE, "--select", "key:seed_tasks"],
        {**environment, "BIOINSTRUCT_REQUESTS": "many"},
    )
    assert result.returncode != 0
    assert "BIOINSTRUCT_REQUESTS" in result.stderr


def test_a_real_teacher_without_a_key_stops_before_any_work(environment):
    with_seeds(environment)
    result = run(
        [*MATERIALIZE, "--select", "key:raw_instructions"],
        {**environment, "BIOINSTRUCT_TEACHER": "openai"},
    )
    assert result.returncode != 0
    assert "OPENAI_API_KEY is not set" in result.stderr.strip().splitlines()[-1]
    assert store_of(environment).rows("select * from completions") == []


def test_run_configuration_overrides_the_settings(environment):
    config = {"ops": {"raw_instructions": {"config": {"requests": 3, "seed": 7}}}}
    result = run(
        [*MATERIALIZE, "--select", "+key:raw_instructions", "--config-json", json.dumps(config)],
        environment,
    )
    assert result.returncode == 0, result.stderr
    rows = store_of(environment).rows("select run_seed, request_number from completions")
    assert {(row["run_seed"], row["request_number"]) for row in rows} == {(7, 0), (7, 1), (7, 2)}


@pytest.mark.slow
def test_the_multiprocess_job_succeeds(environment):
    job = ["job", "execute", "-m", "bioinstruct_dagster", "-j", "data_set_multiprocess"]
    result = run([*DAGSTER, *job], environment)
    assert result.returncode == 0, result.stderr[-3000:]
    [counts] = store_of(environment).rows("select count(*) as rows from hf_dataset")
    assert counts["rows"] > 0


def test_a_killed_run_loses_nothing_and_pays_only_for_the_rest(environment):
    requests, in_flight = 60, 4
    with serve_recordings(latency=0.25) as base_url:
        slow = {
            **environment,
            "BIOINSTRUCT_TEACHER": "openai",
            "BIOINSTRUCT_TEACHER_MODEL": "rehearsal-teacher",
            "OPENAI_BASE_URL": base_url,
            "OPENAI_API_KEY": "any",
            "BIOINSTRUCT_REQUESTS": str(requests),
            "BIOINSTRUCT_CONCURRENCY": str(in_flight),
        }
        store = with_seeds(environment)
        with subprocess.Popen(
            [*MATERIALIZE, "--select", "key:raw_instructions"],
            env=slow,
            cwd=PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            journalled = wait_for_lines(store.journal_dir, 12, process)
            os.killpg(process.pid, signal.SIGKILL)
        fold(store)
        [stored] = store.rows("select count(*) as n from completions")
        assert journalled <= stored["n"] < requests

        again = run([*MATERIALIZE, "--select", "key:raw_instructions"], slow)
        assert again.returncode == 0, again.stderr[-3000:]
        assert "stored completions reused" in again.stderr
        [total] = store.rows(
            "select count(*) as n, count(distinct completion_id) as ids, "
            "count(distinct request_number) as numbers from completions "
            "where purpose = 'generation'"
        )
        assert total["n"] == total["ids"]  # one asked once more is another completion
        assert total["numbers"] == requests


def wait_for_lines(folder, lines, process):
    """Wait for this many complete lines in the journal, and return them."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert process.poll() is None, "the run ended before it was killed"
        found = sum(path.read_bytes().count(b"\n") for path in folder.glob("*.jsonl"))
        if found >= lines:
            return found
        time.sleep(0.02)
    raise AssertionError("the journal did not grow")


def test_the_report_says_what_to_do_before_anything_was_made(environment):
    result = run([sys.executable, "-m", "bioinstruct_dagster.report"], environment)
    assert result.returncode == 1
    assert "Materialize the first asset" in result.stderr
    assert "Traceback" not in result.stderr
