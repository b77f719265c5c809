"""Generation and the gates with llama.cpp's server: a run, a second run, caps, and refusals."""

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
    # A grammar holds the reply to the schema, so that only its end can be missing.
    assert set(outcomes["named"]) <= {"parsed", "truncated"}


def test_a_second_run_sends_nothing(ran):
    claims.a_second_run_sends_nothing(*ran)
