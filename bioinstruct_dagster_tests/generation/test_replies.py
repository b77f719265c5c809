"""Reading a reply: tasks where it holds them, and the reason where it does not; never an error."""

import json
from json.decoder import scanstring

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bioinstruct_dagster.generation.replies import OUTCOMES, TASK_FIELDS, Reading, read_reply
from bioinstruct_dagster.store.database import is_storable

TASK = {"instruction": "Name the drug.", "input": "", "output": "Metformin"}
CODE = {**TASK, "output": "Run:\n```\nprint(1)\n```\nand read it."}


def tasks(*changed, **more) -> str:
    return json.dumps({"tasks": [{**TASK, **change} for change in changed], **more})


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"tasks": [TASK]}),
        json.dumps([TASK]),
        json.dumps({"tasks": [TASK], "note": "more"}),
        json.dumps({"tasks": [{**TASK, "difficulty": 3}]}),
        tasks({"instruction": "\n Name the drug. "}),
        f"\n {tasks({})} \n",
        f"```json\n{tasks({})}\n```",
        f"```\n{tasks({})}\n```",
        f"Here are your tasks:\n\n```json\n{tasks({})}\n```\nLet me know!",
        f"```json\r\n{tasks({})}\r\n```",
        f"```json\n{tasks({})}\n```\nTo load it:\n```python\njson.loads(reply)\n```\n",
        f"```json\n{json.dumps({'tasks': [TASK]}, indent=2)}```",
    ],
)
def test_tasks_are_read_from_every_form_that_teachers_use(content):
    assert read_reply(content, "stop", None) == Reading("parsed", (TASK,))


@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "Tasks:\n```json\n{}\n```\nDone."])
def test_a_task_that_itself_holds_a_fenced_block_is_read_whole(form):
    content = form.replace("{}", json.dumps({"tasks": [TASK, CODE]}))
    assert read_reply(content, "stop", None).tasks == (TASK, CODE)


def test_characters_are_read_as_they_were_meant():
    escaped = tasks({"output": "µg 😀 \u2028"})
    raw = json.dumps(json.loads(escaped), ensure_ascii=False)
    assert escaped != raw
    for content in (escaped, raw):
        (task,) = read_reply(content, "stop", None).tasks
        assert task["output"] == "µg 😀"


@pytest.mark.parametrize(
    ("content", "finish_reason", "outcome"),
    [
        ("", "stop", "empty"),
        (" \n\t", "length", "empty"),
        (tasks({}, {})[:-30], "length", "truncated"),
        (f"```json\n{tasks({})[:-5]}", "length", "truncated"),
        (tasks({}, {})[:-30], "stop", "malformed"),
        (tasks({}).replace(",", ",,"), "stop", "malformed"),
        (tasks({}).replace('"', "'"), None, "malformed"),
        ("I can't do that.", "stop", "malformed"),
        ("[" * 100_000, "stop", "malformed"),
        ("9" * 10_000, "stop", "malformed"),
        ("null", "stop", "wrong_schema"),
        ("{}", "stop", "wrong_schema"),
        ('{"tasks": {}}', "stop", "wrong_schema"),
        ('{"tasks": null}', "stop", "wrong_schema"),
        ('["a"]', "stop", "wrong_schema"),
        ('{"tasks": [["a"]]}', "stop", "wrong_schema"),
        (tasks({}, {"output": None}), "stop", "wrong_schema"),
        (tasks({}, {"input": ["a"]}), "stop", "wrong_schema"),
        (tasks({}, {"instruction": 3}), "stop", "wrong_schema"),
        ('{"tasks": [{"instruction": "a", "output": "b"}]}', "stop", "wrong_schema"),
        (tasks({"output": "a\0b"}), "stop", "wrong_schema"),
        (tasks({"output": "half \ud83d"}), "stop", "wrong_schema"),
        (tasks({"instruction": "\udcff"}), "stop", "wrong_schema"),
        (tasks(), "stop", "parsed"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else str(value),
)
def test_a_reply_without_usable_tasks_is_read_as_what_it_is(content, finish_reason, outcome):
    reading = read_reply(content, finish_reason, None)
    assert (reading.outcome, reading.tasks) == (outcome, ())


@pytest.mark.parametrize("content", ["", tasks({})])
def test_a_refusal_is_a_refusal_whatever_else_there_is(content):
    reading = read_reply(content, "stop", "I won't. " * 100)
    assert (reading.outcome, reading.tasks) == ("refused", ())
    assert reading.detail.startswith("I won't.")
    assert len(reading.detail) <= 200


def test_a_whole_reply_that_met_the_limit_at_its_end_is_read():
    assert read_reply(tasks({}), "length", None).outcome == "parsed"


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (tasks({}, {"output": 1}), "task 1: output"),
        (tasks({"input": "\0"}), "task 0: input"),
        (json.dumps({"tasks": [TASK, "a"]}), "task 1 "),
    ],
)
def test_what_is_wrong_is_said_by_task_and_field(content, detail):
    assert detail in read_reply(content, "stop", None).detail


def literals(content: str) -> set[str]:
    """Every JSON string that begins at any quotation mark of a text, without outer blanks."""
    found = set()
    for place, character in enumerate(content):
        if character == '"':
            try:
                found.add(scanstring(content, place + 1)[0].strip())
            except ValueError:
                continue
    return found


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
MARKS = st.sampled_from(["```", "```json\n", "\n```", '"', "\\", "{", "}", "[", "]", ",", "\n"])
REPLIES = st.builds(
    lambda given, ascii_only: json.dumps({"tasks": given}, ensure_ascii=ascii_only),
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                **dict.fromkeys(TASK_FIELDS, ANY_TEXT | MARKS | st.none()),
                "more": st.integers(),
            },
        )
        | st.fixed_dictionaries(dict.fromkeys(TASK_FIELDS, ANY_TEXT | MARKS)),
        max_size=4,
    ),
    st.booleans(),
)
DAMAGED = st.builds(
    lambda text, at, put, cut: (text[:at] + put + text[at:])[: len(text) - cut],
    REPLIES,
    st.integers(0, 100),
    ANY_TEXT | MARKS,
    st.integers(0, 5),
)
WRAPPED = st.builds(
    lambda before, text, after: f"{before}```json\n{text}\n```{after}", ANY_TEXT, REPLIES, ANY_TEXT
)


@given(
    ANY_TEXT | REPLIES | DAMAGED | WRAPPED | st.lists(MARKS).map("".join),
    st.none() | st.sampled_from(["stop", "length", "content_filter"]),
    st.none() | ANY_TEXT,
)
@example("```json\n\ud800\n```", "length", None)
def test_whatever_a_teacher_sends_is_read_without_an_error_and_nothing_is_made_up(
    content, finish_reason, refusal
):
    reading = read_reply(content, finish_reason, refusal)
    assert reading.outcome in OUTCOMES
    assert reading.outcome == "parsed" or not reading.tasks
    sent = literals(content) if reading.tasks else set()
    for task in reading.tasks:
        assert tuple(task) == TASK_FIELDS
        for text in task.values():
            assert is_storable(text)
            assert text in sent


@given(REPLIES)
def test_a_reply_is_read_whole_or_not_at_all(content):
    reading = read_reply(content, "stop", None)
    given_tasks = json.loads(content)["tasks"]
    if reading.outcome == "parsed":
        assert list(reading.tasks) == [
            {name: task[name].strip() for name in TASK_FIELDS} for task in given_tasks
        ]
    else:
        assert reading.outcome == "wrong_schema"
        assert not all(
            isinstance(task.get(name), str) and is_storable(task[name])
            for task in given_tasks
            for name in TASK_FIELDS
        )
