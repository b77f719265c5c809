"""The generation prompt: the seeds whole, the requirements in words, a format servers accept."""

import json

from bioinstruct_dagster.generation.prompts import RESPONSE_FORMAT, SYSTEM, generation_messages
from bioinstruct_dagster.seeds.tasks import SeedTask


def test_the_prompt_shows_the_seeds_whole_and_asks_for_the_number_of_tasks():
    odd = [
        SeedTask(str(n), "other", "f", f"Fill {{count}} of {{examples}} {n}%s", 'a "b"\n{}', "Ü\\")
        for n in range(3)
    ]
    system, user = generation_messages(odd, 4)
    assert system == {"role": "system", "content": SYSTEM}
    heading, _, examples = user["content"].partition("Examples:\n")
    assert heading.startswith("Write 4 new biomedical or clinical tasks")
    assert json.loads(examples) == {
        "tasks": [{"instruction": s.instruction, "input": s.input, "output": s.output} for s in odd]
    }


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
