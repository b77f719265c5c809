"""Generation and the gates with llama.cpp's server: a run, a second run, caps, and refusals."""

from dataclasses import replace

import pytest

from bioinstruct_dagster_tests.servers import claims
from bioinstruct_dagster_tests.servers.runs import Project, shown, why_it_failed


@pytest.fixture(scope="module")
def ran(llama_server, tmp_path_factory):
    """A project whose run has ended, and the result of the run."""
    project = Project(llama_server, tmp_path_factory.mktemp("llama"))
    return project, project.run()


def test_a_run_ends_with_stored_replies_outcomes_and_verdicts(ran, llama_server):
    project, result = ran
    assert result.success
    claims.replies_are_stored(project, llama_server)
    claims.outcomes_are_named(project)
    claims.every_row_has_verdicts(project)
    claims.kept_rows_have_labels(project)


def test_it_replies_by_json_schema(ran):
    project, result = ran
    assert shown(result)["reply_format"] == "json_schema"
    [outcomes] = project.rows("select list(distinct outcome) as named from completion_outcomes")
    # A grammar holds the reply to the schema, so that only its end or its tasks can be missing.
    assert set(outcomes["named"]) <= {"parsed", "truncated", "empty"}


def test_a_second_run_sends_nothing(ran):
    claims.a_second_run_sends_nothing(*ran)


@pytest.mark.parametrize("reply_format", ["json_object", "text"])
def test_a_reply_format_that_the_user_sets_is_used(llama_server, tmp_path, reply_format):
    project = Project(llama_server, tmp_path, reply_format=reply_format, requests=2)
    claims.the_end_is_clean(project.run("seed_tasks", "raw_instructions"))
    [stored] = project.rows("select list(distinct reply_format) as forms from completions")
    assert stored["forms"] == [reply_format]
    claims.replies_are_stored(project, llama_server)


def test_the_responses_api_works_too(llama_server, tmp_path):
    project = Project(llama_server, tmp_path, api="responses", reply_format="text", requests=3)
    claims.the_end_is_clean(project.run("seed_tasks", "raw_instructions"))
    claims.replies_are_stored(project, llama_server)
    [dialect] = project.rows("select api, reply_format from teacher_dialects")
    assert dialect == {"api": "responses", "reply_format": "text"}
    # The server says "completed" of a reply that it cut at the limit.
    full = project.rows(
        "select finish_reason from completions where completion_tokens >= "
        "(parameters ->> 'max_completion_tokens')::bigint"
    )
    assert {reply["finish_reason"] for reply in full} == {"length"}


def test_a_cap_in_tokens_holds(llama_server, tmp_path):
    cap = 20_000
    project = Project(llama_server, tmp_path, max_tokens=cap, requests=None, instructions=300)
    result = project.run("seed_tasks", "raw_instructions")
    assert result.success
    assert "BIOINSTRUCT_MAX_TOKENS" in shown(result)["stopped"]
    claims.the_cap_holds(project, cap)


def test_prompts_that_are_too_long_end_the_run_with_the_servers_words(small_llama_server, tmp_path):
    project = Project(small_llama_server, tmp_path, requests=None, instructions=300)
    result = project.run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    assert "exceeds the available context size (512 tokens)" in why
    assert "BIOINSTRUCT_" in why
    [sent] = project.rows("select sum(asked + failed) as requests from teacher_rounds")
    assert sent["requests"] < 100
    assert project.rows("select distinct purpose from completions") == [{"purpose": "probe"}]


def test_a_wrong_path_is_told_from_a_wrong_model(llama_server, tmp_path):
    wrong = replace(llama_server, url=llama_server.url.replace("/v1", "/v2"))
    result = Project(wrong, tmp_path).run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    for said in (wrong.url, wrong.model, "File Not Found", "OPENAI_BASE_URL"):
        assert said in why


def test_a_server_that_has_stopped_is_named(stopped_llama_server, tmp_path):
    result = Project(stopped_llama_server, tmp_path).run("seed_tasks", "raw_instructions")
    assert not result.success
    assert stopped_llama_server.url in why_it_failed(result)
