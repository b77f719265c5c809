"""The model process in a pod, against a stand-in of the API server that runs it."""

import json
import os
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import safe_open

from bioinstruct_dagster.models.compute.choice import launchers
from bioinstruct_dagster.models.compute.launcher import ModelProcessError
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster_tests.models.compute.api_server import ApiServer
from bioinstruct_dagster_tests.models.steps import (
    any_alive,
    await_that,
    in_a_run,
    messages_and_error,
)


@pytest.fixture
def api(work_module, tmp_path, monkeypatch):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    server = ApiServer(environment, tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig))
    # Looking at a pod each two seconds would make these tests slow.
    monkeypatch.setattr(
        "bioinstruct_dagster.models.compute.kubernetes_pods._SECONDS_BETWEEN_LOOKS", 0.05
    )
    yield server
    server.close()


@pytest.fixture
def settings(tmp_path):
    return Settings.of(
        compute="kubernetes",
        exchange_url=f"file://{tmp_path}/exchange",
        kubernetes_image="registry/image:1",
        kubernetes_secret="keys",
        kubernetes_namespace="training",
    )


@pytest.fixture
def process(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("bioinstruct_dagster.models.compute.pod.DATA", str(tmp_path / "pod"))
    return ModelProcess(launchers(settings.compute))


def test_messages_come_from_the_log_while_the_pod_runs_and_the_pod_is_deleted(
    api, process, work_module, tmp_path
):
    go_on = tmp_path / "go on"
    steps = [
        {"report": {"kind": "adapter", "experiment": "a|all"}},
        {"print": "a line that is no message"},
        {"wait_for": str(go_on)},
        {"report": {"kind": "adapter", "experiment": "b|all"}},
    ]

    def use(context):
        with closing(process.stream(context, work_module, json.dumps(steps))) as messages:
            first = next(messages)
            assert len(api.pods) == 1
            go_on.touch()
            return [first, *messages]

    assert [message["experiment"] for message in in_a_run(use)] == ["a|all", "b|all"]
    assert api.methods() == ["POST", "DELETE"]
    assert not api.pods
    assert not list((tmp_path / "exchange" / "runs").glob("*/*"))


def test_a_log_that_breaks_off_loses_and_repeats_nothing(api, process, capfd):
    api.break_log_after = 3
    lines = [{"print": f"line {number}"} for number in range(5)]
    reports = [{"report": {"kind": "adapter", "number": number}} for number in range(3)]
    messages, error = messages_and_error(process, *lines, *reports)
    assert error is None
    assert [message["number"] for message in messages] == [0, 1, 2]
    shown = capfd.readouterr().out.splitlines()
    assert [line for line in shown if line.startswith("line ")] == [f"line {n}" for n in range(5)]
    assert sum(path.partition("?")[0].endswith("/log") for _, path in api.requests) >= 2


def test_a_pod_that_ran_out_of_memory_says_so_after_its_messages(api, process):
    api.reason = "OOMKilled"
    messages, error = messages_and_error(
        process, {"report": {"kind": "adapter"}}, {"signal": signal.SIGKILL}
    )
    assert messages == [{"kind": "adapter"}]
    with pytest.raises(ModelProcessError, match="more than 32 GiB of memory"):
        raise error
    assert not api.pods


def test_a_stated_error_in_the_pod_is_the_steps_error(api, process):
    _, error = messages_and_error(process, {"state": "no such model: give another"})
    assert str(error) == "no such model: give another"
    assert api.methods() == ["POST", "DELETE"]


def test_a_pod_that_somebody_deleted_is_no_success(api, process, work_module, tmp_path):
    steps = [{"report": {"kind": "adapter"}}, {"wait_for": str(tmp_path / "never")}]

    def use(context):
        messages = process.stream(context, work_module, json.dumps(steps))
        next(messages)
        (name,) = api.pods
        api.pods.pop(name).end()
        with pytest.raises(ModelProcessError, match="deleted from outside"):
            list(messages)
        return True

    assert in_a_run(use)


def test_an_image_that_can_not_be_pulled_is_named(api, process, monkeypatch):
    monkeypatch.setattr("bioinstruct_dagster.models.compute.kubernetes_pods._SECONDS_TO_PULL", 0.2)
    api.starts = False
    api.reason = "ImagePullBackOff"
    _, error = messages_and_error(process)
    with pytest.raises(ModelProcessError, match="does not start: ImagePullBackOff: no such image"):
        raise error
    assert not api.pods


def test_a_second_start_of_the_same_run_never_leaves_two_pods(api, process, work_module, tmp_path):
    steps = json.dumps([{"report": {"kind": "adapter"}}, {"wait_for": str(tmp_path / "never")}])

    def use(context):
        first = process.stream(context, work_module, steps)
        next(first)
        second = process.stream(context, work_module, json.dumps([{"report": {"kind": "b"}}]))
        messages = [next(second)]
        with pytest.raises(ModelProcessError, match="Another start of the same step"):
            list(first)  # and it does not delete the second's pod
        assert len(api.pods) == 1
        return [*messages, *second]

    assert in_a_run(use) == [{"kind": "b"}]
    assert len(api.created) == 2
    assert api.most_at_once == 1
    assert not api.pods


CANCELLED = """
import sys
import dagster as dg
from bioinstruct_dagster.models.compute import pod
from bioinstruct_dagster.models.compute.choice import launchers
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import load_settings

pod.DATA = sys.argv[2]

@dg.asset
def adapters(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    process = ModelProcess(launchers(load_settings(None).compute))
    for message in process.stream(context, "work_of_a_test", sys.argv[1]):
        print("reported", flush=True)
    return dg.MaterializeResult()

dg.materialize([adapters])
"""


def test_the_pod_is_deleted_when_the_run_is_cancelled(api, work_module, tmp_path):
    pids = tmp_path / "pids"
    steps = [
        {"children": str(pids), "own_group": False},
        {"report": {"kind": "started"}},
        {"wait_for": str(tmp_path / "never")},
    ]
    variables = {
        "BIOINSTRUCT_COMPUTE": "kubernetes",
        "BIOINSTRUCT_EXCHANGE_URL": f"file://{tmp_path}/exchange",
        "BIOINSTRUCT_KUBERNETES_IMAGE": "registry/image:1",
    }
    run = subprocess.Popen(
        [sys.executable, "-c", CANCELLED, json.dumps(steps), str(tmp_path / "pod")],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout
        assert "reported\n" in run.stdout
        run.send_signal(signal.SIGINT)
        run.communicate()
    assert run.returncode != 0
    assert api.methods() == ["POST", "DELETE"]
    assert not api.pods
    await_that(lambda: not any_alive(pids))


def test_a_server_that_does_not_answer_is_named(settings, tmp_path, monkeypatch):
    (tmp_path / "kubeconfig").write_text("", "utf-8")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    _, error = messages_and_error(ModelProcess(launchers(settings.compute)))
    with pytest.raises(ModelProcessError, match="there is no cluster to use"):
        raise error


def test_a_pod_trains_the_bits_that_this_machine_trains(
    api, process, training_spec, tiny_base, adapter, tmp_path
):
    spec = replace(training_spec, adapters_dir=str(tmp_path / "home"))
    (message,) = in_a_run(
        lambda context: list(
            process.stream(context, "bioinstruct_dagster.training", StudySpec((spec,)).to_json())
        )
    )
    assert message["kind"] == "adapter", message
    result = message["result"]
    home = Path(result["adapter_path"])
    assert home.is_relative_to(tmp_path / "home")
    assert result["adapter_sha256"] == adapter["adapter_sha256"]
    assert home.name == Path(adapter["adapter_path"]).name
    with safe_open(home / "adapter_model.safetensors", "pt") as weights:
        assert list(weights.keys())
    config = json.loads((home / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == f"../../../models/{Path(tiny_base.path).name}"
