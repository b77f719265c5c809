"""Categories: what each means, and the question that asks a teacher for them.

Does not belong here: asking (labelling), or labelling without a teacher (classifier).
"""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.teacher.questions import AnswerTable, Question, QuestionPrompt
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


STORED_LABELS = """
    select label_key as answer_key, category, completion_id, completion.rehearsal
    from category_labels
    join completions as completion using (completion_id)
    where label_key in (select unnest($wanted::varchar[]))
"""


@cache
def category_question(nth: LabelPass) -> Question[str, str]:
    """The question for the category of each instruction, in a first or a second pass.

    The second pass names the categories in the opposite order. This reveals a label that depends on
    the order; and no prompt of the second pass is a prompt of the first, whose reply would be used
    again.
    """
    meanings = list(definitions().items())[:: 1 if nth == FIRST else -1]
    return Question(
        QuestionPrompt(
            purpose="categorization",
            template_id=TEMPLATE_ID,
            schema_name="category_labels",
            list_name="labels",
            properties={"category": {"type": "string", "enum": list(CATEGORIES)}},
            fields_of=lambda instruction: {"instruction": instruction},
            items_per_request=BATCH,
            tokens_per_item=TOKENS_PER_LABEL,
            values={"definitions": "\n".join(f"- {name}: {text}" for name, text in meanings)},
            covers=(definitions(),),
            system=SYSTEM,
            user=USER,
            form=ANSWER,
        ),
        _valid_category,
        AnswerTable(
            "category_labels",
            STORED_LABELS,
            lambda key, instruction, category: {
                "label_key": key,
                "instruction": instruction,
                "category": category,
                "pass": nth,
            },
            lambda row: row["category"],
        ),
        # The first pass keeps the keys that it had before there was a second.
        key_ends=() if nth == FIRST else (nth,),
    )


def _valid_category(listed: Mapping[str, Any]) -> str | None:
    category = listed.get("category")
    return category if category in CATEGORIES else None
