"""The parent's side of the model process: messages while it runs, faults in words, and its end."""

import json
import signal
import subprocess
import sys
import warnings
from contextlib import closing

import dagster as dg
import pytest

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.compute.launcher import ModelProcessError
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster_tests.models.steps import (
    alive,
    any_alive,
    await_that,
    in_a_run,
    messages_and_error,
)


def test_a_message_is_there_while_the_process_still_runs(work_module, tmp_path):
    go_on = tmp_path / "go on"
    steps = [
        {"report": {"kind": "adapter", "experiment": "a|all"}},
        {"wait_for": str(go_on)},
        {"report": {"kind": "adapter", "experiment": "b|all"}},
    ]

    def use(context):
        with closing(ModelProcess().stream(context, work_module, json.dumps(steps))) as messages:
            first = next(messages)
            go_on.touch()  # the process can't have ended before this
            return [first, *messages]

    assert [message["experiment"] for message in in_a_run(use)] == ["a|all", "b|all"]


def test_dagster_warns_of_no_part_of_its_own(work_module):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        messages_and_error(ModelProcess(), {"report": {"kind": "adapter"}})
    assert not [one for one in caught if "expected_writer_count" in str(one.message)]


def test_messages_longer_than_any_buffer_arrive_whole(work_module):
    messages, error = messages_and_error(ModelProcess(), *[{"long": 300_000}] * 3)
    assert error is None
    assert [len(message["text"]) for message in messages] == [300_000] * 3


def test_what_is_no_message_is_printed(work_module, capfd):
    made = {"kind": "adapter", "loss": 1.5}
    steps = [{"print": '{"a": 1}'}, {"log": "half-way"}, {"report": made}]
    assert messages_and_error(ModelProcess(), *steps) == ([made], None)
    shown = capfd.readouterr()
    assert '{"a": 1}' in shown.out
    assert "half-way" in shown.err


def test_a_stated_error_is_raised_after_the_messages_before_it(work_module):
    messages, error = messages_and_error(
        ModelProcess(), {"report": {"kind": "adapter"}}, {"state": "no such model: give another"}
    )
    assert messages == [{"kind": "adapter"}]
    assert isinstance(error, StatedError)
    assert str(error) == "no such model: give another"


def test_a_fault_of_the_code_is_no_message_for_the_user(work_module):
    messages, error = messages_and_error(
        ModelProcess(), {"report": {"kind": "adapter"}}, {"raise": "?"}
    )
    assert messages == [{"kind": "adapter"}]
    assert isinstance(error, dg.Failure)
    assert "exit status 1" in error.description


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "memory is full"),
        (signal.SIGTERM, "asked to end from outside"),
        (signal.SIGSEGV, r"crashed \(SIGSEGV\)"),
    ],
)
def test_a_killed_process_keeps_what_it_reported_and_says_why(work_module, number, words):
    messages, error = messages_and_error(
        ModelProcess(), {"report": {"kind": "adapter", "experiment": "a|all"}}, {"signal": number}
    )
    assert messages == [{"kind": "adapter", "experiment": "a|all"}]
    with pytest.raises(ModelProcessError, match=words):
        raise error


@pytest.mark.parametrize("own_group", [False, True])
@pytest.mark.parametrize("deaf", [False, True])
def test_closing_the_stream_ends_the_process_and_its_children(
    work_module, tmp_path, monkeypatch, own_group, deaf
):
    monkeypatch.setattr("bioinstruct_dagster.models.compute.local._SECONDS_TO_END", 0.2)
    pids = tmp_path / "pids"
    steps = [
        *([{"deaf": True}] if deaf else []),
        {"children": str(pids), "own_group": own_group},
        {"report": {"kind": "started"}},
        {"wait_for": str(tmp_path / "never")},
    ]

    def use(context):
        with closing(ModelProcess().stream(context, work_module, json.dumps(steps))) as messages:
            next(messages)
            return [alive(int(pid)) for pid in pids.read_text("utf-8").split()]

    assert in_a_run(use) == [True, True]
    await_that(lambda: not any_alive(pids))


@pytest.mark.parametrize("step", [{"report": {"kind": "started"}}, {"signal": signal.SIGKILL}])
def test_a_process_that_is_ended_gives_no_advice_about_pipes(work_module, tmp_path, capfd, step):
    steps = [step, {"wait_for": str(tmp_path / "never")}]

    def use(context):
        with closing(ModelProcess().stream(context, work_module, json.dumps(steps))) as messages:
            try:
                return next(messages)
            except StatedError as error:
                return error

    in_a_run(use)
    shown = capfd.readouterr()
    assert "opened dagster pipes" in shown.err
    assert "WARNING" not in shown.err


CANCELLED = """
import json, sys
import dagster as dg
from bioinstruct_dagster.models.process.parent import ModelProcess

@dg.asset
def adapters(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for message in ModelProcess().stream(context, "work_of_a_test", sys.argv[1]):
        print("reported", flush=True)
    return dg.MaterializeResult()

dg.materialize([adapters])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_process_ends_when_its_run_is_cancelled_or_killed(work_module, tmp_path, number):
    pids = tmp_path / "pids"
    steps = [
        {"children": str(pids), "own_group": False},
        {"report": {"kind": "started"}},
        {"wait_for": str(tmp_path / "never")},
    ]
    run = subprocess.Popen(
        [sys.executable, "-c", CANCELLED, json.dumps(steps)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with run:
        assert run.stdout
        assert "reported\n" in run.stdout  # reads no further than to this line
        run.send_signal(number)
        run.communicate()
    assert run.returncode != 0
    await_that(lambda: not any_alive(pids))
