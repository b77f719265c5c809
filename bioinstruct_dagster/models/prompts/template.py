"""A prompt template: how a task becomes the text before the response, and what ends a response.

Belongs here: what every template gives to training and evaluation. Does not: choosing a template
(models.prompts.choice), or tokenising texts (models.prompts.tokens).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bioinstruct_dagster.errors import StatedError

INSTRUCTION = "{instruction}"
INPUT = "{input}"
_FIELD = re.compile(r"\{(?:instruction|input)\}")


class PromptTemplateError(StatedError):
    """The base model's prompt template can't be used. The message says why and what to do."""


@dataclass(frozen=True)
class PromptTemplate:
    """The prompt of a base model. An adapter is scored with the prompt that it was trained with.

    Attributes:
        version: stored with each adapter and each score, so that scores of different prompts are
            never compared.
        render: the text before the response, from instruction and input.
        start_ids: tokens before the prompt's text, such as the begin-of-sequence token. A chat
            template writes them itself.
        joins: whether the response is tokenised as text that follows the prompt. Otherwise it is
            tokenised as a text of its own, to which some tokenizers add a blank.
        response_lead: text between prompt and response, such as the blank of Llama 2's chats.
        end_id: the token that ends the response of every trained row.
        stop_ids: the tokens at which generation stops: `end_id`, and those that the model names.
        notes: what a user should know of this choice, one line each, for the log.
    """

    version: str
    render: Callable[[str, str], str]
    end_id: int
    stop_ids: tuple[int, ...]
    start_ids: tuple[int, ...] = ()
    joins: bool = False
    response_lead: str = ""
    notes: tuple[str, ...] = ()

    def prompt_of(self, instruction: str, task_input: str) -> str:
        """The prompt of a task: the text before the response.

        Args:
            instruction: the task.
            task_input: the text that the task is about; empty if the task needs none.
        """
        return self.render(instruction, task_input)


@dataclass(frozen=True)
class PromptTexts:
    """A prompt's text for rows with an input, and for rows without one.

    Both hold `{instruction}`; the first holds `{input}` too.
    """

    with_input: str
    without_input: str

    def prompt_of(self, instruction: str, task_input: str) -> str:
        """The prompt of a task: the text before the response."""
        text = self.with_input if task_input else self.without_input
        values = {INSTRUCTION: instruction, INPUT: task_input}
        # One substitution and not str.format: clinical text may hold braces or a field's name.
        return _FIELD.sub(lambda field: values[field.group()], text)
