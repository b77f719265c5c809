"""The teacher's checks of kept rows, as a user switches them on and off."""

import pytest

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster_tests.curation.imports import (
    SOUND,
    Imported,
    checked,
    shown,
    why_it_failed,
)
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, live

# The rehearsal teacher objects to a link alone. The rule that finds it without a teacher is off.
LINK_ROW = (
    "Say how asthma is treated in children.",
    "https://example.org/asthma/12",
    "With inhaled steroids.",
)
BLOCKED_ROW = ("Say how asthma is treated in small children.", "", "With inhaled steroids.")
ROWS = [SOUND[0], LINK_ROW, SOUND[1], BLOCKED_ROW]
TEACHER_VERDICTS = (
    "select rule, verdict, place from verdicts where gate = 'quality' and rule like 'llm%'"
)
REQUEST_COUNT = "select count(*) as n from completions where purpose = 'quality_check'"


@pytest.fixture
def project(settings, tmp_path):
    return Imported(settings, tmp_path)


def asking(project, action="reject"):
    """A rules file with rules that need the teacher."""
    return project.rules(ungrounded_input="off", llm_ungrounded=action)


def silent(project):
    """The same rules without those that need the teacher."""
    return project.rules(ungrounded_input="off")


def test_a_row_that_the_teacher_drops_makes_room_for_another(project):
    project.run(ROWS, quality_rules=silent(project))
    assert project.kept() == [SOUND[0][0], LINK_ROW[0], SOUND[1][0]]
    assert project.dropped() == {BLOCKED_ROW[0]: "novelty: repeats_kept_row"}
    assert project.values(REQUEST_COUNT) == [0]

    rules = asking(project)
    result = project.run(quality_rules=rules)
    assert project.kept() == [SOUND[0][0], SOUND[1][0], BLOCKED_ROW[0]]
    assert project.dropped() == {LINK_ROW[0]: "quality: llm_ungrounded"}
    assert project.store.rows(TEACHER_VERDICTS) == [
        {"rule": "llm_ungrounded", "verdict": "reject", "place": 100}
    ]
    # One request is about the kept rows, the other about the row that becomes kept.
    assert project.values(REQUEST_COUNT) == [2]
    assert len(project.values("select check_key from quality_checks")) == 4
    assert shown(result)["dagster/row_count"] == 3
    said = project.store.rows("from verdicts order by all")

    again = project.run(quality_rules=rules)
    assert set(checked(again).values()) == {0}
    assert project.values(REQUEST_COUNT) == [2]
    assert project.store.rows("from verdicts order by all") == said

    off = project.run(quality_rules=silent(project))
    assert shown(off)["dagster/row_count"] == 3
    assert project.kept() == [SOUND[0][0], LINK_ROW[0], SOUND[1][0]]
    assert project.store.rows(TEACHER_VERDICTS) == []
    assert len(project.values("select check_key from quality_checks")) == 4
    assert "llm_ungrounded" in project.values("select rule from superseded_verdicts")


def test_a_flag_keeps_the_row_and_only_new_rows_are_asked(project):
    rules = asking(project, "flag")
    result = project.run(ROWS, quality_rules=rules)
    assert shown(result)["flagged"] == 1
    project.run([*ROWS, SOUND[2]], quality_rules=rules)
    rows = project.store.rows("from deduplicated_instructions order by ordinal")
    assert [row["flags"] for row in rows] == [[], ["quality: llm_ungrounded"], [], []]
    first, second = project.values(
        "select messages::varchar from completions where purpose = 'quality_check' "
        "order by requested_at"
    )
    assert LINK_ROW[0] in first
    assert SOUND[2][0] in second
    assert LINK_ROW[0] not in second


def test_a_check_is_valid_for_one_text_and_one_teacher(project):
    # Redaction of identifiers changes the text of the row that the teacher checks.
    private = ("Say how gout is treated for MRN: 4839201.", "https://example.org/1", "Colchicine.")
    rules = asking(project)
    project.run([private], quality_rules=rules, privacy="off")
    assert project.kept() == []
    project.run(quality_rules=rules, privacy="redact")
    assert project.dropped() == {private[0]: "quality: llm_ungrounded"}
    contents = project.values("select messages::varchar from completions order by requested_at")
    assert ["<MRN>" in content for content in contents] == [False, True]
    project.run(quality_rules=rules, privacy="redact", teacher_model="another-teacher")
    assert project.dropped() == {private[0]: "quality: llm_ungrounded"}
    models = project.values("select model from quality_checks order by 1")
    assert models == ["another-teacher", "rehearsal-teacher", "rehearsal-teacher"]


def test_with_the_batch_api_a_later_run_reads_the_checks(project):
    rules = asking(project)
    with live() as server:
        connection = {
            "teacher": "openai",
            "teacher_model": MODEL,
            "openai_base_url": server.endpoint.base_url,
            "openai_api_key": KEY,
            "service": "batch",
            "reply_format": "json_schema",
        }
        project.settings = project.settings.changed(**connection)
        results = [project.run(ROWS, quality_rules=rules)]
        while not results[-1].asset_materializations_for_node("deduplicated_instructions"):
            assert results[-1].success
            assert len(results) < 5
            results.append(project.run(quality_rules=rules))
        # The first batch, and one for the row that becomes kept.
        assert len(results) == 3
        assert (server.count("POST", "/batches"), server.repeated) == (2, 1)
    assert project.kept() == [SOUND[0][0], SOUND[1][0], BLOCKED_ROW[0]]
    assert KEY not in str(project.store.rows("from completions"))


def test_a_teacher_that_cannot_be_reached_is_named(project):
    with live() as server:
        url = server.endpoint.base_url
    result = project.run(
        ROWS,
        quality_rules=asking(project),
        teacher="openai",
        openai_base_url=url,
        openai_api_key=Settings.of(openai_api_key=KEY).teacher.api_key,
        reply_format="json_schema",
    )
    message = why_it_failed(result, "deduplicated_instructions")
    assert url in message
    assert "OPENAI_BASE_URL" in message
