"""A row ends with a token at which the model's generation stops."""

from types import SimpleNamespace

import pytest

from bioinstruct_dagster.models.prompts import PromptTemplateError, stops_of
from bioinstruct_dagster.models.prompts.ends import end_of_text, with_end
from bioinstruct_dagster_tests.models.made_tokenizers import LLAMA3_TOKENS, byte_level, llama3


def stated(eos):
    return SimpleNamespace(eos_token_id=eos)


@pytest.mark.parametrize(
    ("generation", "config", "stops"),
    [
        (stated([3, 1, 3]), stated(9), (3, 1)),
        (stated(4), stated(9), (4,)),
        (stated(None), stated(9), (9,)),
        (None, stated(9), (9,)),
        (None, None, ()),
        (stated(0), None, (0,)),
    ],
)
def test_the_generation_config_counts_before_the_models(generation, config, stops):
    assert stops_of(generation, config) == stops


def test_real_configs_name_the_stops():
    from transformers import GenerationConfig, LlamaConfig

    assert stops_of(GenerationConfig(eos_token_id=[5, 6]), LlamaConfig(eos_token_id=2)) == (5, 6)
    assert stops_of(GenerationConfig(), LlamaConfig(eos_token_id=2)) == (2,)


def test_a_row_ends_with_the_tokenizers_end_if_generation_stops_there():
    tokenizer = llama3()
    for stops in ((), (tokenizer.eos_token_id,), (0, tokenizer.eos_token_id)):
        assert end_of_text(tokenizer, stops) == (tokenizer.eos_token_id, ())


def test_otherwise_it_ends_where_generation_stops_and_the_log_says_so():
    tokenizer = llama3()
    end = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    found, (note,) = end_of_text(tokenizer, (end,))
    assert found == end
    assert "'<|end_of_text|>'" in note
    assert "stops at '<|eot_id|>'" in note


def test_a_tokenizer_without_an_end_takes_the_models():
    tokenizer = byte_level(LLAMA3_TOKENS)
    assert tokenizer.eos_token_id is None
    found, (note,) = end_of_text(tokenizer, (9_999, 1))
    assert found == 1  # 9,999 is no token
    assert "is missing" in note


def test_a_stop_that_is_no_token_does_not_end_rows():
    tokenizer = llama3()
    assert end_of_text(tokenizer, (9_999,)) == (tokenizer.eos_token_id, ())


def test_without_any_end_the_base_model_is_refused():
    with pytest.raises(PromptTemplateError, match=r"no end-of-sequence token.*tokenizer_config"):
        end_of_text(byte_level(LLAMA3_TOKENS), ())


def test_generation_stops_at_the_rows_end_and_the_models_own():
    assert with_end(3, (1, 3, 2)) == (3, 1, 2)
