"""The definitions of the categories, and the question that asks a teacher for a category.

Belongs here: reading `data/categories.yaml`, and the prompt. Does not: asking (labelling), or
labelling without a teacher (classifier).
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
from bioinstruct_dagster.yaml_files import StrictModel, read_yaml, text_of_form

DEFINITIONS_FILE = INPUTS / "categories.yaml"
# More instructions spread the cost of the prompt; fewer are labelled more exactly.
INSTRUCTIONS_PER_REQUEST = 20
TOKENS_PER_LABEL = 40
# A sample is labelled a second time, to measure the agreement of the labels.
LabelPass = Literal[1, 2]
FIRST_PASS: LabelPass = 1
SECOND_PASS: LabelPass = 2

TEMPLATE_ID = "category/3"
SYSTEM_PROMPT = "You classify biomedical instructions. You answer with JSON only."
# For a server that takes no schema.
ANSWER_FORM = """

Answer in this form, with the number and category of every instruction:
{"labels": [{"number": 1, "category": "..."}]}"""
USER_PROMPT = """\
Assign each numbered instruction below to exactly one category. Its input is not shown: suppose that
it holds the case, text, list or values to which the instruction refers.

Categories:
{definitions}

Instructions, one JSON object a line:
{items}"""


class CategoryFileError(StatedError):
    """`data/categories.yaml` does not define the four categories; the message names each fault."""


# Spaces are not stripped: the prompt holds each definition as the file has it.
_Definition = Annotated[
    str,
    Field(min_length=1),
    text_of_form(r"(?s).*\S.*", "holds only blanks; write what the category means"),
]
_Definitions: type[pydantic.BaseModel] = pydantic.create_model(
    "_Definitions",
    __base__=StrictModel,
    **dict.fromkeys(CATEGORIES, (_Definition, ...)),  # type: ignore[call-overload]
)


@cache
def category_definitions() -> dict[str, str]:
    """The definition of each category, in the order of `CATEGORIES`.

    Raises:
        CategoryFileError: lists every fault of the file with its line and category.
    """
    return read_yaml(DEFINITIONS_FILE, _Definitions, CategoryFileError).model_dump()


STORED_LABELS = """
    select label_key as answer_key, category, completion_id, completion.rehearsal
    from category_labels
    join completions as completion using (completion_id)
    where label_key in (select unnest($wanted::varchar[]))
"""


@cache
def category_question(nth: LabelPass) -> Question[str, str]:
    """The question for the category of each instruction, in a first or a second pass.

    The second pass names the categories in the opposite order. So a label that depends on the order
    differs, and no prompt of the second pass equals one of the first, whose stored reply would be
    used again.
    """
    meanings = list(category_definitions().items())[:: 1 if nth == FIRST_PASS else -1]
    return Question(
        QuestionPrompt(
            purpose="categorization",
            template_id=TEMPLATE_ID,
            schema_name="category_labels",
            list_name="labels",
            properties={"category": {"type": "string", "enum": list(CATEGORIES)}},
            fields_of=lambda instruction: {"instruction": instruction},
            items_per_request=INSTRUCTIONS_PER_REQUEST,
            tokens_per_item=TOKENS_PER_LABEL,
            values={"definitions": "\n".join(f"- {name}: {text}" for name, text in meanings)},
            covers=(category_definitions(),),
            system=SYSTEM_PROMPT,
            user=USER_PROMPT,
            form=ANSWER_FORM,
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
        # The first pass has the keys from before the second pass existed.
        key_ends=() if nth == FIRST_PASS else (nth,),
    )


def _valid_category(listed: Mapping[str, Any]) -> str | None:
    category = listed.get("category")
    return category if category in CATEGORIES else None
