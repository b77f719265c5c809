"""Categories: what each means, the prompt that asks a teacher for them, and reading its answer.

Does not belong here: sending the prompt (labelling), or labelling without a teacher (classifier).
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import yaml

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.requests import TeacherRequest
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.provenance import sha256_of

DEFINITIONS = INPUTS / "categories.yaml"
# Instructions per request: enough to spread the prompt's cost, few enough to stay exact.
BATCH = 20
TOKENS_PER_LABEL = 40

TEMPLATE_ID = "category/1"
SYSTEM = "You classify biomedical instructions. You answer with JSON only."
USER = """\
Assign each numbered instruction below to exactly one category. Judge mainly by the instruction.

Categories:
{definitions}

Instructions, one JSON object a line:
{items}"""

# The rehearsal teacher knows a categorization request by this format's name.
RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "category_labels",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "labels": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "number": {"type": "integer"},
                            "category": {"type": "string", "enum": list(CATEGORIES)},
                        },
                        "required": ["number", "category"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["labels"],
            "additionalProperties": False,
        },
    },
}


class CategoryFileError(StatedError):
    """`data/categories.yaml` does not define the four categories."""


@cache
def definitions() -> dict[str, str]:
    """Definition by category, in the order of `CATEGORIES`."""
    found = yaml.safe_load(DEFINITIONS.read_text("utf-8"))
    if not isinstance(found, dict) or set(found) != set(CATEGORIES):
        raise CategoryFileError(
            f"{DEFINITIONS}: expected definitions of exactly {', '.join(CATEGORIES)}."
        )
    return {name: str(found[name]) for name in CATEGORIES}


def template_sha256() -> str:
    """Hash of all that the prompt is made of, the definitions included."""
    return sha256_of([TEMPLATE_ID, SYSTEM, USER, RESPONSE_FORMAT, definitions()])


def label_key(instruction: str, teacher: str, model: str) -> str:
    """Under what a teacher's label is stored, so that no instruction is labelled twice."""
    return sha256_of([teacher, model, template_sha256(), instruction])


def categorization_requests(
    instructions: Sequence[str], *, teacher: str, model: str
) -> Iterator[tuple[TeacherRequest, Sequence[str]]]:
    """Requests that cover the instructions, each with those it asks about, in its numbering."""
    lines = "\n".join(f"- {name}: {meaning}" for name, meaning in definitions().items())
    for start in range(0, len(instructions), BATCH):
        batch = instructions[start : start + BATCH]
        items = "\n".join(
            json.dumps({"number": number, "instruction": text}, ensure_ascii=False)
            for number, text in enumerate(batch, start=1)
        )
        request = TeacherRequest(
            purpose="categorization",
            teacher=teacher,
            model=model,
            parameters={
                "temperature": 0.0,
                "max_completion_tokens": TOKENS_PER_LABEL * (len(batch) + 1),
                "response_format": RESPONSE_FORMAT,
            },
            messages=[
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": USER.format(definitions=lines, items=items)},
            ],
            template_id=TEMPLATE_ID,
            template_sha256=template_sha256(),
        )
        yield request, batch


def read_labels(content: str, batch: Sequence[str]) -> dict[str, str]:
    """Category by instruction, where the reply has a valid one; contradictory ones are none."""
    try:
        labels = json.loads(content)["labels"]
        pairs = [(label["number"], label["category"]) for label in labels]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    found: dict[str, set[str]] = {}
    for number, category in pairs:
        if category in CATEGORIES and type(number) is int and 1 <= number <= len(batch):
            found.setdefault(batch[number - 1], set()).add(category)
    return {text: next(iter(given)) for text, given in found.items() if len(given) == 1}
