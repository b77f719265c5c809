"""Filling the texts of a row into a prompt's text.

Belongs here: the two fields of a prompt's text. Does not: the prompts themselves
(models.prompts.alpaca, models.prompts.file).
"""

import re
from dataclasses import dataclass

INSTRUCTION = "{instruction}"
INPUT = "{input}"
_FIELD = re.compile(r"\{(?:instruction|input)\}")


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
