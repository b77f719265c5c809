"""Alpaca's prompt: its exact text."""

from bioinstruct_dagster.models.prompts.alpaca import TEXTS

prompt_of = TEXTS.prompt_of


def test_with_an_input_the_prompt_is_alpacas():
    assert prompt_of("Name the drug.", "Warfarin 5 mg") == (
        "Below is an instruction that describes a task, paired with an input that provides further "
        "context. Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nName the drug.\n\n### Input:\nWarfarin 5 mg\n\n### Response:"
    )


def test_without_an_input_the_prompt_is_alpacas():
    assert prompt_of("Name a drug.", "") == (
        "Below is an instruction that describes a task. "
        "Write a response that appropriately completes the request.\n\n"
        "### Instruction:\nName a drug.\n\n### Response:"
    )
