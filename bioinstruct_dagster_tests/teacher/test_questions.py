"""A question of the tests' own: its requests, its keys, and reading replies of any form."""

import json
from dataclasses import replace

import pytest

from bioinstruct_dagster.teacher.questions import Question, QuestionPrompt

CITIES = ["Jena", "Bern {items}", "Graz"]


def answer_of(listed):
    river = listed.get("river")
    return river if isinstance(river, str) else None


PROMPT = QuestionPrompt(
    purpose="river",
    template_id="river/1",
    system="You know rivers.",
    user="Name the river of each {thing}:\n{items}\nThat is all.",
    form='\nAnswer as {"rivers": [{"number": 1, "river": "..."}]}',
    schema_name="rivers",
    list_name="rivers",
    properties={"river": {"type": "string"}},
    fields_of=lambda city: {"city": city},
    items_per_request=2,
    tokens_per_item=10,
    values={"thing": "city"},
)
RIVERS = Question(PROMPT, answer_of)


def requests_of(items, prompt=PROMPT, reply_format="json_schema"):
    return list(prompt.requests(items, teacher="openai", model="m", reply_format=reply_format))


def said(*rivers):
    return json.dumps({"rivers": [{"number": n, "river": river} for n, river in rivers]})


def test_items_are_numbered_and_asked_about_in_batches():
    (first, batch), (last, rest) = requests_of(CITIES)
    assert (batch, rest) == (CITIES[:2], CITIES[2:])
    assert first.messages[1]["content"] == (
        "Name the river of each city:\n"
        '{"number": 1, "city": "Jena"}\n{"number": 2, "city": "Bern {items}"}\nThat is all.'
    )
    assert [one.parameters["max_completion_tokens"] for one in (first, last)] == [30, 20]
    assert (first.purpose, first.template_id) == ("river", "river/1")


def test_a_reply_is_held_to_a_list_of_numbered_answers():
    ((request, _),) = requests_of(["Jena"])
    schema = request.parameters["response_format"]["json_schema"]
    listed = schema["schema"]["properties"]["rivers"]["items"]
    assert (schema["name"], schema["strict"]) == ("rivers", True)
    assert listed["required"] == list(listed["properties"]) == ["number", "river"]
    assert listed["additionalProperties"] is False


@pytest.mark.parametrize(
    ("reply_format", "sent"), [("json_object", {"type": "json_object"}), ("text", None)]
)
def test_a_server_without_schemas_is_told_the_form_in_words(reply_format, sent):
    ((request, _),) = requests_of(["Jena"], reply_format=reply_format)
    assert request.parameters.get("response_format") == sent
    assert request.messages[1]["content"].endswith(PROMPT.form)
    assert request.template_sha256 == PROMPT.template_sha256(reply_format)
    assert request.reply_format == reply_format


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"user": "Name it:\n{items}"}, False),
        ({"properties": {"river": {"type": "string"}, "sea": {"type": "string"}}}, False),
        ({"covers": ({"river": "runs"},)}, False),
        ({"values": {"thing": "town"}}, True),
    ],
)
def test_the_template_hash_covers_all_but_the_values(changed, same):
    other = replace(PROMPT, **changed)
    assert (other.template_sha256() == PROMPT.template_sha256()) is same
    keys = {question.key("Jena", "t", "m") for question in (RIVERS, Question(other, answer_of))}
    assert (len(keys) == 1) is same
    ((before, _),), ((after, _),) = requests_of(["Jena"]), requests_of(["Jena"], other)
    assert before.completion_id != after.completion_id


def test_a_key_tells_items_teachers_models_and_ends_apart():
    keys = {
        RIVERS.key("Jena", "t", "m"),
        RIVERS.key("Graz", "t", "m"),
        RIVERS.key("Jena", "u", "m"),
        RIVERS.key("Jena", "t", "n"),
        replace(RIVERS, key_ends=(2,)).key("Jena", "t", "m"),
    }
    assert len(keys) == 5


def test_answers_are_read_by_their_number():
    content = f"Sure:\n```json\n{said((2, 'Aare'), (1, 'Saale'))}\n```"
    assert RIVERS.answers_in(content, CITIES) == {"Jena": "Saale", "Bern {items}": "Aare"}


@pytest.mark.parametrize("number", ["one", 1.5, True, None])
def test_a_wrong_number_spoils_no_other_answer(number):
    assert RIVERS.answers_in(said((number, "Main"), (3, "Mur")), CITIES) == {"Graz": "Mur"}


@pytest.mark.parametrize("number", [0, 4, -1])
def test_a_number_of_no_item_makes_the_reply_another_form(number):
    content = said((number, "Main"), (3, "Mur"))
    assert not RIVERS.is_well_formed(content, CITIES)
    assert RIVERS.answers_in(content, CITIES) == {}
    assert RIVERS.answers_in(content[:-1], CITIES, cut=True) == {}


@pytest.mark.parametrize("kept", range(3))
def test_whole_answers_before_a_cut_are_read(kept):
    whole = said((1, "Saale"), (2, "Aare"), (3, "Mur"))
    content = "Sure: " + whole[: whole.index(f'{{"number": {kept + 1}') + 25]
    answers = dict(zip(CITIES, ["Saale", "Aare", "Mur"], strict=True))
    expected = {city: answers[city] for city in CITIES[:kept]}
    assert RIVERS.answers_in(content, CITIES, cut=True) == expected
    assert RIVERS.answers_in(content, CITIES) == {}


@pytest.mark.parametrize("content", ["", "{", '{"rivers": ', '{"rivers": 5', "[" * 9_000])
def test_a_cut_before_the_list_leaves_no_answer(content):
    assert RIVERS.answers_in(content, CITIES, cut=True) == {}


def test_an_item_with_two_different_answers_has_none():
    content = said((1, "Saale"), (1, "Main"), (1, "Saale"), (2, "Aare"), (2, "Aare"), (3, 5))
    assert RIVERS.answers_in(content, CITIES) == {"Bern {items}": "Aare"}


@pytest.mark.parametrize(
    ("content", "well_formed"),
    [
        (said(), True),
        ('{"rivers": ["Saale"]}', True),
        ('{"rivers": null}', False),
        ('{"seas": []}', False),
        ("[]", False),
        ("I don't know.", False),
        ("", False),
        ("[" * 100_000, False),
    ],
)
def test_a_reply_without_answers_may_still_be_well_formed(content, well_formed):
    assert RIVERS.is_well_formed(content, CITIES) is well_formed
    assert RIVERS.answers_in(content, CITIES) == {}
