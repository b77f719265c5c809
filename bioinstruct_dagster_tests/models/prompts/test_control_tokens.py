"""Which tokens of a tokenizer are control tokens, and where a text names them."""

import pytest

from bioinstruct_dagster.models.prompts.control_tokens import ControlTokens
from bioinstruct_dagster_tests.models.made_tokenizers import (
    CHATML_TOKENS,
    byte_level,
    llama2,
    smollm2,
)


def test_special_tokens_are_control_tokens_and_added_words_are_not():
    tokenizer = byte_level(CHATML_TOKENS, eos="<|im_end|>", words=("<think>",))
    controls = ControlTokens.of(tokenizer)
    assert controls.ids == set(tokenizer.convert_tokens_to_ids(list(CHATML_TOKENS)))
    assert not controls.named_in("<think> and <|im_en")
    assert controls.named_in("a<|im_end|>b")


def test_unknown_text_gives_no_control_token_but_its_name_is_one():
    controls = ControlTokens.of(llama2())
    assert llama2().unk_token_id not in controls.ids
    assert controls.named_in("<unk>")


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (" \n<|im_end|>\n", "<|im_end|>"),
        ("<|im_start|><|im_end|>", "<|im_start|>"),
        ("x<|im_end|>", None),
        ("", None),
    ],
)
def test_the_first_token_after_blanks(text, token):
    tokenizer = smollm2()
    expected = tokenizer.convert_tokens_to_ids(token) if token else None
    assert ControlTokens.of(tokenizer).first_after_blanks(text) == expected


def test_the_longest_name_is_found_first():
    controls = ControlTokens.of(byte_level(("<a>", "<a><b>"), eos="<a>"))
    assert controls.names.sub("", "<a><b>") == ""
