"""Properties of every reading: no invented text, no lost sound task, every task in its place."""

import json
from json.decoder import scanstring

from hypothesis import example, given
from hypothesis import strategies as st

from bioinstruct_dagster.generation.replies.reading import FORMS, OUTCOMES, TASK_FIELDS, read_reply
from bioinstruct_dagster.store.storable_text import is_storable

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
MARKS = st.sampled_from(
    ["```", "```json\n", "\n```", '"', "\\", "{", "}", "[", "]", ",", ":", "\n", "###\n"]
    + ["1. Instruction: ", "1. Input:\n", "\n1. Output:\n", "Instruction:", "<noinput>", "**"]
    + [f'"{name}"' for name in (*TASK_FIELDS, "tasks")]
)
TEXTS = ANY_TEXT | MARKS
WHOLE = st.fixed_dictionaries(dict.fromkeys(TASK_FIELDS, TEXTS))
BROKEN = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(TASK_FIELDS, TEXTS | st.none() | st.lists(TEXTS, max_size=2)),
        "more": st.integers() | st.floats(),
    },
)
ELEMENTS = st.lists(WHOLE | BROKEN | st.none() | TEXTS, max_size=5)
REPLIES = st.builds(
    lambda given, ascii_only: json.dumps({"tasks": given}, ensure_ascii=ascii_only),
    ELEMENTS,
    st.booleans(),
)
DAMAGED = st.builds(
    lambda text, at, put, cut: (text[:at] + put + text[at:])[: len(text) - cut],
    REPLIES,
    st.integers(0, 100),
    TEXTS,
    st.integers(0, 5),
)
WRAPPED = st.builds(
    lambda before, text, after: f"{before}```json\n{text}\n```{after}", ANY_TEXT, REPLIES, ANY_TEXT
)
NUMBERED = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=3).map(
    lambda tasks: "".join(
        f"###\n{n}. Instruction: {task[0]}\n{n}. Input:\n{task[1]}\n{n}. Output:\n{task[2]}\n"
        for n, task in enumerate(tasks, 1)
    )
)
SOUP = st.lists(TEXTS, max_size=30).map("".join)
FINISHES = st.none() | st.sampled_from(["stop", "length", "content_filter"])
FORM = st.sampled_from(FORMS)
SIMPLE = (
    st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=30)
    .filter(lambda text: "[" not in text)  # "[INST]" begins another turn
    .map(str.strip)
)


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


def is_sound(element: object) -> bool:
    return isinstance(element, dict) and all(
        isinstance(element.get(name), str) and is_storable(element[name]) for name in TASK_FIELDS
    )


def stripped(element: dict) -> dict:
    return {name: element[name].strip() for name in TASK_FIELDS}


@given(REPLIES | DAMAGED | WRAPPED | NUMBERED | SOUP, FINISHES, st.none() | ANY_TEXT, FORM)
@example("```json\n\ud800\n```", "length", None, "json")
def test_any_reply_raises_nothing_and_invents_nothing(content, finish_reason, refusal, form):
    reading = read_reply(content, finish_reason, refusal, form)
    assert reading.outcome in OUTCOMES
    assert is_storable(reading.detail)
    assert len(reading.detail) <= 200
    assert len(reading.positions) == len(reading.tasks)
    assert list(reading.positions) == sorted(set(reading.positions))
    assert all(0 <= n < len(reading.tasks) + reading.dropped for n in reading.positions)
    assert reading.outcome != "parsed" or not reading.dropped
    assert reading.outcome not in {"refused", "empty"} or not reading.tasks
    sent = literals(content) if reading.tasks else set()
    for task in reading.tasks:
        assert tuple(task) == TASK_FIELDS
        assert all(is_storable(text) and text == text.strip() for text in task.values())
        assert sent.issuperset(task.values()) or all(text in content for text in task.values())


@given(ELEMENTS, st.booleans(), FINISHES, FORM)
def test_whole_json_gives_its_sound_tasks_in_their_places(
    elements, ascii_only, finish_reason, form
):
    content = json.dumps({"tasks": elements}, ensure_ascii=ascii_only)
    reading = read_reply(content, finish_reason, None, form)
    places = [place for place, element in enumerate(elements) if is_sound(element)]
    if finish_reason != "content_filter" or places:
        assert reading.positions == tuple(places)
        assert list(reading.tasks) == [stripped(elements[place]) for place in places]
        assert reading.dropped == len(elements) - len(places)
        whole = "parsed" if elements else "empty"
        assert reading.outcome == ("wrong_schema" if reading.dropped else whole)


@given(ELEMENTS, st.data(), st.sampled_from(["stop", "length"]), FORM)
def test_cut_json_gives_the_sound_tasks_before_the_cut(elements, data, finish_reason, form):
    content = '{"tasks": ['
    ends = []
    for element in elements:
        content += json.dumps(element)
        ends.append(len(content))
        content += ", "
    cut = data.draw(st.integers(len('{"tasks": ['), len(content)))
    reading = read_reply(content[:cut], finish_reason, None, form)
    places = [n for n, end in enumerate(ends) if end <= cut and is_sound(elements[n])]
    assert reading.positions == tuple(places)
    assert list(reading.tasks) == [stripped(elements[place]) for place in places]
    assert reading.outcome == "truncated"


@given(DAMAGED | SOUP | REPLIES)
def test_what_is_called_parsed_json_is_json(content):
    if content.lstrip(" \t\r\n")[:1] not in {"{", "["}:
        return
    try:
        value = json.loads(content)
    except ValueError:
        return
    reading = read_reply(content, "stop", None)
    assert reading.outcome in {"parsed", "wrong_schema", "empty"}
    if isinstance(value, dict) and isinstance(value.get("tasks"), list):
        sound = [stripped(element) for element in value["tasks"] if is_sound(element)]
        assert set(map(str, sound)) <= set(map(str, reading.tasks))


ROWS = st.lists(st.tuples(SIMPLE, SIMPLE, SIMPLE), min_size=1, max_size=5)


@given(ROWS, st.booleans(), FORM)
def test_numbered_text_is_read_verbatim_up_to_a_cut_task(rows, cut, form):
    given_tasks = [dict(zip(TASK_FIELDS, row, strict=True)) for row in rows]
    content = "".join(
        f"###\n{n}. Instruction: {task['instruction']}\n{n}. Input:\n"
        f"{task['input'] or '<noinput>'}\n{n}. Output:\n{task['output']}.\n"
        for n, task in enumerate(given_tasks, 1)
    )
    expected = [{**task, "output": f"{task['output']}."} for task in given_tasks]
    reading = read_reply(content, "length" if cut else "stop", None, form)
    assert list(reading.tasks) == (expected[:-1] if cut else expected)
    assert reading.outcome == ("truncated" if cut else "parsed")


@given(ROWS, st.booleans(), FORM)
def test_numbers_that_run_on_through_the_labels_are_read_like_the_usual_ones(rows, cut, form):
    content = "".join(
        f"{n}. Instruction: {row[0]}\n{n + 1}. Input:\n{row[1] or '<noinput>'}\n"
        f"{n + 2}. Output:\n{row[2]}.\n"
        for n, row in zip(range(1, 3 * len(rows), 3), rows, strict=True)
    )
    expected = [dict(zip(TASK_FIELDS, (*row[:2], f"{row[2]}."), strict=True)) for row in rows]
    reading = read_reply(content, "length" if cut else "stop", None, form)
    assert list(reading.tasks) == (expected[:-1] if cut else expected)
    assert reading.outcome == ("truncated" if cut else "parsed")
