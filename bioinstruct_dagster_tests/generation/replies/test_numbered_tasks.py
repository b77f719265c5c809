"""Reading numbered text: Alpaca's form, and the variants that teachers write."""

import json

import pytest

from bioinstruct_dagster.generation.replies.reading import read_reply

FIRST = {"instruction": "Name the drug.", "input": "", "output": "Metformin"}
SECOND = {
    "instruction": "List the risks.\n\nBe brief.",
    "input": "Warfarin 5 mg\nAspirin 75 mg",
    "output": "1. Bleeding\n2. Bruising",
}
BOTH = (FIRST, SECOND)


def numbered(*tasks, start=1) -> str:
    return "".join(
        f"###\n{number}. Instruction: {task['instruction']}\n{number}. Input:\n"
        f"{task['input'] or '<noinput>'}\n{number}. Output:\n{task['output']}\n"
        for number, task in enumerate(tasks, start)
    )


def rewritten(*pairs: tuple[str, str]) -> str:
    text = numbered(*BOTH)
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    "content",
    [
        numbered(*BOTH),
        numbered(*BOTH, start=7),
        numbered(*BOTH) + "###\n",
        rewritten(("###\n", "")),
        rewritten(("###\n", "\n\n\n###\n\n\n")),
        rewritten(("###\n", "---\n")),
        rewritten(("###\n1.", "## Task 1\n1."), ("###\n2.", "**Task 2:**\n\n2.")),
        rewritten(("Input", "INPUT"), ("Output", "output"), ("Instruction", "instruction")),
        rewritten((". Input", ") Input"), (". Output", ") Output")),
        rewritten(("1. In", "**1. In"), ("ction:", "ction:**")),
        rewritten(("1. In", "1. **In"), ("ction:", "ction**:")),
        rewritten(("1. Instruction: Name the drug.", "**1. Instruction: Name the drug.**")),
        rewritten(("1. In", "### 1. In")),
        rewritten(("1. Instruction", "Instruction 1"), ("2. Instruction", "Instruction #2")),
        rewritten(*((f"{n}. {name}", name) for n in (1, 2) for name in ("In", "Output"))),
        rewritten(("<noinput>", "<NoInput>")),
        rewritten(("<noinput>", "")),
        rewritten((":\n", ":\r\n"), ("###\n", "###\r\n"), ("drug.\n", "drug.\r\n")),
        f"Here are two tasks [as asked]:\n\n{numbered(*BOTH)}",
        f"```text\n{numbered(*BOTH)}```",
        f"```\n{numbered(*BOTH)}```\n",
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_tasks_are_read_from_every_form_that_teachers_use(content, form):
    reading = read_reply(content, "stop", None, form)
    assert reading.tasks == BOTH
    assert (reading.outcome, reading.positions, reading.dropped) == ("parsed", (0, 1), 0)


def test_the_last_task_of_a_cut_text_is_never_taken():
    content = numbered(*BOTH)
    begin = content.index("2. Instruction:") + len("2. Instruction:")
    for cut in range(begin, len(content) + 1):
        reading = read_reply(content[:cut], "length", None, "text")
        assert (reading.outcome, reading.tasks) == ("truncated", (FIRST,)), content[:cut]
        assert (reading.positions, reading.dropped) == ((0,), 1)
    detail = read_reply(content, "length", None, "text").detail
    assert detail == "task 1 is not complete; the reply was cut; 1 of 2 tasks read"


@pytest.mark.parametrize(
    "broken",
    [
        "2. Instruction: a\n2. Output:\nb\n",
        "2. Instruction: a\n2. Input:\nb\n",
        "2. Instruction: a\n2. Output:\nb\n2. Input:\nc\n",
        "2. Instruction: a\n2. Input:\nb\n2. Output:\nc\n2. Output:\nd\n",
        "2. Instruction: a\n2. Input:\nb\n2. Output:\nc\0\n",
        "2. Instruction: a\n2. Input:\n\udc80\n2. Output:\nc\n",
    ],
)
def test_a_broken_task_keeps_its_place_and_its_neighbours(broken):
    content = numbered(FIRST) + f"###\n{broken}" + numbered(SECOND, start=3)
    reading = read_reply(content, "stop", None, "text")
    assert (reading.outcome, reading.tasks) == ("wrong_schema", BOTH)
    assert (reading.positions, reading.dropped) == ((0, 2), 1)
    assert reading.detail.startswith("task 1")
    assert reading.detail.endswith("2 of 3 tasks read")


@pytest.mark.parametrize(
    "output",
    [
        "Input: 5 mg\nOutput: 10 mg\nInstruction: swallow",
        "2. Input: the dose\n3. Output: the effect",
        "Line\n### Heading\nLine",
        "Before\n###\nafter",
        "**Bold**",
        "Is the output: good?",
        json.dumps([FIRST, SECOND]),
        f"```json\n{json.dumps({'tasks': [SECOND]})}\n```",
    ],
)
def test_an_output_that_looks_like_a_label_is_kept_verbatim(output):
    task = {**FIRST, "output": output}
    for form in ("text", "json"):
        reading = read_reply(numbered(task, SECOND, start=4), "stop", None, form)
        assert reading.tasks == (task, SECOND)


def test_json_in_a_cut_output_is_no_task():
    content = numbered({**FIRST, "output": json.dumps([SECOND, FIRST])})
    for form in ("text", "json"):
        reading = read_reply(content, "length", None, form)
        assert (reading.outcome, reading.tasks) == ("truncated", ())


def test_a_label_in_prose_does_not_hide_json():
    content = f"Instruction: load this\nOutput:\n{json.dumps({'tasks': [FIRST]})}"
    assert read_reply(content, "stop", None, "json").tasks == (FIRST,)


def test_labels_in_a_json_string_are_part_of_it():
    task = {**FIRST, "output": numbered(SECOND).strip()}
    for form in ("text", "json"):
        assert read_reply(json.dumps([task]), "stop", None, form).tasks == (task,)


@pytest.mark.parametrize(
    ("content", "finish_reason", "outcome"),
    [
        ("", "stop", "empty"),
        ("I can't do that.", "stop", "malformed"),
        ("I can't do [that].", "stop", "malformed"),
        ("I would say", "length", "truncated"),
        ("I can't", "content_filter", "refused"),
        (numbered(FIRST), "content_filter", "refused"),
        ("1. Input:\na\n1. Output:\nb", "stop", "malformed"),
        ("1. Instruction: a", "stop", "wrong_schema"),
        ("null", "stop", "wrong_schema"),
        ('{"tasks": [3]}', "stop", "wrong_schema"),
    ],
)
def test_a_reply_without_usable_tasks_has_the_right_outcome(content, finish_reason, outcome):
    reading = read_reply(content, finish_reason, None, "text")
    assert (reading.outcome, reading.tasks, reading.positions) == (outcome, (), ())


def test_empty_fields_are_left_to_the_quality_rules():
    content = "1. Instruction:\n1. Input:\n1. Output:\n"
    assert read_reply(content, "stop", None, "text").tasks == (dict.fromkeys(FIRST, ""),)
