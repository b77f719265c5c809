"""How a task becomes a prompt: Alpaca's text, the tokenizer's chat template, or a user's file.

`template_of` makes the template of a base model, and `RowTokenizer` its token ids. The steps that
need them import these names from here.
"""

from bioinstruct_dagster.models.prompts.choice import stated_version, template_of
from bioinstruct_dagster.models.prompts.ends import stops_of
from bioinstruct_dagster.models.prompts.template import PromptTemplate, PromptTemplateError
from bioinstruct_dagster.models.prompts.tokens import Ids, RowTokenizer

__all__ = [
    "Ids",
    "PromptTemplate",
    "PromptTemplateError",
    "RowTokenizer",
    "stated_version",
    "stops_of",
    "template_of",
]
