"""Preview before paying: no request without permission, and no reply that is paid for twice."""

import json
import re
from collections import Counter

import dagster as dg
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.generation.__main__ import main
from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store

SET = [dg.AssetKey(name) for name in ("seed_tasks", "raw_instructions")]


@pytest.fixture
def shell(monkeypatch, settings):
    """A user's shell whose outputs go to the test's folder."""

    def set_to(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, str(value))

    set_to(BIOINSTRUCT_DATA_DIR=settings.store.data_dir)
    return set_to


@pytest.fixture
def server(shell):
    """A server of OpenAI's kind over HTTP, and a shell whose teacher it is."""
    teacher = RehearsalTeacher(read_recordings(), options=ServerOptions())
    with serve_teacher(teacher) as url:
        shell(
            BIOINSTRUCT_TEACHER="openai", BIOINSTRUCT_TEACHER_MODEL="gpt-4.1-mini",
            OPENAI_API_KEY="sk-of-the-tests", OPENAI_BASE_URL=url,
        )  # fmt: skip
        yield teacher


@pytest.fixture
def shown(capsys):
    """Run the command; its output. The status must be the expected one."""

    def run(*options, status=0):
        assert main(["preview", *options]) == status
        out = capsys.readouterr()
        return out.out if status == 0 else out.err

    return run


def completions(settings):
    store = Store(settings.store.path)
    return store.rows(
        "select completion_id, request_number, messages, purpose from completions "
        "order by request_number"
    )


def run_set(settings, **changed):
    job = build_defs(settings.changed(**changed)).resolve_job_def("data_set")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=SET)
    assert result.success
    return result


def test_ten_prompts_and_their_cost_are_shown_and_nothing_is_sent(settings, shell, shown):
    text = shown()
    assert len(re.findall(r"^Prompt \d+ of 10: request \d+, about", text, re.MULTILINE)) == 10
    assert text.count("Write the tasks to this plan") == 10
    assert "These 10 requests. Estimate by rule of thumb: 10 requests" in text
    assert "goal 380 rows; the gates keep 0" in text
    assert "No cap is set" in text
    assert "Nothing was sent." in text
    assert completions(settings) == []


def test_without_a_key_a_paid_teacher_s_prompts_are_shown_too(settings, shell, shown):
    shell(BIOINSTRUCT_TEACHER="openai", BIOINSTRUCT_TEACHER_MODEL="gpt-4.1-mini")
    text = shown("--prompts", "2")
    assert "about $0.0" in text
    assert "The server has not been asked yet" in text
    assert "OPENAI_API_KEY" in shown("--ask", "1", status=1)


def test_the_run_sends_the_prompts_that_were_shown(settings, shell, shown):
    text = shown("--prompts", "3")
    run_set(settings, requests=3, instructions=380)
    [*sent] = completions(settings)
    assert len(sent) == 3
    for completion in sent:
        for message in json.loads(completion["messages"]):
            assert message["content"] in text


def test_replies_are_shown_with_the_gates_decisions_and_stored(settings, shell, shown):
    text = shown("--prompts", "1", "--ask", "3")
    assert text.count("Reply ") == 3
    marks = Counter(re.findall(r"^(KEPT|REJECTED)", text, re.MULTILINE))
    assert marks["KEPT"] > 0
    assert f"the gates keep {marks['KEPT']} of {marks.total()} rows" in text
    assert "that a rehearsal only pretends" in text
    assert [row["request_number"] for row in completions(settings)] == [0, 1, 2]


@pytest.mark.slow
def test_the_gates_of_the_later_run_decide_as_the_preview_said(settings, shell, shown):
    text = shown("--prompts", "1", "--ask", "3")
    said = Counter(re.findall(r"^(KEPT|REJECTED by the gate \w+)", text, re.MULTILINE))
    small = settings.changed(requests=3, instructions=380)
    job = build_defs(small).resolve_job_def("data_set")
    keys = [*SET, dg.AssetKey("deduplicated_instructions")]
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, asset_selection=keys).success
    store = Store(settings.store.path)
    assert len(completions(settings)) == 3
    [kept] = store.rows("select count(*) as n from deduplicated_instructions")
    assert kept["n"] == said["KEPT"]


def test_a_later_run_reuses_the_replies_and_pays_only_for_new_ones(settings, server, shown):
    shown("--prompts", "1", "--ask", "3")
    before = server.ledger.as_json()
    assert before["billed"] == len(completions(settings))
    second = shown("--prompts", "1")  # a preview after it begins with the next request
    assert "Prompt 1 of 1: request 3," in second
    assert "by 3 earlier replies" in second
    run_set(load_settings(None), requests=5)
    after = server.ledger.as_json()
    assert after["billed"] == before["billed"] + 2
    assert after["most_billed_of_a_digest"] == 1


def test_no_more_requests_are_sent_than_allowed_even_if_replies_are_useless(shell, shown, settings):
    """Three may be paid, so a second draw of a useless reply counts too."""
    options = ServerOptions(faults={"malformed": 1.0})
    teacher = RehearsalTeacher(read_recordings(), options=options)
    with serve_teacher(teacher) as url:
        shell(
            BIOINSTRUCT_TEACHER="openai", BIOINSTRUCT_TEACHER_MODEL="gpt-4.1-mini",
            OPENAI_API_KEY="sk-of-the-tests", OPENAI_BASE_URL=url,
            BIOINSTRUCT_REPLY_FORMAT="json_schema",
        )  # fmt: skip
        main(["preview", "--prompts", "1", "--ask", "3"])
    generated = [row for row in completions(settings) if row["purpose"] == "generation"]
    assert len(generated) <= 3


def test_caps_hold_in_a_preview(settings, server, shell, shown):
    shown("--prompts", "1", "--ask", "1")
    spent = server.ledger.as_json()["billed"]
    shell(BIOINSTRUCT_MAX_TOKENS=1)
    text = shown("--prompts", "1", "--ask", "3")
    assert "BIOINSTRUCT_MAX_TOKENS" in text
    assert "0 replies received" in text
    assert server.ledger.as_json()["billed"] == spent


def test_a_preview_of_batches_asks_online(settings, shell, shown):
    shell(BIOINSTRUCT_SERVICE="batch")
    assert "3 replies received" in shown("--prompts", "1", "--ask", "3")


def test_an_imported_set_has_no_requests(shell, shown):
    shell(BIOINSTRUCT_IMPORT="rows.jsonl")
    assert "sends no request" in shown(status=1)


@pytest.mark.parametrize("options", [["--ask", "0"], ["--ask", "11"], ["--prompts", "0"]])
def test_senseless_numbers_are_refused(shell, options, capsys):
    with pytest.raises(SystemExit):
        main(["preview", *options])
    assert "is not between" in capsys.readouterr().err
