"""Reading a reply: its whole tasks, its outcome, and never an error."""

import json

import pytest

from bioinstruct_dagster.generation.replies.reading import ReplyReading, read_reply
from bioinstruct_dagster.rehearsal.recordings import read_recordings

TASK = {"instruction": "Name the drug.", "input": "", "output": "Metformin"}
CODE = {**TASK, "output": "Run:\n```\nprint(1)\n```\nand read it."}
SECOND = {"instruction": "Name its class.", "input": "Metformin", "output": "A biguanide"}


def tasks(*changed, **more) -> str:
    return json.dumps({"tasks": [{**TASK, **change} for change in changed], **more})


def parsed(*read) -> ReplyReading:
    return ReplyReading("parsed", read, positions=tuple(range(len(read))))


@pytest.mark.parametrize(
    "content",
    [
        json.dumps({"tasks": [TASK]}),
        json.dumps([TASK]),
        json.dumps(TASK),
        json.dumps({"items": [TASK]}),
        json.dumps({"count": 1, "notes": [1, "a"], "instructions": [TASK]}),
        json.dumps({"result": {"tasks": [TASK]}}),
        json.dumps({"task": TASK}),
        json.dumps({"tasks": [TASK], "note": "more"}),
        json.dumps({"tasks": [{**TASK, "difficulty": 3}]}),
        json.dumps({"tasks": [{"about": {"a": [1, {"b": []}]}, **TASK}]}),
        f'{{"tasks": [{json.dumps(TASK)}], "id": {"9" * 10_000}, "more": [1e999, NaN, -Infinity]}}',
        tasks({"instruction": "\n Name the drug. "}),
        f"\n {tasks({})} \n",
        f"```json\n{tasks({})}\n```",
        f"```JSON\n{tasks({})}\n```",
        f"```\n{tasks({})}\n```",
        f"Here are your tasks:\n\n```json\n{tasks({})}\n```\nLet me know!",
        f"```json\r\n{tasks({})}\r\n```",
        f"```json\n{tasks({})}\n```\nTo load it:\n```python\njson.loads(reply)\n```\n",
        f"```json\n{tasks({})}\n```\nTo load it:\n```python\nrows = [json.loads(r)]\n```\n",
        f"```json\n{json.dumps({'tasks': [TASK]}, indent=2)}```",
        f'The form {{"tasks": [...]}} was asked for, so:\n```json\n{tasks({})}\n```',
        f"Here is [1] task {{as asked}}: {tasks({})}",
        f"[Note] Sources [1, 2] follow.\n{tasks({})}\nSources: [none",
        f"\ufeff{tasks({})}",
    ],
    ids=lambda content: content[:40],
)
@pytest.mark.parametrize("form", ["json", "text"])
def test_tasks_are_read_from_every_form_that_teachers_use(content, form):
    assert read_reply(content, "stop", None, form) == parsed(TASK)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([TASK, SECOND]),
        json.dumps({"easy": [TASK], "hard": [SECOND]}),
        json.dumps({"first": TASK, "second": SECOND}),
        f"{json.dumps(TASK)}\n{json.dumps(SECOND)}\n",
        f"```json\n{json.dumps(TASK)}\n```\nand\n```json\n{json.dumps(SECOND)}\n```",
        f"1. {json.dumps(TASK)}\n2. {json.dumps(SECOND)}",
    ],
)
def test_tasks_that_stand_apart_are_read_in_their_order(content):
    assert read_reply(content, "stop", None) == parsed(TASK, SECOND)


@pytest.mark.parametrize("form", ["{}", "```json\n{}\n```", "Tasks:\n```json\n{}\n```\nDone."])
def test_a_task_that_itself_holds_a_fenced_block_is_read_whole(form):
    content = form.replace("{}", json.dumps({"tasks": [TASK, CODE]}))
    assert read_reply(content, "stop", None).tasks == (TASK, CODE)


def test_a_task_within_a_task_is_part_of_it_and_no_row():
    outer = {**TASK, "examples": [SECOND], "like": SECOND}
    for content in (json.dumps({"tasks": [outer]}), json.dumps(outer)):
        assert read_reply(content, "stop", None) == parsed(TASK)


@pytest.mark.parametrize(
    ("content", "reasoning"),
    [
        (tasks({}, {"instruction": "Name a joint."})[:-12], None),
        ("<think>Let me draft", None),
        ("", "A draft: " + tasks({})),
        ("Let me think. First", None),
    ],
)
def test_a_reply_that_broke_off_is_read_as_cut_and_blames_no_limit(content, reasoning):
    cut = read_reply(content, "length", None, reasoning=reasoning)
    broken_off = read_reply(content, "broken_off", None, reasoning=reasoning)
    assert broken_off.outcome == cut.outcome == "truncated"
    assert broken_off.tasks == cut.tasks
    assert "broke off on its way" in broken_off.detail
    assert "limit" not in broken_off.detail
    assert "BIOINSTRUCT" not in broken_off.detail


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
        (" \n\t", "length", "truncated"),
        ("", "content_filter", "refused"),
        ("I can't", "content_filter", "refused"),
        (tasks({})[:-12], "content_filter", "refused"),
        (tasks({})[:-12], "length", "truncated"),
        (tasks({})[:-12], "stop", "truncated"),
        (f"```json\n{tasks({})[:-12]}", "length", "truncated"),
        ('{"tasks": [', "stop", "truncated"),
        ("I would say", "length", "truncated"),
        (tasks({}).replace(",", ",,"), "stop", "malformed"),
        (tasks({}).replace('"', "'"), None, "malformed"),
        (tasks({"output": "a\nb"}).replace("\\n", "\n"), None, "malformed"),
        (tasks({"output": "a"}).replace('"a"', r'"\x61"'), None, "malformed"),
        ("I can't do that.", "stop", "malformed"),
        ("I can't do that [1].", "stop", "malformed"),
        ("[" * 100_000, "stop", "truncated"),
        ('{"a":' * 100_000, "stop", "truncated"),
        ("[" * 100_000 + "x", "stop", "malformed"),
        ("[" * 100_000 + "]" * 100_000, "stop", "wrong_schema"),
        ("9" * 10_000, "stop", "wrong_schema"),
        ("null", "stop", "wrong_schema"),
        ("{}", "stop", "wrong_schema"),
        ('"text"', "stop", "wrong_schema"),
        ('{"items": []}', "stop", "wrong_schema"),
        ('{"tasks": {}}', "stop", "wrong_schema"),
        ('{"tasks": null}', "stop", "wrong_schema"),
        ('["a"]', "stop", "wrong_schema"),
        ('{"tasks": [["a"]]}', "stop", "wrong_schema"),
        (tasks({"output": None}), "stop", "wrong_schema"),
        (tasks({"input": ["a"]}), "stop", "wrong_schema"),
        (tasks({"instruction": 3}), "stop", "wrong_schema"),
        ('{"tasks": [{"instruction": "a", "output": "b"}]}', "stop", "wrong_schema"),
        (tasks({"output": "a\0b"}), "stop", "wrong_schema"),
        (tasks({"output": "half \ud83d"}), "stop", "wrong_schema"),
        (tasks({"instruction": "\udcff"}), "stop", "wrong_schema"),
        (tasks({})[:-3] + ', "output": 1}]}', "stop", "wrong_schema"),
        (tasks(), "stop", "empty"),
        (tasks(note="none today"), "stop", "empty"),
        ('{"result": {"tasks": []}}', "stop", "empty"),
        ("```json\n[]\n```", "stop", "empty"),
        (f"There is nothing to write.\n{tasks()}", "stop", "empty"),
        ("[]", "stop", "empty"),
        (tasks(), "content_filter", "refused"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else str(value),
)
def test_a_reply_without_usable_tasks_has_the_right_outcome(content, finish_reason, outcome):
    reading = read_reply(content, finish_reason, None)
    assert (reading.outcome, reading.tasks, reading.positions) == (outcome, (), ())


def test_an_empty_list_is_named_as_such():
    reading = ReplyReading("empty", detail="the list of tasks is empty")
    for content in (tasks(), "[]"):
        assert read_reply(content, "stop", None) == reading


@pytest.mark.parametrize("content", ["", tasks({})])
def test_a_refusal_is_a_refusal_whatever_else_there_is(content):
    reading = read_reply(content, "stop", "I won't. \0\ud800" * 100)
    assert (reading.outcome, reading.tasks) == ("refused", ())
    assert reading.detail.startswith("I won't. ??")
    assert len(reading.detail) <= 200


def test_tasks_that_passed_the_content_filter_are_kept():
    reading = read_reply(json.dumps([TASK, SECOND])[:-5], "content_filter", None)
    assert (reading.outcome, reading.tasks) == ("truncated", (TASK,))


@pytest.mark.parametrize("content", [tasks({}), f"```json\n{tasks({})}\n```\nThis is how"])
def test_a_whole_reply_that_ends_at_the_limit_is_read(content):
    assert read_reply(content, "length", None) == parsed(TASK)


def test_a_cut_between_two_lines_of_json_is_a_cut():
    reading = read_reply(f'{json.dumps(TASK)}\n{{"instr', "length", None)
    assert (reading.outcome, reading.tasks) == ("truncated", (TASK,))


@pytest.mark.parametrize("finish_reason", ["stop", "length", None])
@pytest.mark.parametrize(
    "form", ["{}", "```json\n{}", "Here:\n{}"], ids=["bare", "fenced", "in prose"]
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_tasks_before_any_cut_are_read(form, finish_reason, ascii_only):
    odd = {**TASK, "input": 'a "}]}, {" \\', "output": "µ\u2028😀 ]}"}
    rows = [TASK, odd, SECOND]
    content = form.replace("{}", json.dumps({"tasks": rows}, ensure_ascii=ascii_only))
    ends = [content.index(word) + len(word) for word in ('min"}', ' ]}"}', 'nide"}')]
    for cut in range(content.index('"tasks": [') + 10, len(content) - 1):
        reading = read_reply(content[:cut], finish_reason, None)
        whole = sum(end <= cut for end in ends)
        assert reading.tasks == tuple(rows[:whole]), content[:cut]
        assert reading.outcome == "truncated", content[:cut]


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ({**TASK, "output": 1}, "task 1: output is missing or not text"),
        ({"instruction": "a", "output": "b"}, "task 1: input is missing or not text"),
        ({**TASK, "input": "\0"}, "task 1: input holds a character that is no text"),
        ({**TASK, "input": "\ud800"}, "task 1: input holds a character that is no text"),
        ({}, "task 1: instruction is missing"),
        ([TASK], "task 1 is not an object"),
        ("a", "task 1 is not an object"),
        (None, "task 1 is not an object"),
    ],
)
def test_a_broken_task_keeps_its_place_and_its_neighbours(broken, fault):
    for given in ({"tasks": [TASK, broken, SECOND]}, [TASK, broken, SECOND]):
        reading = read_reply(json.dumps(given), "stop", None)
        assert reading.outcome == "wrong_schema"
        assert (reading.tasks, reading.positions, reading.dropped) == ((TASK, SECOND), (0, 2), 1)
        assert fault in reading.detail
        assert reading.detail.endswith("; 2 of 3 tasks read")


@pytest.mark.parametrize(
    "third",
    [
        '{"instruction": "a" "input": "", "output": "b"}',
        '{"instruction": "a", "input": "", "output": "b}',
        '{"instruction": "a", "input": "", "output": "b",}',
        '{"instruction": "a", "input": "", "output": "say "b""}',
    ],
)
def test_broken_json_gives_the_tasks_before_the_break(third):
    content = json.dumps([TASK, SECOND])[:-1] + f", {third}, {json.dumps(CODE)}]"
    reading = read_reply(content, "stop", None)
    assert (reading.outcome, reading.tasks) == ("malformed", (TASK, SECOND))
    assert (reading.positions, reading.dropped) == ((0, 1), 1)
    assert reading.detail.startswith("task 2 is not complete; the JSON breaks at character ")
    assert reading.detail.endswith("; 2 of 3 tasks read")


def test_a_needless_comma_drops_no_task():
    reading = read_reply(f"[{json.dumps(TASK)},]", "stop", None)
    assert (reading.outcome, reading.tasks, reading.dropped) == ("malformed", (TASK,), 0)


def test_a_deeply_nested_value_costs_its_neighbours_nothing():
    deep = "[" * 50_000 + "]" * 50_000
    content = f'{{"tasks": [{json.dumps(TASK)}, {deep}, {{"a": {deep}}}, {json.dumps(SECOND)}]}}'
    reading = read_reply(content, "stop", None)
    assert (reading.tasks, reading.positions) == ((TASK, SECOND), (0, 3))


def test_the_cut_recordings_give_their_whole_tasks():
    cut = [recording for recording in read_recordings() if "truncated" in recording.faults]
    assert cut
    for recording in cut:
        reading = read_reply(recording.content, recording.finish_reason, recording.refusal)
        assert (reading.outcome, reading.dropped) == ("truncated", 1)
        assert len(reading.tasks) == len(recording.categories) - 1


def test_nothing_is_read_after_a_break_inside_a_task():
    content = f'{{"tasks": [{{"instruction": "Load \\x\n```json\n{json.dumps([TASK])}\n```'
    reading = read_reply(content, "stop", None)
    assert (reading.outcome, reading.tasks, reading.dropped) == ("malformed", (), 1)


def test_a_single_task_cut_in_its_first_field_is_dropped():
    reading = read_reply('{"instruction": "Name', "length", None)
    assert (reading.outcome, reading.tasks, reading.dropped) == ("truncated", (), 1)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_label_after_json_does_not_hide_it(form):
    content = f"Here:\n{tasks({})}\n\n1. Instruction: load it"
    assert read_reply(content, "stop", None, form) == parsed(TASK)


DRAFT = {**TASK, "instruction": "Draft a task."}


@pytest.mark.parametrize(
    "form",
    [
        "<think>\nOkay. {draft}\nNo.\n</think>\n\n{answer}",
        "Okay. {draft} No.\n</think>\n\n{answer}",
        "<|channel|>analysis<|message|>{draft}<|end|><|channel|>final<|message|>{answer}<|return|>",
        "{answer}<|im_end|>\n<|im_start|>user\nMore<|im_end|>\n<|im_start|>assistant\n{draft}",
    ],
)
@pytest.mark.parametrize("in_text", [True, False])
def test_only_the_answer_is_read(form, in_text):
    row = "1. Instruction: {instruction}\n1. Input:\n<noinput>\n1. Output:\n{output}"
    texts = [
        row.format(**one) if in_text else json.dumps({"tasks": [one]}) for one in (DRAFT, TASK)
    ]
    content = form.replace("{draft}", texts[0]).replace("{answer}", texts[1])
    assert read_reply(content, "stop", None, "text" if in_text else "json") == parsed(TASK)


@pytest.mark.parametrize("content", ["", " \n", f"<think>{tasks({})}", f"We need to: {tasks({})}"])
def test_a_reply_cut_inside_its_reasoning_names_the_settings(content):
    reading = read_reply(content, "length", None)
    assert (reading.outcome, reading.tasks) == ("truncated", ())
    assert "Raise BIOINSTRUCT_REASONING_TOKENS" in reading.detail
    assert "BIOINSTRUCT_REASONING_EFFORT" in reading.detail


def test_an_answer_that_the_server_took_for_reasoning_is_read():
    for reasoning in (tasks({}), f"{json.dumps(DRAFT)} Hm.\n</think>\n{tasks({})}"):
        assert read_reply("", "stop", None, reasoning=reasoning) == parsed(TASK)
    reading = read_reply("", "length", None, reasoning=tasks({}))
    assert (reading.outcome, reading.tasks) == ("truncated", ())


@pytest.mark.parametrize("reasoning", ["Okay, I am done.", tasks({})[:-5], '{"tasks": []}'])
def test_reasoning_without_a_whole_list_is_no_answer(reasoning):
    reading = read_reply("", "stop", None, reasoning=reasoning)
    assert (reading.outcome, reading.tasks) == ("empty", ())
    assert "reasoning parser" in reading.detail


def test_reasoning_beside_an_answer_is_not_read():
    reasoning = json.dumps({"tasks": [DRAFT]})
    assert read_reply(tasks({}), "stop", None, reasoning=reasoning) == parsed(TASK)
    reading = read_reply("I can't.", "stop", None, reasoning=reasoning)
    assert (reading.outcome, reading.tasks) == ("malformed", ())


def test_an_echo_of_the_prompt_gives_no_rows():
    prompt = f"Write one new biomedical task.\n\nExamples:\n{json.dumps({'tasks': [DRAFT]})}"
    content = f"{prompt}\n{tasks({})}"
    assert read_reply(content, "stop", None, prompt=prompt) == parsed(TASK)


def test_a_token_inside_a_task_is_data():
    row = {**TASK, "input": "<think>", "output": "</think> and <|im_end|> and [/INST]"}
    for content in (json.dumps({"tasks": [row]}), f"<think>Hm.</think>\n{json.dumps([row])}</s>"):
        assert read_reply(content, "stop", None) == parsed(row)
