"""A question of the tests' own: its requests, its keys, and reading replies of any form."""

import json
import sys
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


ALL = {"Jena": "Saale", "Bern {items}": "Aare", "Graz": "Mur"}
ANSWERS = [{"number": n, "river": river} for n, river in enumerate(ALL.values(), 1)]
BY_NUMBER = {str(n): {"river": river} for n, river in enumerate(ALL.values(), 1)}
OLD = said((1, "Main"), (2, "Main"), (3, "Main"))


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(ANSWERS),
        json.dumps({"answers": ANSWERS}),
        json.dumps({"Rivers": ANSWERS}),
        json.dumps({"note": "As asked.", "result": {"rivers": ANSWERS}}),
        json.dumps(BY_NUMBER),
        json.dumps({"rivers": BY_NUMBER}),
        json.dumps({f"Item {n}": river for n, river in enumerate(ALL.values(), 1)}),
        json.dumps({"rivers": list(ALL.values())}),
        json.dumps(list(ALL.values())),
        json.dumps({"rivers": [{"river": river} for river in ALL.values()]}),
        json.dumps([{"id": each["number"], "River": each["river"]} for each in ANSWERS]),
        json.dumps([{"#": f"#{each['number']}", "river": each["river"]} for each in ANSWERS]),
        "\n".join(json.dumps(each) for each in ANSWERS),
        "\n\n".join(f"```json\n{json.dumps(each)}\n```" for each in ANSWERS),
        f"The form is {{\"rivers\": [...]}}, so:\n{json.dumps({'rivers': ANSWERS})}",
        f"{json.dumps({'rivers': ANSWERS})}\nThe form was {{\"rivers\": [...]}}.",
        f"{OLD}\nCorrected:\n{json.dumps({'rivers': ANSWERS})}",
        f"{OLD}\n" + "\n".join(json.dumps(each) for each in ANSWERS),
        f"{json.dumps({'rivers': ANSWERS})}\n{json.dumps({'rivers': ANSWERS})}",
        str({"rivers": ANSWERS}),
        json.dumps({"rivers": ANSWERS}).replace("}]", "},]"),
        *(
            json.dumps({"rivers": [{**each, "number": form.format(each["number"])}
                                   for each in ANSWERS]})
            for form in ("{}", "#{}", "Item {}", "{}.", "No. {}", " ({}) ".replace("(", ""))
        ),
    ],
)  # fmt: skip
def test_answers_are_read_from_every_form_that_teachers_use(content):
    assert RIVERS.is_well_formed(content, CITIES)
    assert RIVERS.answers_in(content, CITIES) == ALL


@pytest.mark.parametrize(
    "content",
    [
        '{"river": "Saale"}',
        '[{"river": "Saale"}]',
        '{"number": 1, "river": "Saale"}',
        '{"rivers": {"1": "Saale"}}',
        '{"river": "Main"}\nNo:\n{"river": "Saale"}',
    ],
)
def test_one_answer_needs_no_list(content):
    assert RIVERS.answers_in(content, ["Jena"]) == {"Jena": "Saale"}


@pytest.mark.parametrize(
    "numbers", [("0", "1", "2"), (0, 1, 2), ("Item 0", "Item 1", "Item 2"), (2, 3, 4)]
)
@pytest.mark.parametrize("name", ["number", "index", "id"])
def test_a_reply_that_counts_from_elsewhere_is_refused_in_every_form(numbers, name):
    answers = [{name: n, "river": "Main"} for n in numbers]
    by_number = {str(n): {"river": "Main"} for n in numbers}
    lines = "\n".join(map(json.dumps, answers))
    for content in (
        json.dumps({"rivers": answers}), json.dumps(answers), lines, json.dumps(by_number)
    ):  # fmt: skip
        assert not RIVERS.is_well_formed(content, CITIES)
        assert RIVERS.answers_in(content, CITIES) == {}


@pytest.mark.parametrize(
    "content",
    [
        '{"river": "Saale"}',
        '{"river": "Saale"}\n{"river": "Aare"}',
        '["Saale", "Aare"]',
        '[{"river": "Saale"}, {"river": "Aare"}]',
        '{"rivers": [{"number": 1, "river": "Saale"} {"number": 2, "river": "Aare"}]}',
    ],
)
def test_answers_that_can_not_be_assigned_to_items_are_no_answers(content):
    assert not RIVERS.is_well_formed(content, CITIES)
    assert RIVERS.answers_in(content, CITIES) == {}


def test_a_key_that_contradicts_the_number_inside_is_no_answer():
    content = json.dumps(
        {"1": {"number": 2, "river": "Main"}, "3": {"number": "3", "river": "Mur"}}
    )
    assert RIVERS.answers_in(content, CITIES) == {"Graz": "Mur"}


def test_lines_with_two_answers_for_an_item_contradict_each_other():
    lines = [*ANSWERS[:2], {"number": 1, "river": "Main"}]
    content = "\n".join(map(json.dumps, lines))
    assert RIVERS.answers_in(content, CITIES) == {"Bern {items}": "Aare"}


def test_a_later_list_corrects_single_answers():
    content = f"{said(*enumerate(ALL.values(), 1))}\nI must correct one:\n{said((2, 'Main'))}"
    assert RIVERS.answers_in(content, CITIES) == ALL | {"Bern {items}": "Main"}


@pytest.mark.parametrize("form", ["{}", "```json\n{}", '{{"answers": {}'])
def test_answers_before_a_cut_are_read_from_other_forms(form):
    content = form.format(json.dumps(ANSWERS))
    content = content[: content.index("Mur")]
    assert RIVERS.answers_in(content, CITIES, cut=True) == dict(list(ALL.items())[:2])


KIND = replace(
    PROMPT,
    properties={
        "kind": {"type": "string", "enum": ["slow_river", "fast_river", "other"]},
        "sure": {"type": "boolean"},
        "score": {"type": "number"},
        "rank": {"type": "integer"},
    },
)


@pytest.mark.parametrize(
    "answer",
    [
        {"kind": "slow_river", "sure": True, "score": 0.8, "rank": 3},
        {"kind": "Slow River", "sure": "true", "score": "0.8", "rank": "3"},
        {"Kind": "SLOW-RIVER.", "SURE": "Yes", "Score": " 0.8 ", "rank": 3.0},
        {"kind": ["slow river"], "sure": "TRUE", "score": 0.8, "rank": "3.0"},
    ],
)
def test_values_are_read_in_the_types_of_the_schema(answer):
    question = Question(KIND, lambda each: tuple(each[name] for name in KIND.properties))
    content = json.dumps({"rivers": [{"number": 1, **answer}]})
    assert question.answers_in(content, ["Jena"]) == {"Jena": ("slow_river", True, 0.8, 3)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "slow"), ("kind", ["other", "fast_river"]), ("kind", 1), ("sure", "perhaps"),
        ("sure", 1), ("score", "high"), ("score", "nan"), ("score", True), ("rank", 2.5),
    ],
)  # fmt: skip
def test_a_value_of_another_meaning_stays_as_it_is(name, value):
    question = Question(KIND, lambda each: (each[name],))
    content = json.dumps({"rivers": [{"number": 1, name: value, "rank": value}]})
    assert question.answers_in(content, ["Jena"]) == {"Jena": (value,)}


CHOICE = replace(PROMPT, properties={"kind": {"type": "string", "enum": ["slow", "fast"]}})


@pytest.mark.parametrize(
    ("content", "answers"),
    [
        ("1. slow\n2. Fast\n3. slow", ["slow", "fast", "slow"]),
        ("Here:\n**Item 1:** fast\n**Item 2:** fast\n**Item 3:** slow", ["fast", "fast", "slow"]),
        ("1. slow\n3. slow", []),
        ("0. slow\n1. slow\n2. slow", []),
        ("1. slow\n2. middling\n3. fast", []),
        ("1. slow\n2. fast\n3. slow\n3. fast", []),
    ],
)
def test_a_choice_may_stand_on_a_line_of_its_own(content, answers):
    question = Question(CHOICE, lambda each: each["kind"])
    assert list(question.answers_in(content, CITIES).values()) == answers
    assert question.is_well_formed(content, CITIES) == bool(answers)


def work_of(content, cut):
    """How many function calls reading a reply takes."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        RIVERS.answers_in(content, CITIES, cut=cut)
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize(
    "part",
    [
        '{"number": 1, "river": "Main"}\n', '[{"number": 1, "river": "Main"}]', '{"rivers": [', "[",
        '{"a": ', '{"1": {"river": "Main"}}', '"', "1. a\n", "[{", '{"rivers": [{}]}', ",}",
    ],
)  # fmt: skip
def test_twice_the_reply_is_at_most_twice_the_work(part, cut):
    once, twice = (work_of(part * n, cut) for n in (500, 1_000))
    assert twice <= 2 * once + 100
