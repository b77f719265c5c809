"""A reply with a draft and its final list gives the final list; one list in many parts stays one.

Each form is written as models write it: JSON, JSON Lines, fenced blocks and numbered text.
"""

import json

import pytest

from bioinstruct_dagster.generation.replies.reading import read_reply


def tasks(name: str, count: int = 3) -> list[dict[str, str]]:
    return [
        {"instruction": f"{name} {n}", "input": "", "output": f"The {name} {n}."}
        for n in range(count)
    ]


def in_object(rows) -> str:
    return json.dumps({"tasks": rows})


def in_lines(rows) -> str:
    return "\n".join(map(json.dumps, rows))


def fenced(text: str) -> str:
    return f"```json\n{text}\n```"


def numbered(rows, start=1, separator="###\n") -> str:
    return "".join(
        f"{separator}{n}. Instruction: {row['instruction']}\n{n}. Input:\n<noinput>\n"
        f"{n}. Output:\n{row['output']}\n"
        for n, row in enumerate(rows, start)
    )


def labelled(rows) -> str:
    return "".join(
        f"Instruction: {row['instruction']}\nInput:\nOutput: {row['output']}\n\n" for row in rows
    )


DRAFT, FINAL = tasks("draft"), tasks("final")
FORM = [{"instruction": "...", "input": "...", "output": "..."}]
NAMED_FORM = [{"instruction": "<instruction>", "input": "", "output": "[output]"}]
TWO_LISTS = {
    "two objects": f"{in_object(DRAFT)}\n{in_object(FINAL)}",
    "two lists": f"{json.dumps(DRAFT)}\n\n{json.dumps(FINAL)}",
    "corrected": f"Draft:\n{fenced(in_object(DRAFT))}\n\nCorrected version:\n"
    f"{fenced(in_object(FINAL))}\nDone.",
    "wait": f"{json.dumps(DRAFT)}\nWait, two of them need an input.\n{json.dumps(FINAL)}",
    "three": f"{in_object(DRAFT)}\n{in_object(DRAFT)}\nFinal answer:\n{in_object(FINAL)}",
    "corrected lines": f"{in_lines(DRAFT)}\n\nHere is the corrected version:\n\n{in_lines(FINAL)}",
    "repeated lines": f"{in_lines(FINAL)}\n\n{in_lines(FINAL)}",
    "lines, then a list": f"{in_lines(DRAFT)}\n{in_object(FINAL)}",
    "a longer draft": f"{in_object(tasks('draft', 5))}\nRevised:\n{in_object(FINAL)}",
    "more in words of revision": f"{in_object(DRAFT)}\nMore specific, revised:\n{in_object(FINAL)}",
    "in one object": json.dumps({"draft": DRAFT, "tasks": FINAL}),
    "in inner objects": json.dumps({"initial": {"tasks": DRAFT}, "final": {"tasks": FINAL}}),
    "the form first": f"{in_object(FORM)}\n{in_object(FINAL)}",
    "the form last": f"{in_object(FINAL)}\nThe form was: {in_object(NAMED_FORM)}",
    "numbered": numbered(DRAFT) + numbered(FINAL),
    "numbered, corrected": f"{numbered(DRAFT)}\nCorrected version:\n\n{numbered(FINAL)}",
    "numbered, no separators": f"{numbered(DRAFT, separator='')}\n**Final version:**\n"
    + numbered(FINAL, separator=""),
    "numbered, no separators, no blank": f"{numbered(DRAFT, separator='')}## Revised tasks\n"
    + numbered(FINAL, separator=""),
    "without numbers": f"{labelled(DRAFT)}Here is the improved list:\n\n{labelled(FINAL)}",
}


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("name", TWO_LISTS)
def test_of_two_whole_lists_the_last_is_read(name, form):
    reading = read_reply(TWO_LISTS[name], "stop", None, form)
    assert reading.tasks == tuple(FINAL)
    assert (reading.outcome, reading.positions, reading.dropped) == ("parsed", (0, 1, 2), 0)


@pytest.mark.parametrize("words", ["Corrected version:", "No good. Here is a better version:"])
@pytest.mark.parametrize(
    "form", [in_object, in_lines, json.dumps, lambda rows: fenced(in_object(rows)), numbered]
)
@pytest.mark.parametrize("kept", [1, 2])
def test_of_a_whole_list_and_a_stump_the_whole_one_is_read(form, words, kept):
    whole = f"{form(DRAFT)}\n{words}\n"
    content = whole + form(FINAL)[: form(FINAL).index(f"The final {kept}") + 5]
    reading = read_reply(content, "length", None, "text" if form is numbered else "json")
    assert (reading.outcome, reading.tasks) == ("truncated", tuple(DRAFT))
    assert "the whole list of tasks before it was read" in reading.detail


def test_a_stump_inside_one_object_is_dropped_too():
    content = json.dumps({"draft": DRAFT, "tasks": FINAL})
    reading = read_reply(content[: content.index("The final 1")], "length", None)
    assert (reading.outcome, reading.tasks) == ("truncated", tuple(DRAFT))


def test_a_last_list_that_breaks_is_dropped_too():
    content = f"{in_object(DRAFT)}\n{in_object(FINAL).replace('The final 2', 'a' + chr(34))}"
    reading = read_reply(content, "stop", None)
    assert (reading.outcome, reading.tasks) == ("malformed", tuple(DRAFT))


PLANS = [
    "Plan:\n1. Instruction: ask for a dose\n2. Instruction: ask for a class\n\n",
    f"{numbered(DRAFT)}\nAs JSON:\n\n",
    labelled(DRAFT),
]


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_or_a_draft_in_numbered_text_does_not_hide_the_json(plan):
    for content in (f"{plan}{in_object(FINAL)}", f"{plan}{fenced(in_object(FINAL))}\nDone."):
        reading = read_reply(content, "stop", None, "json")
        assert (reading.outcome, reading.tasks) == ("parsed", tuple(FINAL))


def test_json_in_the_last_output_of_more_tasks_is_part_of_it():
    rows = [*DRAFT[:2], {**DRAFT[2], "output": in_object(FINAL[:1])}]
    for form in ("json", "text"):
        assert read_reply(numbered(rows), "stop", None, form).tasks == tuple(rows)


ONE_LIST = {
    "lines": f"{in_lines(DRAFT)}\n{in_lines(FINAL)}",
    "blocks": "\n\n".join(fenced(json.dumps(row)) for row in DRAFT + FINAL),
    "titled blocks": "\n".join(
        f"Task {n}:\n{fenced(json.dumps(row))}" for n, row in enumerate(DRAFT + FINAL, 1)
    ),
    "an object for each task": "\n".join(in_object([row]) for row in DRAFT + FINAL),
    "a list for each task": "\n".join(json.dumps([row]) for row in DRAFT + FINAL),
    "more": f"{in_object(DRAFT)}\nHere are the remaining tasks:\n{in_object(FINAL)}",
    "a last task": f"{in_lines((DRAFT + FINAL)[:-1])}\nAnd the final task:\n{in_lines(FINAL[-1:])}",
    "a list and one more": f"{in_object((DRAFT + FINAL)[:-1])}\n{in_lines(FINAL[-1:])}",
    "in one object": json.dumps({"easy": DRAFT, "hard": FINAL}),
    "numbered on": numbered(DRAFT) + numbered(FINAL, start=4),
    "one number for all": "".join(numbered([row]) for row in DRAFT + FINAL),
    "numbered with a gap": numbered(DRAFT, start=2) + numbered(FINAL, start=9),
    "without numbers": labelled(DRAFT + FINAL),
}


@pytest.mark.parametrize("name", ONE_LIST)
def test_one_list_in_several_parts_stays_one_list(name):
    form = "text" if "number" in name else "json"
    reading = read_reply(ONE_LIST[name], "stop", None, form)
    assert (reading.outcome, reading.tasks) == ("parsed", tuple(DRAFT + FINAL))


def test_a_task_that_stands_twice_begins_no_new_list():
    rows = [*DRAFT, DRAFT[0], *FINAL]
    assert read_reply(in_lines(rows), "stop", None).tasks == tuple(rows)
    same = [DRAFT[0]] * 5
    assert read_reply(in_lines(same), "stop", None).tasks == tuple(same)


def test_an_example_of_one_task_after_the_list_replaces_nothing():
    content = f"{in_object(FINAL)}\nIn the corrected task 1, I added: {in_lines(DRAFT[:1])}"
    assert read_reply(content, "stop", None).tasks == (*FINAL, DRAFT[0])


def test_a_list_without_a_sound_task_replaces_none():
    for last in ({"tasks": []}, {"tasks": [{"instruction": 3}]}):
        content = f"{in_object(FINAL)}\nCorrected:\n{json.dumps(last)}"
        assert read_reply(content, "stop", None).tasks == tuple(FINAL)


def test_a_number_that_goes_back_inside_an_output_begins_no_list():
    rows = [{**FINAL[0], "output": "Steps:\n1. Instruction: wash\n1. Input: none"}, FINAL[1]]
    assert read_reply(numbered(rows, start=4), "stop", None, "text").tasks == tuple(rows)
