"""Categories: what each means, the prompt that asks a teacher for them, and reading its answer.

Does not belong here: sending the prompt (labelling), or labelling without a teacher (classifier).
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.questions import objects_listed
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest
from bioinstruct_dagster.yaml_files import StrictModel, read_yaml

DEFINITIONS = INPUTS / "categories.yaml"
# Instructions per request: enough to spread the prompt's cost, few enough to stay exact.
BATCH = 20
TOKENS_PER_LABEL = 40
# A sample is labelled a second time, to see how far the labels agree.
LabelPass = Literal[1, 2]
FIRST: LabelPass = 1
SECOND: LabelPass = 2

TEMPLATE_ID = "category/2"
SYSTEM = "You classify biomedical instructions. You answer with JSON only."
# For a server that is not told the form by a schema.
ANSWER = """

Answer in this form, with the number and category of every instruction:
{"labels": [{"number": 1, "category": "..."}]}"""
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
    """`data/categories.yaml` does not define the four categories; the message names each fault."""


# Not stripped of spaces: the prompt holds a definition as the file has it.
_Definition = Annotated[str, Field(min_length=1, strict=True)]
_Definitions: type[pydantic.BaseModel] = pydantic.create_model(
    "_Definitions",
    __base__=StrictModel,
    **dict.fromkeys(CATEGORIES, (_Definition, ...)),  # type: ignore[call-overload]
)


@cache
def definitions() -> dict[str, str]:
    """Definition by category, in the order of `CATEGORIES`.

    Raises:
        CategoryFileError: lists every fault of the file with line, category and what to do.
    """
    return read_yaml(DEFINITIONS, _Definitions, CategoryFileError).model_dump()


RESPONSE_FORMATS: dict[ReplyFormat, dict[str, Any] | None] = {
    "json_schema": RESPONSE_FORMAT,
    "json_object": {"type": "json_object"},
    "text": None,
}


@cache
def template_sha256(reply_format: ReplyFormat = "json_schema") -> str:
    """Hash of all that the prompt is made of, the definitions included."""
    answer = "" if reply_format == "json_schema" else ANSWER
    return sha256_of(
        [TEMPLATE_ID, SYSTEM, USER, answer, RESPONSE_FORMATS[reply_format], definitions()]
    )


def label_key(instruction: str, teacher: str, model: str, nth: LabelPass = FIRST) -> str:
    """Under what a teacher's label is stored, so that none is asked for twice."""
    key = [teacher, model, template_sha256(), instruction]
    return sha256_of(key if nth == FIRST else [*key, nth])


def categorization_requests(
    instructions: Sequence[str],
    *,
    teacher: str,
    model: str,
    reply_format: ReplyFormat = "json_schema",
    nth: LabelPass = FIRST,
) -> Iterator[tuple[TeacherRequest, Sequence[str]]]:
    """Requests that cover the instructions, each with those it asks about, in its numbering.

    The second pass names the categories in the opposite order: a label that hangs on the order is
    found out, and no prompt of the second pass is one of the first, whose reply would be reused.
    """
    meanings = list(definitions().items())[:: 1 if nth == FIRST else -1]
    lines = "\n".join(f"- {name}: {meaning}" for name, meaning in meanings)
    form = RESPONSE_FORMATS[reply_format]
    answer = "" if reply_format == "json_schema" else ANSWER
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
                **({"response_format": form} if form else {}),
            },
            messages=[
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": USER.format(definitions=lines, items=items) + answer},
            ],
            template_id=TEMPLATE_ID,
            template_sha256=template_sha256(reply_format),
            reply_format=reply_format,
        )
        yield request, batch


def read_labels(content: str, batch: Sequence[str]) -> dict[str, str]:
    """Category by instruction, where the reply has a valid one; contradictory ones are none.

    Prose and fences around the JSON are passed over: servers without structured output add them.
    """
    found: dict[str, set[str]] = {}
    for label in objects_listed(content, "labels") or []:
        number, category = label.get("number"), label.get("category")
        if category in CATEGORIES and type(number) is int and 1 <= number <= len(batch):
            found.setdefault(batch[number - 1], set()).add(category)
    return {text: next(iter(given)) for text, given in found.items() if len(given) == 1}


def is_label_list(content: str) -> bool:
    """Whether a reply has the form that was asked for, were the list empty."""
    return objects_listed(content, "labels") is not None
