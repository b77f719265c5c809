"""The prompt template of a base model: `alpaca`, `chat`, or a file.

Belongs here: choosing and making the template. Does not: the templates' texts.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.prompts import alpaca
from bioinstruct_dagster.models.prompts.chat import RULES, chat_template
from bioinstruct_dagster.models.prompts.ends import end_of_text, with_end
from bioinstruct_dagster.models.prompts.file import read_prompt_file
from bioinstruct_dagster.models.prompts.template import PromptTemplate, PromptTexts
from bioinstruct_dagster.models.prompts.tokens import start_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ALPACA, CHAT = "alpaca", "chat"


def template_of(
    spec: BaseModelSpec, tokenizer: "PreTrainedTokenizerBase", stops: Sequence[int] = ()
) -> PromptTemplate:
    """The prompt template of a base model.

    Args:
        spec: names the template in `prompt`.
        tokenizer: of the base model.
        stops: the tokens at which the model's own generation stops (`stops_of`).

    Raises:
        PromptTemplateError: the template can't be used; the message says why and what to do.
    """
    if spec.prompt == CHAT:
        return chat_template(tokenizer, stops)
    version, texts = _stated(spec)
    end, notes = end_of_text(tokenizer, stops)
    return PromptTemplate(
        version=version,
        render=texts.prompt_of,
        end_id=end,
        stop_ids=with_end(end, stops),
        start_ids=start_ids(tokenizer),
        joins=spec.prompt != ALPACA,
        notes=notes,
    )


def stated_version(spec: BaseModelSpec) -> str:
    """The part of the template's version that is known without the tokenizer.

    The text of a chat template is a part of the base model, and so of its fingerprint.

    Raises:
        PromptTemplateError: the template's file can't be used.
    """
    return f"chat/{RULES}" if spec.prompt == CHAT else _stated(spec)[0]


def _stated(spec: BaseModelSpec) -> tuple[str, PromptTexts]:
    if spec.prompt == ALPACA:
        return alpaca.VERSION, alpaca.TEXTS
    return read_prompt_file(spec.prompt)
