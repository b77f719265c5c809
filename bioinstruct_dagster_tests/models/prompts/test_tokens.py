"""Prompts and responses as token ids: no text of a row becomes a control token."""

from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bioinstruct_dagster.models.prompts import RowTokenizer
from bioinstruct_dagster.models.prompts import tokens as module
from bioinstruct_dagster.models.prompts.tokens import start_ids
from bioinstruct_dagster_tests.models.made_tokenizers import (
    CHATML_TOKENS,
    KINDS,
    LLAMA3,
    LLAMA3_TOKENS,
    PROMPTS,
    base_of,
    byte_level,
    llama2,
    llama3,
    sentencepiece_like,
    smollm2,
    tokenizing,
)

NAMES = ["<s>", "</s>", "<unk>", *CHATML_TOKENS, *LLAMA3_TOKENS]
# Text in which names of control tokens, braces and odd characters stand side by side.
ODD_TEXT = st.lists(
    st.one_of(
        st.sampled_from([*NAMES, "<|im_", "end|>", "{input}", "{instruction}", "[/INST]", "###"]),
        st.sampled_from([" ", "\n", "\n\n", "\t", "\ue000", "\u2581", "\u200b", "é", "心", "🫀"]),
        st.text(max_size=5),
    ),
    max_size=8,
).map("".join)
FEWER = settings(max_examples=60)

# The kind of a tokenizer, and the prompt.
BASES = st.tuples(st.sampled_from(KINDS), st.sampled_from(PROMPTS))


@cache
def encoder_of(kind, prompt):
    base = base_of(kind, prompt)
    return RowTokenizer(base.tokenizer, base.prompt)


def controls_of(tokenizer, ids):
    special = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    return [token for token in ids if token in special]


@FEWER
@given(name=BASES, instruction=ODD_TEXT, task_input=ODD_TEXT)
def test_a_prompt_holds_the_control_tokens_of_its_template_alone(name, instruction, task_input):
    base, encoder = base_of(*name), encoder_of(*name)
    plain, odd = encoder.prompts([("a", "b" if task_input else ""), (instruction, task_input)])
    assert controls_of(base.tokenizer, odd) == controls_of(base.tokenizer, plain)


@FEWER
@given(name=BASES, text=ODD_TEXT)
def test_a_response_holds_no_control_token_and_all_of_its_text(name, text):
    base, encoder = base_of(*name), encoder_of(*name)
    ids = encoder.responses([text])[0]
    assert controls_of(base.tokenizer, ids) == []
    said = base.tokenizer.decode(ids, skip_special_tokens=True)
    # SentencePiece's own sign for a blank may come back as a blank.
    assert said.replace("\u2581", " ").strip(" ") == text.replace("\u2581", " ").strip(" ")


@FEWER
@given(
    name=BASES,
    tasks=st.lists(st.tuples(ODD_TEXT, ODD_TEXT), min_size=1, max_size=5),
)
def test_many_rows_at_once_are_each_row_by_itself(name, tasks):
    encoder = encoder_of(*name)
    assert encoder.prompts(tasks) == [encoder.prompts([task])[0] for task in tasks]
    outputs = [task[0] for task in tasks]
    assert encoder.responses(outputs) == [encoder.responses([one])[0] for one in outputs]


@FEWER
@given(
    kind=st.sampled_from(KINDS),
    instruction=st.text(max_size=20),
    task_input=st.text(max_size=20),
)
def test_a_text_that_names_no_control_token_is_encoded_as_by_the_tokenizer(
    kind, instruction, task_input
):
    base, encoder = base_of(kind, "alpaca"), encoder_of(kind, "alpaca")
    assume(not any(each in instruction + task_input for each in base.tokenizer.all_special_tokens))
    expected = base.tokenizer(base.prompt.prompt_of(instruction, task_input))["input_ids"]
    assert list(encoder.prompts([(instruction, task_input)])[0]) == expected


def test_rows_of_several_calls_stay_in_order(monkeypatch):
    encoder = encoder_of("smollm2", "chat")
    tasks = [(f"Name {number}.", "") for number in range(5)]
    at_once = encoder.prompts(tasks)
    monkeypatch.setattr(module, "_CALL_ROWS", 2)
    assert encoder.prompts(tasks) == at_once
    assert len({tuple(ids) for ids in at_once}) == 5


def test_without_rows_there_is_nothing_to_encode():
    encoder = encoder_of("llama2", "chat")
    assert encoder.prompts([]) == encoder.responses([]) == []


@pytest.mark.parametrize(
    ("make", "start"),
    [
        (smollm2, []),
        (llama3, ["<|begin_of_text|>"]),
        (llama2, ["<s>"]),
        (lambda: sentencepiece_like(adds="<s> $A </s>"), ["<s>"]),
        (lambda: sentencepiece_like(adds="$A </s>"), []),
    ],
)
def test_what_the_tokenizer_appends_to_a_text_does_not_end_the_prompt(make, start):
    tokenizer = make()
    assert tokenizer.convert_ids_to_tokens(list(start_ids(tokenizer))) == start
    base = tokenizing(tokenizer, "alpaca")
    ids = RowTokenizer(tokenizer, base.prompt).prompts([("Name a drug.", "")])[0]
    assert list(ids[: len(start)]) == list(start_ids(tokenizer))
    assert tokenizer.eos_token_id not in ids


def test_added_words_that_are_no_control_tokens_stay_words_of_the_model():
    tokenizer = byte_level(CHATML_TOKENS, eos="<|im_end|>", words=("<think>",))
    ids = RowTokenizer(tokenizer, tokenizing(tokenizer, "alpaca").prompt).responses(["<think>"])
    assert tokenizer.convert_ids_to_tokens(list(ids[0])) == ["<think>"]


@pytest.mark.parametrize("prompt", ["alpaca", "chat"])
def test_a_vocabulary_of_words_gives_no_control_token_for_its_name(prompt):
    # Here the name of a control token is a word like any other.
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<unk>": 0, "</s>": 1, "the": 2, "end": 3}
    inner = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="</s>", unk_token="<unk>", chat_template=LLAMA3
    )
    encoder = RowTokenizer(tokenizer, tokenizing(tokenizer, prompt).prompt)
    ids = encoder.responses(["the </s> end"])[0]
    assert ids[0] == 2
    assert ids[-1] == 3
    assert 1 not in ids
    assert 1 not in encoder.prompts([("the </s> end", "")])[0]


def test_a_slow_tokenizer_encodes_the_same_way():
    from transformers import ByT5Tokenizer

    tokenizer = ByT5Tokenizer()
    encoder = RowTokenizer(tokenizer, tokenizing(tokenizer, "alpaca").prompt)
    ids = encoder.responses(["a</s>b"])[0]
    assert tokenizer.eos_token_id not in ids
    assert tokenizer.decode(ids) == "a</s>b"
    assert tokenizer.eos_token_id not in encoder.prompts([("a</s>b", "")])[0]
