"""The session on a GPU: it says why it measures nothing, and runs on a CPU with a small shape."""

import json

import pytest
import torch

from benchmarks.training.gpu import SHAPES, GpuRun, main, render


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_the_session_says_so(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == "Skipped: torch sees no CUDA device on this machine.\n"


def test_a_small_shape_on_a_cpu_runs_the_whole_session(tmp_path, capsys):
    arguments = ["--device", "cpu", "--shape", "small", "--only", "ours", "--updates", "3"]
    file = tmp_path / "runs.jsonl"
    assert main([*arguments, "--scratch", str(tmp_path), "--json", str(file)]) == 0
    (run,) = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert run["error"] is None
    values = run["values"]
    assert values["updates"] == 3
    assert values["packed"]
    assert values["useful"] == 1
    assert values["estimated_bytes"] > 0
    assert values["flops_per_token"] > 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| small")]
    assert f"{values['per_second']:,.0f}" in row
    assert [path.name for path in tmp_path.iterdir()] == ["runs.jsonl"]


def test_a_session_out_of_time_starts_no_further_run(tmp_path, capsys):
    arguments = ["--device", "cpu", "--shape", "small", "--only", "ours", "--updates", "3"]
    assert main([*arguments, "--minutes", "0", "--scratch", str(tmp_path)]) == 0
    assert "not measured: 0 s of the session were left" in capsys.readouterr().out


def test_modes_of_a_shape_share_the_counted_limit():
    needs = 26.88e9  # operations a useful token, Llama-2-7B
    common = {"useful": 1.0, "peak_bytes": 40 << 30, "loss": 10.0}
    ours = {"per_second": 15_000.0, "flops_per_token": needs, "estimated_bytes": 44 << 30}
    runs = [
        GpuRun("7b", "ours", common | ours),
        GpuRun("7b", "trl_defaults", common | {"per_second": 3_000.0}),
        GpuRun("13b", "trl_defaults", error="status 1: no memory"),
    ]
    lines = render(runs, "an H200.", 790.0).splitlines()
    assert "| 15,000 | 15,000 | 51.0% | 100.0% | 40.00 GiB | 44.00 GiB | 1.10 |" in lines[-3]
    assert "| 3,000 |  | 10.2% |" in lines[-2]
    assert "not measured: status 1: no memory" in lines[-1]
    assert len({line.count("|") for line in lines[2:]}) == 1
    assert SHAPES["13b"].goal == 7_600
