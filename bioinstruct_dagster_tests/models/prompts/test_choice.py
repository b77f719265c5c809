"""The prompt template that data/experiments.yaml names, and its version before a base is loaded."""

import pytest

from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.prompts import PromptTemplateError, stated_version, template_of
from bioinstruct_dagster_tests.models.made_tokenizers import llama3, smollm2, tokenizing


def spec(prompt):
    return BaseModelSpec(source="owner/name", prompt=prompt)


@pytest.mark.parametrize(
    ("prompt", "version"),
    [("alpaca", "alpaca/1"), ("data/prompts/alpaca_lora.yaml", "alpaca_lora/")],
)
def test_the_version_of_a_text_is_known_without_the_tokenizer(prompt, version):
    assert stated_version(spec(prompt)).startswith(version)
    assert stated_version(spec(prompt)) == template_of(spec(prompt), smollm2()).version


def test_of_a_chat_template_the_rules_are_known():
    assert stated_version(spec("chat")) == "chat/1"


def test_alpaca_is_the_prompt_unless_another_is_named():
    assert BaseModelSpec(source="owner/name").prompt == "alpaca"


def test_outside_a_chat_a_row_ends_where_generation_stops():
    tokenizer = llama3()
    turn = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    prompt = tokenizing(tokenizer, "alpaca", stops=(turn,)).prompt
    assert (prompt.end_id, prompt.stop_ids) == (turn, (turn,))
    assert len(prompt.notes) == 1
    plain = tokenizing(tokenizer, "alpaca").prompt
    assert (plain.end_id, plain.notes) == (tokenizer.eos_token_id, ())


def test_a_template_that_is_nowhere_is_refused():
    for find in (stated_version, lambda one: template_of(one, smollm2())):
        with pytest.raises(PromptTemplateError, match="does not exist"):
            find(spec("no_such_prompt"))
