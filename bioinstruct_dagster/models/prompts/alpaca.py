"""Alpaca's prompt, with and without input.

Belongs here: the prompt's text. Does not: its tokens (models.prompts.tokens), or prompts that a
user writes (models.prompts.file).
"""

from bioinstruct_dagster.models.prompts.template import PromptTexts

# stanford_alpaca train.py, PROMPT_DICT (Apache-2.0), to the letter. No line break follows
# "### Response:", so the model has to write the response right after the colon.
VERSION = "alpaca/1"
TEXTS = PromptTexts(
    with_input=(
        "Below is an instruction that describes a task, "
        "paired with an input that provides further context. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:"
    ),
    without_input=(
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\n{instruction}\n\n### Response:"
    ),
)
