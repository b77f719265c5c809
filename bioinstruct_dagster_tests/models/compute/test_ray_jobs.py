"""The model process as a job of a real Ray cluster of two nodes, bound to loopback."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.models.compute.choice import launchers
from bioinstruct_dagster.models.compute.launcher import ModelProcessError
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import PROJECT_ROOT, Settings
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster_tests.models.steps import (
    MODULE,
    WORK,
    any_alive,
    await_that,
    in_a_run,
    messages_and_error,
)

pytestmark = pytest.mark.slow

# In a process of its own: Ray can't go back to another cluster in a process that started one.
CLUSTER = """
import sys
from ray.cluster_utils import Cluster

node = {"num_cpus": 1, "object_store_memory": 80 << 20, "node_ip_address": "127.0.0.1"}
cluster = Cluster(
    initialize_head=True, head_node_args={**node, "include_dashboard": True, "dashboard_port": 0}
)
cluster.add_node(**node)
print(cluster.webui_url, flush=True)
sys.stdin.read()
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def job_server(tmp_path_factory):
    """A head and one more node, one processor each; the address of the job server."""
    pytest.importorskip("aiohttp_cors", reason="Ray's job server needs the extra `ray`")
    folder = tmp_path_factory.mktemp("modules")
    (folder / f"{MODULE}.py").write_text(WORK, "utf-8")
    environment = {
        **os.environ,
        "RAY_USAGE_STATS_ENABLED": "0",
        # Ray replaces 127.0.0.1 by the machine's own address, where nothing of this test listens.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "PYTHONPATH": f"{folder}{os.pathsep}{PROJECT_ROOT}",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BIOINSTRUCT_DATA_DIR": str(tmp_path_factory.mktemp("nodes")),
        "OMP_NUM_THREADS": "1",
    }
    cluster = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert cluster.stdout
    address = next(line for line in cluster.stdout if line.startswith("127.0.0.1:")).strip()
    yield f"http://{address}"
    cluster.communicate("")


@pytest.fixture
def process(job_server, tmp_path):
    settings = Settings.of(
        compute="ray",
        ray_jobs=job_server,
        exchange_url=f"file://{tmp_path}/exchange",
        compute_gpus=0,
        compute_cpus=1,
        compute_memory=1,
    )
    return ModelProcess(launchers(settings.compute))


def test_two_partitions_train_on_two_nodes_the_bits_of_this_machine(
    process, training_spec, tiny_base, adapter, tmp_path
):
    specs = [
        replace(training_spec, adapters_dir=str(tmp_path / "home"), seed=seed)
        for seed in (training_spec.seed, training_spec.seed + 1)
    ]
    results: dict[int, dict] = {}

    def train(process, spec):
        (message,) = in_a_run(
            lambda context: list(
                process.stream(
                    context, "bioinstruct_dagster.training", StudySpec((spec,)).to_json()
                )
            )
        )
        assert message["kind"] == "adapter", message
        results[spec.seed] = message["result"]
        return message["result"]

    threads = [threading.Thread(target=train, args=(process, spec)) for spec in specs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = (results[spec.seed] for spec in specs)
    expected = train(ModelProcess(), replace(specs[1], adapters_dir=str(tmp_path / "local")))
    assert first["adapter_sha256"] == adapter["adapter_sha256"]
    assert second["adapter_sha256"] == expected["adapter_sha256"]
    assert second["adapter_sha256"] != first["adapter_sha256"]
    for result in (first, second):
        home = Path(result["adapter_path"])
        assert home.is_relative_to(tmp_path / "home")
        assert (home / "adapter_model.safetensors").is_file()


def test_a_stated_error_and_a_kill_are_said_in_words(process):
    messages, error = messages_and_error(
        process, {"report": {"kind": "adapter"}}, {"state": "no such model: give another"}
    )
    assert messages == [{"kind": "adapter"}]
    assert str(error) == "no such model: give another"
    messages, error = messages_and_error(process, {"report": {"kind": "adapter"}}, {"signal": 9})
    assert messages == [{"kind": "adapter"}]
    with pytest.raises(ModelProcessError, match="memory was full"):
        raise error


def test_the_job_ends_when_the_stream_is_closed_and_a_second_start_replaces_it(process, tmp_path):
    def steps(pids):
        return json.dumps(
            [
                {"children": str(pids), "own_group": False},
                {"report": {"kind": "started"}},
                {"wait_for": str(tmp_path / "never")},
            ]
        )

    def use(context):
        first = process.stream(context, MODULE, steps(tmp_path / "first"))
        next(first)
        assert any_alive(tmp_path / "first")
        second = process.stream(context, MODULE, steps(tmp_path / "second"))
        next(second)
        await_that(lambda: not any_alive(tmp_path / "first"))
        assert any_alive(tmp_path / "second")
        first.close()  # it does not stop the second
        assert any_alive(tmp_path / "second")
        second.close()
        await_that(lambda: not any_alive(tmp_path / "second"))
        return True

    assert in_a_run(use)


def test_a_job_server_that_does_not_answer_is_named(tmp_path):
    pytest.importorskip("aiohttp_cors", reason="Ray's job client needs the extra `ray`")
    settings = Settings.of(
        compute="ray", ray_jobs="http://127.0.0.1:9", exchange_url=f"file://{tmp_path}/exchange"
    )
    _, error = messages_and_error(ModelProcess(launchers(settings.compute)))
    with pytest.raises(ModelProcessError, match="BIOINSTRUCT_RAY_JOBS: the job server"):
        raise error
