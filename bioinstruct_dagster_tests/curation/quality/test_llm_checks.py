"""The teacher's checks of rows, from the real rehearsal teacher and from replies of any form."""

import json

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import QUALITY_RULES
from bioinstruct_dagster.curation.quality.llm_checks import (
    MOST_REASON_CHARS,
    ROWS_PER_REQUEST,
    TeacherCheck,
    needs_teacher,
    quality_question,
    teacher_findings,
)
from bioinstruct_dagster.curation.quality.rules import read_rules
from bioinstruct_dagster.teacher.answers import StoredAnswer, ask_about, stored_answers
from bioinstruct_dagster.teacher.session import open_session
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

LINK_ROW = RowTexts(
    "Summarize the linked article.", "https://example.org/12", "It shows a benefit."
)
SOUND_ROW = RowTexts("Name the drug of first choice in gout.", "", "Colchicine {or} naproxen.")
ROWS = [RowTexts(f"Name drug number {number} of the list.", "", "Gold.") for number in range(12)]


@pytest.fixture
def check(store, settings):
    """Ask the teacher about rows as the stage does, in an existing store."""
    store.replace({"seed_tasks": []})

    def run(tasks, reply_format="json_schema"):
        asking = settings.changed(reply_format=reply_format)
        with open_session(asking, store, lambda _: None) as session:
            return ask_about(session, quality_question(), tasks)[0]

    return run


@pytest.fixture
def stored(store, settings):
    """The stored answers on rows."""

    def look_up(tasks, teacher=settings.teacher.name, model=settings.teacher.model):
        nowhere = Endpoint(None, "k", rehearsal=False)
        session = session_of(nowhere, store, teacher=teacher, model=model)
        return stored_answers(session, quality_question(), tasks)

    return look_up


@pytest.mark.parametrize("form", ["json_schema", "json_object", "text"])
def test_the_teacher_is_asked_in_batches_and_answers_are_stored(check, stored, form):
    tally = check([LINK_ROW, SOUND_ROW, *ROWS], form)
    assert tally.asked == 2
    said = stored([LINK_ROW, SOUND_ROW, *ROWS])
    assert len(said) == 14
    assert said[LINK_ROW].answer == TeacherCheck(grounded=False, correct=True)
    assert "link" in said[LINK_ROW].answer.reason
    assert said[SOUND_ROW].answer == TeacherCheck(grounded=True, correct=True)
    assert said[SOUND_ROW].answer.reason == ""
    assert said[SOUND_ROW].rehearsal


def test_no_row_is_asked_about_twice(check, stored, store):
    assert check([LINK_ROW, SOUND_ROW, LINK_ROW]).asked == 1
    assert check([SOUND_ROW, LINK_ROW]).asked == 0
    assert check([SOUND_ROW, LINK_ROW, ROWS[0]]).asked == 1
    assert len(stored([LINK_ROW, SOUND_ROW, ROWS[0]])) == 3
    assert store.rows("select count(*) as n from quality_checks")[0]["n"] == 3


def test_another_teacher_or_text_is_another_row(check, stored):
    check([SOUND_ROW])
    assert stored([SOUND_ROW._replace(output="Naproxen.")]) == {}
    assert stored([SOUND_ROW], "openai", "gpt-4.1") == {}


def test_a_request_covers_its_rows_in_order():
    tasks = [SOUND_ROW, *ROWS]
    prompt = quality_question().prompt
    requests = list(prompt.requests(tasks, teacher="rehearsal", model="m"))
    assert [len(batch) for _, batch in requests] == [ROWS_PER_REQUEST, 3]
    assert [task for _, batch in requests for task in batch] == tasks
    request, _ = requests[0]
    assert request.purpose == "quality_check"
    assert request.template_sha256 == prompt.template_sha256()
    assert json.dumps({"number": 1, **SOUND_ROW._asdict()}) in request.messages[1]["content"]
    assert "response_format" in request.parameters
    (in_prose, _), *_ = prompt.requests(tasks, teacher="r", model="m", reply_format="text")
    assert "response_format" not in in_prose.parameters
    assert in_prose.messages[1]["content"].endswith('"reason": "..."}]}')


def reply(*checks):
    return json.dumps({"checks": list(checks)})


def said(number, grounded=True, correct=True, reason=""):
    return {"number": number, "grounded": grounded, "correct": correct, "reason": reason}


def read_checks(content, batch):
    """Grounded, correct and reason by row."""
    answers = quality_question().answers_in(content, batch)
    return {task: (said.grounded, said.correct, said.reason) for task, said in answers.items()}


def check_key(task, teacher, model):
    return quality_question().key(task, teacher, model)


def test_a_reply_is_read_by_number():
    content = reply(said(2, correct=False, reason=" wrong \n dose "), said(1, grounded=False))
    assert read_checks(content, [LINK_ROW, SOUND_ROW]) == {
        LINK_ROW: (False, True, ""),
        SOUND_ROW: (True, False, "wrong dose"),
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
        reply(said(1, grounded="perhaps"), said(2, correct=None), "sound"),
        reply(said(1), said(1, correct=False)),
    ],
)
def test_what_is_no_answer_is_none(content):
    assert read_checks(content, [LINK_ROW, SOUND_ROW]) == {}


def test_a_truth_in_words_is_read():
    content = reply(said(1, grounded="no", correct="True"), said("2", "yes", "FALSE"))
    assert read_checks(content, [LINK_ROW, SOUND_ROW]) == {
        LINK_ROW: (False, True, ""),
        SOUND_ROW: (True, False, ""),
    }


def test_a_reason_alone_is_no_answer():
    assert not quality_question().is_well_formed('{"reason": "I can\'t judge."}', [LINK_ROW])


def test_fences_are_passed_over_and_reasons_cut():
    content = f"Here:\n```json\n{reply(said(1, reason='x' * 900))}\n```"
    assert read_checks(content, [LINK_ROW])[LINK_ROW] == (True, True, "x" * MOST_REASON_CHARS)
    is_well_formed = quality_question().is_well_formed
    assert is_well_formed(content, [LINK_ROW])
    assert is_well_formed(reply(), [LINK_ROW])
    assert not is_well_formed("no", [LINK_ROW])


def test_the_key_tells_rows_teachers_and_models_apart():
    keys = {
        check_key(LINK_ROW, "a", "m"),
        check_key(SOUND_ROW, "a", "m"),
        check_key(LINK_ROW, "b", "m"),
        check_key(LINK_ROW, "a", "n"),
        check_key(LINK_ROW._replace(output="-"), "a", "m"),
    }
    assert len(keys) == 5


OBJECTION = StoredAnswer(TeacherCheck(grounded=False, correct=False, reason="why"), "c")


def rules(**actions):
    return [
        rule.model_copy(update={"action": actions.get(rule.id, "off")})
        for rule in read_rules(QUALITY_RULES)
    ]


def test_the_shipped_rules_do_not_ask():
    shipped = read_rules(QUALITY_RULES)
    assert not needs_teacher(shipped)
    assert teacher_findings(OBJECTION, shipped) == ()
    assert {"llm_ungrounded", "llm_incorrect"} <= {rule.id for rule in shipped}


def test_each_objection_whose_rule_is_on_is_a_finding():
    on = rules(llm_ungrounded="reject", llm_incorrect="flag")
    assert needs_teacher(on)
    both = teacher_findings(OBJECTION, on)
    assert [(one.rule, one.verdict) for one in both] == [
        ("llm_ungrounded", "reject"),
        ("llm_incorrect", "flag"),
    ]
    assert both[0].evidence == {"saw": "why", "completion_id": "c"}
    assert both[0].version == next(rule.version for rule in on if rule.id == "llm_ungrounded")
    half = rules(llm_incorrect="flag")
    assert [one.rule for one in teacher_findings(OBJECTION, half)] == ["llm_incorrect"]


@pytest.mark.parametrize("answer", [TeacherCheck(grounded=True, correct=True), None])
def test_no_objection_is_no_finding(answer):
    on = rules(llm_ungrounded="reject", llm_incorrect="reject")
    assert teacher_findings(StoredAnswer(answer, "c"), on) == ()


# Ids that the code computed before the two questions shared one implementation. Stores hold paid
# completions under these ids.
STORED_ROWS = [
    RowTexts(
        f'Explain finding {n} in {{a}} "report" – 血圧.',
        "" if n % 2 else f"Input {{items}} {n}",
        f"Output {n}\nsecond line",
    )
    for n in range(23)
]
STORED_IDS = {
    "json_schema": ["ae6453b29a4c1ade", "94176cc230c52819", "048193719e93b26d"],
    "json_object": ["69ca45cd1950c863", "c5423520155d5d4e", "c82cc07489c3ce44"],
    "text": ["755a04ffdcd48a01", "0273ace7ca94fd29", "78f98013b5c1d8be"],
}


@pytest.mark.parametrize("form", STORED_IDS)
def test_requests_keep_the_ids_that_stores_hold(form):
    prompt = quality_question().prompt
    requests = prompt.requests(STORED_ROWS, teacher="openai", model="gpt-4.1", reply_format=form)
    assert [one.completion_id[:16] for one, _ in requests] == STORED_IDS[form]


def test_checks_keep_the_keys_that_stores_hold():
    assert check_key(STORED_ROWS[0], "openai", "gpt-4.1")[:16] == "12ac02af86c216ac"
