"""The prompt for categories, and reading the teacher's answer."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.category import prompts as categories
from bioinstruct_dagster.curation.category.prompts import (
    FIRST_PASS,
    INSTRUCTIONS_PER_REQUEST,
    SECOND_PASS,
    CategoryFileError,
    category_definitions,
    category_question,
)
from bioinstruct_dagster.rehearsal.api_server.app import CATEGORIZATION_SCHEMA
from bioinstruct_dagster.seeds.tasks import CATEGORIES

TEXTS = ["List the drugs.", "Explain the result.", "Rank the tests."]


def reply(*labels):
    return json.dumps({"labels": [{"number": n, "category": c} for n, c in labels]})


@pytest.fixture
def definitions_file(tmp_path, monkeypatch):
    """A file of definitions that a test may change."""
    path = tmp_path / "categories.yaml"
    path.write_text(yaml.safe_dump(category_definitions()), "utf-8")
    monkeypatch.setattr(categories, "DEFINITIONS_FILE", path)
    forget()
    yield path
    forget()


def forget():
    """Read the definitions again, as a new process does."""
    category_definitions.cache_clear()
    category_question.cache_clear()


def requests_for(texts, nth=FIRST_PASS, model="rehearsal-teacher", **form):
    prompt = category_question(nth).prompt
    return list(prompt.requests(texts, teacher="rehearsal", model=model, **form))


def read_labels(content, batch):
    return category_question(FIRST_PASS).answers_in(content, batch)


def label_key(text, teacher, model, nth=FIRST_PASS):
    return category_question(nth).key(text, teacher, model)


def template_sha256(reply_format="json_schema"):
    return category_question(FIRST_PASS).prompt.template_sha256(reply_format)


def test_valid_labels_are_read_by_their_number():
    content = reply((3, "other"), (1, "information_extraction"), (2, "generation"))
    assert read_labels(content, TEXTS) == {
        "List the drugs.": "information_extraction",
        "Explain the result.": "generation",
        "Rank the tests.": "other",
    }


@pytest.mark.parametrize(
    "label",
    [
        pytest.param((2, "summarization"), id="unknown category"),
        pytest.param((2, ["generation", "other"]), id="list of categories"),
        pytest.param((2, None), id="no category"),
        pytest.param((2.5, "generation"), id="fractional number"),
        pytest.param(("two", "generation"), id="number in words"),
        pytest.param((True, "generation"), id="true for a number"),
        pytest.param((None, "generation"), id="no number"),
    ],
)
def test_a_wrong_label_is_left_out_and_spoils_no_other(label):
    assert read_labels(reply(label, (3, "other")), TEXTS) == {"Rank the tests.": "other"}


@pytest.mark.parametrize(
    "label",
    [
        (2, "Generation"),
        (2, " generation. "),
        (2, ["generation"]),
        (2.0, "generation"),
        ("2", "generation"),
        ("Item 2", "GENERATION"),
    ],
    ids=str,
)
def test_a_label_in_another_writing_is_read(label):
    assert read_labels(reply(label), TEXTS) == {"Explain the result.": "generation"}


def test_the_words_of_a_category_may_have_blanks_and_capitals():
    labels = read_labels(reply((1, "Question Answering"), (2, "information-extraction")), TEXTS)
    assert list(labels.values()) == ["question_answering", "information_extraction"]


def test_contradictory_labels_are_dropped_and_repeats_merged():
    content = reply((1, "other"), (1, "generation"), (2, "other"), (2, "other"))
    assert read_labels(content, TEXTS) == {"Explain the result.": "other"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        '{"labels": [{"number": 1, "category": "oth',
        "null",
        "[]",
        "{}",
        '{"labels": null}',
        '{"labels": 5}',
        '{"labels": ["other"]}',
        '{"labels": [{"number": 1}]}',
        "[" * 100_000,
    ],
)
def test_a_reply_that_is_not_in_the_format_gives_no_labels(content):
    assert read_labels(content, TEXTS) == {}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(CATEGORIES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
LABELS = st.fixed_dictionaries({"number": JSON_VALUES, "category": JSON_VALUES})


@given(st.lists(LABELS | JSON_VALUES, max_size=4) | JSON_VALUES)
def test_any_reply_gives_only_valid_labels(labels):
    found = read_labels(json.dumps({"labels": labels}), TEXTS)
    assert set(found) <= set(TEXTS)
    assert set(found.values()) <= set(CATEGORIES)


def test_requests_cover_every_instruction_once_in_batches():
    texts = [f"Instruction number {n}." for n in range(2 * INSTRUCTIONS_PER_REQUEST + 1)]
    requests = requests_for(texts)
    assert [len(batch) for _, batch in requests] == [
        INSTRUCTIONS_PER_REQUEST,
        INSTRUCTIONS_PER_REQUEST,
        1,
    ]
    assert [text for _, batch in requests for text in batch] == texts


def test_a_prompt_numbers_instructions_and_defines_categories():
    texts = ["Explain {definitions}, please.", 'Two\nlines and "quotes"', "Ποια; 血圧"]
    ((request, _),) = requests_for(texts)
    prompt = request.messages[-1]["content"]
    items = [json.loads(line) for line in prompt.split("\n") if line.startswith("{")]
    assert items == [{"number": n, "instruction": text} for n, text in enumerate(texts, start=1)]
    for name, meaning in category_definitions().items():
        assert f"- {name}: {meaning}" in prompt


def test_the_answer_is_restricted_to_the_four_categories():
    ((request, _),) = requests_for(TEXTS)
    assert request.purpose == "categorization"
    schema = request.parameters["response_format"]["json_schema"]
    label = schema["schema"]["properties"]["labels"]["items"]
    assert schema["strict"] is True
    assert label["properties"]["category"]["enum"] == list(CATEGORIES)
    assert label["additionalProperties"] is False


def test_the_rehearsal_teacher_recognises_the_category_question():
    assert category_question(FIRST_PASS).prompt.schema_name == CATEGORIZATION_SCHEMA


def test_a_label_is_kept_under_all_that_it_depends_on():
    keys = {
        label_key(text, teacher, model)
        for text in TEXTS[:2]
        for teacher in ("rehearsal", "openai")
        for model in ("one", "two")
    }
    assert len(keys) == 8
    assert label_key(TEXTS[0], "openai", "one") == label_key(TEXTS[0], "openai", "one")


def test_the_second_label_has_a_new_key_and_the_first_its_old():
    key = label_key(TEXTS[0], "openai", "one")
    assert label_key(TEXTS[0], "openai", "one", FIRST_PASS) == key
    assert label_key(TEXTS[0], "openai", "one", SECOND_PASS) != key


def test_the_second_pass_reverses_the_order_of_categories():
    ((first, _),) = requests_for(TEXTS)
    ((second, batch),) = requests_for(TEXTS, SECOND_PASS)
    assert batch == TEXTS
    assert second.completion_id != first.completion_id
    places = [
        [r.messages[-1]["content"].index(f"- {n}: ") for n in CATEGORIES] for r in (first, second)
    ]
    assert places[0] == sorted(places[0])
    assert places[1] == sorted(places[1], reverse=True)


def test_an_edited_definition_asks_for_every_label_anew(definitions_file):
    key, template = label_key(TEXTS[0], "openai", "one"), template_sha256()
    ((request, _),) = requests_for(TEXTS)
    edited = category_definitions() | {"other": "what fits nowhere else"}
    definitions_file.write_text(yaml.safe_dump(edited), "utf-8")
    forget()
    ((after, _),) = requests_for(TEXTS)
    assert template_sha256() != template
    assert label_key(TEXTS[0], "openai", "one") != key
    assert after.completion_id != request.completion_id


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("", ["1: the file: is empty"]),
        ("other: a\n", [f"1: {name}: missing; add it" for name in sorted(CATEGORIES[:3])]),
        ("- information_extraction\n", ["1: the file: must be names with values"]),
        ("surplus", ["5: surplus: unknown key 'surplus'; use one of: information_extraction"]),
        ("a number", ["5: other: must be text, but YAML reads it as 5; put it in quotes"]),
    ],
    ids=["empty file", "three missing", "a list", "one too many", "a number"],
)
def test_other_categories_than_the_four_are_refused(definitions_file, content, messages):
    four = {name: f"what {name} means" for name in CATEGORIES}
    if content == "surplus":
        content = yaml.safe_dump(four | {"surplus": "a fifth"}, sort_keys=False)
    elif content == "a number":
        content = "\n" + yaml.safe_dump(four | {"other": 5}, sort_keys=False)
    definitions_file.write_text(content, "utf-8")
    forget()
    with pytest.raises(CategoryFileError) as raised:
        category_definitions()
    lines = str(raised.value).splitlines()
    assert len(lines) == len(messages)
    for line, start in zip(lines, messages, strict=True):
        assert line.startswith(f"{definitions_file}:{start}")


@pytest.mark.parametrize("blanks", [" ", "\n", "\u3000\t"])
def test_a_definition_of_blanks_is_refused(definitions_file, blanks):
    definitions_file.write_text(json.dumps(category_definitions() | {"other": blanks}), "utf-8")
    forget()
    with pytest.raises(CategoryFileError, match=r"1: other: .* holds only blanks; write what"):
        category_definitions()


@pytest.mark.parametrize("name", ["{items}", "{definitions}"])
def test_a_name_in_braces_in_a_definition_stays_as_it_is(definitions_file, name):
    edited = category_definitions() | {"generation": f"see {name} and \\1"}
    definitions_file.write_text(yaml.safe_dump(edited), "utf-8")
    forget()
    ((request, _),) = requests_for([f"List {name}.", *TEXTS])
    (user,) = (one["content"] for one in request.messages if one["role"] == "user")
    assert f"- generation: see {name} and \\1\n" in user
    assert user.count(TEXTS[0]) == 1
    assert f"List {name}." in user


def test_definitions_come_in_the_order_of_the_categories(definitions_file):
    definitions_file.write_text(yaml.safe_dump(category_definitions(), sort_keys=True), "utf-8")
    category_definitions.cache_clear()
    assert tuple(category_definitions()) == CATEGORIES


@pytest.mark.parametrize("reply_format", ["json_object", "text"])
def test_without_a_schema_the_prompt_describes_the_form(reply_format):
    ((plain, _),) = requests_for(TEXTS)
    ((request, batch),) = requests_for(TEXTS, reply_format=reply_format)
    form = request.parameters.get("response_format")
    assert form == ({"type": "json_object"} if reply_format == "json_object" else None)
    example = request.messages[1]["content"].rpartition("\n")[2]
    assert list(json.loads(example)["labels"][0]) == ["number", "category"]
    assert request.messages[1]["content"].startswith(plain.messages[1]["content"])
    assert request.template_sha256 == template_sha256(reply_format) != template_sha256()
    assert batch == TEXTS


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (reply(), True),
        (f"Sure, here it is:\n```json\n{reply((1, 'other'))}\n```", True),
        ('{"labels": {}}', False),
        ("I can't do that.", False),
        ("", False),
    ],
)
def test_a_reply_in_the_requested_form_is_recognised(content, expected):
    assert category_question(FIRST_PASS).is_well_formed(content, TEXTS) is expected


def test_prose_and_fences_around_labels_are_ignored():
    content = f"Sure:\n```json\n{reply((1, 'other'))}\n```\nAnything else?"
    assert read_labels(content, TEXTS) == {"List the drugs.": "other"}


# Ids that the code computed before the two questions shared one implementation. Stores hold paid
# completions under these ids.
STORED_TEXTS = [f'Explain finding {n} in {{a}} "report" – 血圧.' for n in range(23)]
STORED_IDS = {
    ("json_schema", FIRST_PASS): ["e9cde284af8c4345", "85a3d656857eecac"],
    ("json_schema", SECOND_PASS): ["b6f075a05eede703", "a0c7fea640981c29"],
    ("json_object", FIRST_PASS): ["943fa5b8ef1be2ec", "b02e8892e6ddd6c8"],
    ("json_object", SECOND_PASS): ["fc464563d8d72ba8", "cfb3692e9f0975b3"],
    ("text", FIRST_PASS): ["46bb5d20312ed1a1", "0b99ca59ec9453ec"],
    ("text", SECOND_PASS): ["23816d02b73b0e56", "2beccea517bb6c75"],
}


@pytest.mark.parametrize(("form", "nth"), STORED_IDS)
def test_requests_keep_the_ids_that_stores_hold(form, nth):
    prompt = category_question(nth).prompt
    requests = prompt.requests(STORED_TEXTS, teacher="openai", model="gpt-4.1", reply_format=form)
    assert [one.completion_id[:16] for one, _ in requests] == STORED_IDS[form, nth]


def test_labels_keep_the_keys_that_stores_hold():
    keys = [
        label_key(STORED_TEXTS[0], "openai", "gpt-4.1", nth)[:16]
        for nth in (FIRST_PASS, SECOND_PASS)
    ]
    assert keys == ["f2775ad9d42d2932", "51f0da30f38a590b"]
