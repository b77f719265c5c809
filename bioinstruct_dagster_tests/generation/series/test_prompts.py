"""The generation prompt: whole seeds, the requirements, and a format that servers accept."""

import json

import pytest

from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.generation.series import prompts
from bioinstruct_dagster.generation.series.prompts import RESPONSE_FORMAT, SYSTEM_PROMPT, template
from bioinstruct_dagster.seeds.tasks import SeedTask

FORMATS = ["json_schema", "json_object", "text"]
ODD = [
    SeedTask(str(n), "other", "f", f"Fill {{count}} of {{examples}} {n}%s", 'a "b"\n{}', "Ü\\")
    for n in range(3)
]


@pytest.mark.parametrize("reply_format", ["json_schema", "json_object"])
def test_the_prompt_shows_whole_seeds_and_the_number_of_tasks(reply_format):
    system, user = template(reply_format).messages(ODD, 4)
    assert system == {"role": "system", "content": SYSTEM_PROMPT}
    heading, _, examples = user["content"].partition("Examples:\n")
    assert heading.startswith("Write 4 new biomedical or clinical tasks")
    assert json.loads(examples) == {
        "tasks": [{"instruction": s.instruction, "input": s.input, "output": s.output} for s in ODD]
    }


@pytest.mark.parametrize("reply_format", FORMATS)
def test_a_reply_in_the_form_of_the_examples_is_read_whole(reply_format):
    seeds = [
        SeedTask("a", "other", "f", "Name the nerve.", "It moves the eye out.", "Abducens."),
        SeedTask("b", "other", "f", "Name a vitamin.", "", "Vitamin C."),
    ]
    prompt = template(reply_format).messages(seeds, 2)[1]["content"]
    examples = prompt.partition("Examples:\n")[2]
    reading = read_reply(examples, "stop", None, "text" if reply_format == "text" else "json")
    assert reading.outcome == "parsed"
    assert list(reading.tasks) == [
        {"instruction": s.instruction, "input": s.input, "output": s.output} for s in seeds
    ]


def test_without_structured_output_the_prompt_describes_the_form():
    said = {name: template(name).messages(ODD, 4)[1]["content"] for name in FORMATS}
    assert '{"tasks": [...]}' in said["json_object"]
    assert "<noinput>" in said["text"]
    assert "JSON" not in said["text"]
    assert template("json_schema").response_format == RESPONSE_FORMAT
    assert template("json_object").response_format == {"type": "json_object"}
    assert template("text").response_format is None


def test_a_plan_stands_between_requirements_and_examples():
    lines = ["Task 1: rank {drugs}.", "Task 2: explain."]
    planned = template(controlled=True).messages(ODD, 2, lines)[1]["content"]
    plain = template().messages(ODD, 2)[1]["content"]
    assert "no longer than 100 words.\n\nWrite the tasks to this plan" in planned
    assert "\n".join(lines) in planned.partition("Examples:")[0]
    assert "this plan" not in plain
    assert planned.partition("Examples:")[2] == plain.partition("Examples:")[2]


def test_each_kind_of_prompt_has_a_hash_of_its_own():
    kinds = {template(name, controlled=c).sha256 for name in FORMATS for c in (False, True)}
    assert len(kinds) == 6


@pytest.mark.parametrize("part", ["TEMPLATE_ID", "SYSTEM_PROMPT", "USER_PROMPT", "PLAN_SECTION"])
def test_a_changed_word_changes_the_hash_of_what_uses_it(monkeypatch, part):
    before = [template("text", controlled=c).sha256 for c in (False, True)]
    monkeypatch.setattr(prompts, part, getattr(prompts, part) + " ")
    after = [template.__wrapped__("text", controlled=c).sha256 for c in (False, True)]
    changed = [old != new for old, new in zip(before, after, strict=True)]
    assert changed == [part != "PLAN_SECTION", True]


def test_the_reply_format_is_one_that_strict_servers_accept():
    # OpenAI's strict mode: every property required, none additional, at every level.
    def objects(schema):
        if schema.get("type") == "object":
            yield schema
        for inner in [*schema.get("properties", {}).values(), schema.get("items", {})]:
            if inner:
                yield from objects(inner)

    assert RESPONSE_FORMAT["json_schema"]["strict"] is True
    found = list(objects(RESPONSE_FORMAT["json_schema"]["schema"]))
    assert len(found) == 2
    for schema in found:
        assert schema["required"] == list(schema["properties"])
        assert schema["additionalProperties"] is False
