"""The teacher's word on rows, over the real rehearsal teacher and in replies of any form."""

import json

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import QUALITY_RULES
from bioinstruct_dagster.curation.quality.llm_checks import (
    BATCH,
    MOST_REASON,
    TeacherCheck,
    ask_checks,
    asked_for,
    check_key,
    check_requests,
    findings_of,
    is_check_list,
    read_checks,
    stored_checks,
    template_sha256,
)
from bioinstruct_dagster.curation.quality.rules import read_rules
from bioinstruct_dagster.teacher.rounds import Terms, open_teacher
from bioinstruct_dagster.teacher.wire.client import Dialect

LINK = RowTexts("Summarize the linked article.", "https://example.org/12", "It shows a benefit.")
SOUND = RowTexts("Name the drug of first choice in gout.", "", "Colchicine {or} naproxen.")
ROWS = [RowTexts(f"Name drug number {number} of the list.", "", "Gold.") for number in range(12)]


@pytest.fixture
def check(store, settings):
    """Check rows as the stage does, in a store that is there."""
    store.replace({"seed_tasks": []})

    def run(tasks, reply_format="json_schema"):
        with open_teacher(settings) as endpoint:
            return ask_checks(
                tasks,
                endpoint,
                store,
                teacher=settings.teacher.name,
                model=settings.teacher.model,
                log=lambda _: None,
                terms=Terms(concurrency=2, dialect=Dialect(reply_format=reply_format)),
            )

    return run


@pytest.fixture
def stored(store, settings):
    """What the store holds of rows."""
    return lambda tasks: stored_checks(
        tasks, store, teacher=settings.teacher.name, model=settings.teacher.model
    )


@pytest.mark.parametrize("form", ["json_schema", "json_object", "text"])
def test_the_teacher_is_asked_in_batches_and_its_word_is_stored(check, stored, form):
    tally = check([LINK, SOUND, *ROWS], form)
    assert tally.asked == 2
    said = stored([LINK, SOUND, *ROWS])
    assert len(said) == 14
    assert (said[LINK].grounded, said[LINK].correct) == (False, True)
    assert "link" in said[LINK].reason
    assert (said[SOUND].grounded, said[SOUND].correct, said[SOUND].reason) == (True, True, "")
    assert said[SOUND].rehearsal


def test_no_row_is_asked_about_twice(check, stored, store):
    assert check([LINK, SOUND, LINK]).asked == 1
    assert check([SOUND, LINK]).asked == 0
    assert check([SOUND, LINK, ROWS[0]]).asked == 1
    assert len(stored([LINK, SOUND, ROWS[0]])) == 3
    assert store.rows("select count(*) as n from quality_checks")[0]["n"] == 3


def test_another_teacher_or_text_is_another_row(check, stored, store):
    check([SOUND])
    assert stored([SOUND._replace(output="Naproxen.")]) == {}
    assert stored_checks([SOUND], store, teacher="openai", model="gpt-4.1") == {}


def test_a_request_covers_its_rows_in_order():
    tasks = [SOUND, *ROWS]
    requests = list(check_requests(tasks, teacher="rehearsal", model="m"))
    assert [len(batch) for _, batch in requests] == [BATCH, 3]
    assert [task for _, batch in requests for task in batch] == tasks
    request, _ = requests[0]
    assert request.purpose == "quality_check"
    assert request.template_sha256 == template_sha256()
    prompt = request.messages[1]["content"]
    assert json.dumps({"number": 1, **SOUND._asdict()}) in prompt
    assert "response_format" in request.parameters
    (in_prose, _), *_ = check_requests(tasks, teacher="r", model="m", reply_format="text")
    assert "response_format" not in in_prose.parameters
    assert in_prose.messages[1]["content"].endswith('"reason": "..."}]}')


def reply(*checks):
    return json.dumps({"checks": list(checks)})


def said(number, grounded=True, correct=True, reason=""):
    return {"number": number, "grounded": grounded, "correct": correct, "reason": reason}


def test_a_reply_is_read_by_number():
    content = reply(said(2, correct=False, reason=" wrong \n dose "), said(1, grounded=False))
    assert read_checks(content, [LINK, SOUND]) == {
        LINK: (False, True, ""),
        SOUND: (True, False, "wrong dose"),
    }


@pytest.mark.parametrize(
    "content",
    [
        "",
        "I can't say.",
        "{}",
        '{"checks": {}}',
        "[" * 9_000,
        reply(said(0), said(3), said("1"), said(True), {"number": 1}),
        reply(said(1, grounded="yes"), said(2, correct=None), "sound"),
        reply(said(1), said(1, correct=False)),
    ],
)
def test_what_is_no_answer_is_none(content):
    assert read_checks(content, [LINK, SOUND]) == {}


def test_fences_are_passed_over_and_reasons_cut():
    content = f"Here:\n```json\n{reply(said(1, reason='x' * 900))}\n```"
    assert read_checks(content, [LINK])[LINK] == (True, True, "x" * MOST_REASON)
    assert is_check_list(content)
    assert is_check_list(reply())
    assert not is_check_list("no")


def test_the_key_tells_rows_teachers_and_models_apart():
    keys = {
        check_key(LINK, "a", "m"),
        check_key(SOUND, "a", "m"),
        check_key(LINK, "b", "m"),
        check_key(LINK, "a", "n"),
        check_key(LINK._replace(output="-"), "a", "m"),
    }
    assert len(keys) == 5


def rules(**actions):
    return [
        rule.model_copy(update={"action": actions.get(rule.id, "off")})
        for rule in read_rules(QUALITY_RULES)
    ]


def test_the_shipped_rules_do_not_ask():
    shipped = read_rules(QUALITY_RULES)
    assert not asked_for(shipped)
    assert findings_of(TeacherCheck(False, False, "", "c"), shipped) == ()
    assert {"llm_ungrounded", "llm_incorrect"} <= {rule.id for rule in shipped}


def test_a_finding_is_made_of_each_objection_whose_rule_is_on():
    on = rules(llm_ungrounded="reject", llm_incorrect="flag")
    assert asked_for(on)
    both = findings_of(
        TeacherCheck(grounded=False, correct=False, reason="why", completion_id="c"), on
    )
    assert [(one.rule, one.verdict) for one in both] == [
        ("llm_ungrounded", "reject"),
        ("llm_incorrect", "flag"),
    ]
    assert both[0].evidence == {"saw": "why", "completion_id": "c"}
    assert both[0].version == next(rule.version for rule in on if rule.id == "llm_ungrounded")
    half = rules(llm_incorrect="flag")
    assert [one.rule for one in findings_of(TeacherCheck(False, False, "", "c"), half)] == [
        "llm_incorrect"
    ]


@pytest.mark.parametrize("answer", [(True, True), (None, None)])
def test_no_objection_is_no_finding(answer):
    on = rules(llm_ungrounded="reject", llm_incorrect="reject")
    assert findings_of(TeacherCheck(*answer, reason="", completion_id="c"), on) == ()
