"""Generation and the gates with `transformers serve`, which ignores a requested reply format."""

from dataclasses import replace

import pytest

from bioinstruct_dagster_tests.servers import claims
from bioinstruct_dagster_tests.servers.runs import Project, why_it_failed


@pytest.fixture(scope="module")
def ran(transformers_server, tmp_path_factory):
    """A project whose run has ended, and the result of the run."""
    folder = tmp_path_factory.mktemp("transformers")
    # On one CPU thread, a request takes half a minute and more.
    project = Project(transformers_server, folder, requests=2, concurrency=1)
    return project, project.run()


def test_a_run_ends_with_stored_replies_outcomes_and_verdicts(ran, transformers_server):
    project, result = ran
    claims.the_end_is_clean(result)
    claims.replies_are_stored(project, transformers_server)
    if result.success:  # as text, this model may write no task that can be read
        claims.outcomes_are_named(project)
        claims.every_row_has_verdicts(project)
        claims.kept_rows_have_labels(project)


def test_the_probe_sees_that_the_schema_is_ignored(ran):
    project, _ = ran
    [dialect] = project.rows("select reply_format, evidence from teacher_dialects")
    assert dialect["reply_format"] == "text"
    assert "json_schema" in dialect["evidence"]


def test_a_second_run_sends_nothing(ran):
    claims.a_second_run_sends_nothing(*ran)


def test_the_responses_api_works_too(transformers_server, tmp_path):
    project = Project(transformers_server, tmp_path, api="responses", requests=2)
    claims.the_end_is_clean(project.run("seed_tasks", "raw_instructions"))
    claims.replies_are_stored(project, transformers_server)
    [dialect] = project.rows("select api from teacher_dialects")
    assert dialect["api"] == "responses"


def test_a_wrong_model_is_refused_in_the_servers_words(transformers_server, tmp_path):
    wrong = replace(transformers_server, model="no-such-model")
    result = Project(wrong, tmp_path).run("seed_tasks", "raw_instructions")
    assert not result.success
    why = why_it_failed(result)
    for said in ("Server is pinned to", wrong.url, "no-such-model"):
        assert said in why


def test_a_cap_in_tokens_holds(transformers_server, tmp_path):
    cap = 12_000
    project = Project(
        transformers_server, tmp_path, max_tokens=cap, requests=None, instructions=300
    )
    project.run("seed_tasks", "raw_instructions")
    claims.the_cap_holds(project, cap)
    [round_] = project.rows("select stopped from teacher_rounds")
    assert "BIOINSTRUCT_MAX_TOKENS" in round_["stopped"]
