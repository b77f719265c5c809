"""The prompt for training and evaluation: Alpaca's template, with and without input.

An adapter is scored with the prompt that it was trained with. The prompt version is stored with
each adapter and each score. Belongs here: the prompt's text. Does not: its tokens
(models.encoding).
"""

import re

# stanford_alpaca train.py, PROMPT_DICT (Apache-2.0), to the letter.
PROMPT_VERSION = "alpaca/1"
WITH_INPUT = (
    "Below is an instruction that describes a task, "
    "paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
)
WITHOUT_INPUT = (
    "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)

_FIELD = re.compile(r"\{(?:instruction|input)\}")


def prompt_of(instruction: str, task_input: str) -> str:
    """The prompt of a task: the text before the response."""
    template = WITH_INPUT if task_input else WITHOUT_INPUT
    values = {"{instruction}": instruction, "{input}": task_input}
    # One substitution and not str.format, because clinical text may hold braces or a field's name.
    return _FIELD.sub(lambda field: values[field.group()], template)
