"""Generation and the gates with a LiteLLM proxy in front of llama.cpp's server."""

from dataclasses import replace

import pytest

from bioinstruct_dagster_tests.servers import claims
from bioinstruct_dagster_tests.servers.runs import Project, shown, why_it_failed


@pytest.fixture(scope="module")
def proxy(litellm_servers):
    """The proxy, with the model that has room for every prompt."""
    return litellm_servers["smollm2"]


@pytest.fixture(scope="module")
def ran(proxy, tmp_path_factory):
    """A project whose run has ended, and the result of the run."""
    project = Project(proxy, tmp_path_factory.mktemp("litellm"))
    return project, project.run()


def test_a_run_ends_with_stored_replies_outcomes_and_verdicts(ran, proxy):
    project, result = ran
    assert result.success
    claims.replies_are_stored(project, proxy)
    claims.outcomes_are_named(project)
    claims.every_row_has_verdicts(project)
    claims.kept_rows_have_labels(project)
    assert shown(result)["reply_format"] == "json_schema"


def test_a_second_run_sends_nothing(ran):
    claims.a_second_run_sends_nothing(*ran)


def test_the_responses_api_works_too(proxy, tmp_path):
    project = Project(proxy, tmp_path, api="responses", requests=2)
    claims.the_end_is_clean(project.run("seed_tasks", "raw_instructions"))
    claims.replies_are_stored(project, proxy)
    [dialect] = project.rows("select api from teacher_dialects")
    assert dialect["api"] == "responses"


def test_an_unknown_model_is_refused_in_the_proxys_words(proxy, tmp_path):
    wrong = replace(proxy, model="no-such-model")
    result = Project(wrong, tmp_path).run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    for said in ("Invalid model name passed in model=no-such-model", wrong.url):
        assert said in why


def test_a_wrong_key_is_refused_and_never_shown(proxy, tmp_path):
    wrong = replace(proxy, key="sk-not-a-key-of-this-proxy-0123456789")
    result = Project(wrong, tmp_path).run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    assert "No connected db." in why  # what the proxy says without a database of keys
    assert wrong.url in why
    assert wrong.key not in why


def test_prompts_that_are_too_long_end_the_run_with_the_servers_words(litellm_servers, tmp_path):
    small = litellm_servers["smollm2-small"]
    project = Project(small, tmp_path, requests=None, instructions=300)
    result = project.run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    assert "exceeds the available context size (512 tokens)" in why
    assert "BIOINSTRUCT_" in why
    [sent] = project.rows("select sum(asked + failed) as requests from teacher_rounds")
    assert sent["requests"] < 100


def test_a_cap_in_tokens_holds(proxy, tmp_path):
    cap = 20_000
    project = Project(proxy, tmp_path, max_tokens=cap, requests=None, instructions=300)
    result = project.run("seed_tasks", "raw_instructions")
    assert result.success
    assert "BIOINSTRUCT_MAX_TOKENS" in shown(result)["stopped"]
    claims.the_cap_holds(project, cap)
