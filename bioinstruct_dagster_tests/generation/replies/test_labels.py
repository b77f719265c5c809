"""Which lines of a text are labels, and where the fields between them end."""

import pytest

from bioinstruct_dagster.generation.replies.labels import (
    end_of_task,
    header_before,
    usual_labels,
    wide_readings,
)
from bioinstruct_dagster.generation.replies.reading import read_reply

FIRST = {"instruction": "Name the drug.", "input": "B", "output": "Metformin"}
SECOND = {"instruction": "List\nthe risks.", "input": "E", "output": "1. Bleeding\n2. Bruising"}
BOTH = (FIRST, SECOND)


def written(form: str, *tasks: dict[str, str]) -> str:
    """The tasks in a form with {i}, {n} and {o} for the fields; {k} is the task's number.

    {a}, {b} and {c} are numbers that run on through the labels.
    """
    return "".join(
        form.format(
            i=task["instruction"],
            n=task["input"],
            o=task["output"],
            k=k,
            a=3 * k - 2,
            b=3 * k - 1,
            c=3 * k,
        )
        for k, task in enumerate(tasks, 1)
    )


FORMS = [
    "{a}. Instruction: {i}\n{b}. Input:\n{n}\n{c}. Output:\n{o}\n",
    "1. Instruction: {i}\n2. Input: {n}\n3. Output: {o}\n\n",
    "{k}. Instruction: {i}\nInput: {n}\nOutput: {o}\n\n",
    "{k}. Instruction: {i}\n   - Input: {n}\n   - Output: {o}\n",
    "{k}. **Instruction:** {i}\n   **Input:** {n}\n   **Output:** {o}\n\n",
    "{k}. Instruction: {i}\n   1. Input: {n}\n   2. Output: {o}\n",
    "{k}. Instruction: {i}\n{k}. Input: {n}\nOutput: {o}\n",
    "Instruction: {i}\n{k}. Input: {n}\n{k}. Output: {o}\n",
    "{k}.1 Instruction: {i}\n{k}.2 Input: {n}\n{k}.3 Output: {o}\n",
    "a) Instruction: {i}\nb) Input: {n}\nc) Output: {o}\n",
    "Task {k}:\nInstruction: {i}\nInput: {n}\nOutput: {o}\n\n",
    "Task {k} Instruction: {i}\nTask {k} Input: {n}\nTask {k} Output: {o}\n\n",
    "Example {k}: a dose\nInstruction: {i}\nInput: {n}\nOutput: {o}\n\n",
    "### Task {k}: a dose\n**Instruction:** {i}\n**Input:** {n}\n**Output:** {o}\n\n",
    "{k}.\nInstruction: {i}\nInput: {n}\nOutput: {o}\n\n",
    "**Instruction**\n{i}\n\n**Input**\n{n}\n\n**Output**\n{o}\n\n",
    "- **Instruction**: {i}\n- **Input**: {n}\n- **Output**: {o}\n\n",
    "### Instruction:\n{i}\n\n### Input:\n{n}\n\n### Response:\n{o}\n\n",
    "### Instruction\n{i}\n\n### Input\n{n}\n\n### Response\n{o}\n\n",
    "### Instruction:\r\n{i}\r\n### Input:\r\n{n}\r\n### Answer:\r\n{o}\r\n",
    "Instruction: {i}\nInput: {n}\nAnswer: {o}\n\n",
    "{k}. Instruction: {i}\n{k}. Input: {n}\n{k}. Response: {o}\n\n",
    "* Task {k}\n** Instruction\n{i}\n** Input\n{n}\n** Output\n{o}\n",
    "- `instruction`: {i}\n- `input`: {n}\n- `output`: {o}\n",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("asked", ["text", "json"])
def test_labels_decide_where_the_numbers_do_not(form, asked):
    content = written(form, *BOTH)
    reading = read_reply(content, "stop", None, asked)
    assert (reading.outcome, reading.tasks) == ("parsed", BOTH)
    assert read_reply(f"Here are two tasks:\n\n{content}", "stop", None, asked) == reading


@pytest.mark.parametrize("form", FORMS)
def test_the_last_task_of_a_cut_text_is_dropped_in_every_form(form):
    content = written(form, *BOTH, FIRST)
    end = content.rindex(FIRST["output"])
    for cut in (end, end + 4, len(content)):
        reading = read_reply(content[:cut], "length", None, "text")
        assert (reading.outcome, reading.tasks) == ("truncated", BOTH), content[:cut]


def test_the_form_that_a_small_model_wrote():
    content = (
        "1. Instruction: Which enzyme is deficient?\n2. Input:\nA boy born at term has jaundice.\n"
        "3. Output:\nThe disease is inherited.\n4. Instruction: What follows?\n5. Input:\nThe boy "
        "is two.\n6. Output:\nAnaemia.\n7. Instruction: Which drug"
    )
    reading = read_reply(content, "length", None, "text")
    assert [task["output"] for task in reading.tasks] == ["The disease is inherited.", "Anaemia."]
    assert (reading.outcome, reading.dropped) == ("truncated", 1)


@pytest.mark.parametrize(
    "output",
    [
        "Input: 5 mg\nOutput: 10 mg",
        "1. Input: 5 mg\n1. Output: 10 mg",
        "Response: none",
        "### Response:\nnone",
    ],
)
def test_a_label_inside_an_output_is_kept_where_the_numbers_run_on(output):
    task = {**FIRST, "output": output}
    assert read_reply(written(FORMS[0], task, SECOND), "stop", None, "text").tasks == (task, SECOND)


@pytest.mark.parametrize(
    "output",
    [
        "Instruction: A\nInput: B\nOutput: C",
        "### Instruction:\nA\n### Input:\nB\n### Response:\nC",
        "4. Input: 5 mg\n5. Output: 10 mg",
        "Task 3: rest",
    ],
)
def test_other_labels_inside_an_output_are_kept_where_the_numbers_agree(output):
    form = "{k}. Instruction: {i}\n{k}. Input:\n{n}\n{k}. Output:\n{o}\n"
    tasks = ({**FIRST, "output": output}, SECOND, {**SECOND, "output": output})
    assert read_reply(written(form, *tasks), "stop", None, "text").tasks == tasks


def test_numbers_in_an_output_begin_no_task_where_the_labels_have_none():
    task = {**FIRST, "output": "Steps:\n1. Instruction: wash\n2. Instruction: dry"}
    form = "Instruction: {i}\nInput: {n}\nOutput: {o}\n\n"
    assert read_reply(written(form, task, SECOND), "stop", None, "text").tasks == (task, SECOND)


@pytest.mark.parametrize(
    "content",
    [
        "Instruction: A\nInput: B\nOutput: C\n\n2. Instruction: D\n2. Input: E\n2. Output: F\n",
        "Instruction: A\n1. Input: B\n1. Output: C\n\n2. Instruction: D\n2. Input: E\n2. Output: F",
        "1. Instruction: A\n1. Input: B\n1. Output: C\n\nInstruction: D\n2. Input: E\n2. Output: F",
    ],
)
def test_a_task_may_lack_its_number(content):
    tasks = read_reply(content, "stop", None, "text").tasks
    assert [tuple(task.values()) for task in tasks] == [("A", "B", "C"), ("D", "E", "F")]


def test_numbers_that_run_on_and_begin_again_begin_a_new_list():
    content = written(FORMS[0], FIRST, FIRST) + "\n" + written(FORMS[0], SECOND, FIRST)
    assert read_reply(content, "stop", None, "text").tasks == (SECOND, FIRST)


def test_alpacas_form_without_input_has_an_empty_one():
    content = "### Instruction:\nA\n\n### Response:\nC\n\n### Instruction:\nD\n\n### Input:\nE\n\n"
    tasks = read_reply(f"{content}### Response:\nF", "stop", None, "text").tasks
    assert [tuple(task.values()) for task in tasks] == [("A", "", "C"), ("D", "E", "F")]


@pytest.mark.parametrize(
    "content",
    [
        "1. Instruction: A\n2. Input:\nB\n###\n3. Instruction: D\n4. Input:\nE\n",  # no outputs
        "Instruction: A\nOutput: C",
        "1. Instruction: A\n2. Output: B\n3. Input: C\n",
        "1. Instruction: A\n2. Input: B\n2. Input: C\n3. Output: D\n",
        "1. Instruction: A\n2. Input: B\n3. Output: C\n3. Output: D\n",
    ],
)
def test_a_task_without_its_three_labels_is_dropped(content):
    reading = read_reply(content, "stop", None, "text")
    assert (reading.outcome, reading.tasks) == ("wrong_schema", ())
    assert reading.detail.startswith("task 0 is not labelled Instruction, Input, Output")


def test_numbers_that_go_back_make_no_task_beside_one_whose_numbers_agree():
    form = "{k}. Instruction: {i}\n{k}. Input: {n}\n{k}. Output: {o}\n"
    broken = "2. Instruction: A\n1. Input: B\n1. Output: C\n3. Instruction: D\n"
    assert read_reply(written(form, FIRST) + broken, "stop", None, "text").tasks == (FIRST,)


def test_quoted_labels_in_a_list_have_quoted_fields():
    content = '- "instruction": "Say \\"a\\".",\n- "input": "",\n- "output": "C\\nD"\n'
    task = {"instruction": 'Say "a".', "input": "", "output": "C\nD"}
    assert read_reply(content, "stop", None, "text").tasks == (task,)
    assert read_reply(content.replace('"C', "C"), "stop", None, "text").tasks == ()
    assert read_reply(content.replace("- ", ""), "stop", None, "text").tasks == ()


def test_json_in_alpacas_form_is_read_as_json():
    content = '### Instruction:\nWrite.\n\n### Response:\n{"tasks": [%s]}'
    task = '{"instruction": "A", "input": "", "output": "C"}'
    for finish in ("stop", "length"):
        (read,) = read_reply(content % task, finish, None, "json").tasks
        assert read["instruction"] == "A"


def test_an_answer_is_no_output_where_there_is_an_output():
    content = "### Instruction\nA\n### Input\nB\n### Output\nC\n### Answer\nD\n"
    (task,) = read_reply(content, "stop", None, "text").tasks
    assert task["output"] == "C\n### Answer\nD"


def test_a_word_alone_in_its_line_is_no_label_without_a_mark():
    assert not list(wide_readings("Instruction\nA\nInput\nB\nOutput\nC\n"))
    assert not list(usual_labels("### Instruction\n"))


@pytest.mark.parametrize(
    ("output", "kept"),
    [("Two.\n\n2.\n", "Two."), ("2.\n\n2.\n", "2."), ("2.\n", "2."), ("Two.\n", "Two.")],
)
def test_a_task_ends_before_the_line_with_which_the_next_begins(output, kept):
    text = f"Intro\n\n1.\nInstruction: a\nInput: b\nOutput: {output}Instruction: c\n"
    header = header_before(text, text.index("Instruction: a"))
    start = text.index("Output: ") + len("Output: ")
    end = end_of_task(text, start, text.index("Instruction: c"), header)
    assert text[start:end].strip() == kept
