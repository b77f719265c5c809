"""Rows as token ids: the loss covers the response, and long rows are cut or left out."""

import pytest

from bioinstruct_dagster.models.encoding import IGNORED_LABEL, encode, encode_all
from bioinstruct_dagster.models.prompt import prompt_of

ROW = {
    "row_id": "row",
    "instruction": "Name the organ that makes insulin.",
    "input": "",
    "output": "The pancreas, in the beta cells of its islets.",
}


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return tiny_base.tokenizer


@pytest.fixture(scope="module")
def prompt_ids(tokenizer):
    return tokenizer(prompt_of(ROW["instruction"], ROW["input"]))["input_ids"]


def test_the_loss_covers_the_response_and_its_end(tokenizer, prompt_ids):
    example = encode(ROW, tokenizer, 512)
    size = len(prompt_ids)
    assert example.row_id == "row"
    assert example.prompt_tokens == size
    assert example.input_ids[:size] == prompt_ids
    assert prompt_ids[0] == tokenizer.bos_token_id
    assert example.labels[:size] == [IGNORED_LABEL] * size
    assert example.labels[size:] == example.input_ids[size:]
    assert IGNORED_LABEL not in example.labels[size:]
    assert example.labels[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(example.labels[size:-1]) == ROW["output"]
    assert example.length == len(example.input_ids) == len(example.labels)


def test_the_response_is_cut_at_the_limit(tokenizer, prompt_ids):
    whole = encode(ROW, tokenizer, 512)
    for limit in range(len(prompt_ids) + 1, whole.length + 1):
        example = encode(ROW, tokenizer, limit)
        assert example.input_ids == whole.input_ids[:limit]
        assert example.labels == whole.labels[:limit]
        assert (example.labels[-1] == tokenizer.eos_token_id) is (limit == whole.length)


def test_a_prompt_that_leaves_no_room_gives_no_example(tokenizer, prompt_ids):
    assert encode(ROW, tokenizer, len(prompt_ids)) is None
    assert encode(ROW, tokenizer, len(prompt_ids) - 1) is None
    assert encode(ROW, tokenizer, len(prompt_ids) + 1) is not None


def test_an_empty_output_is_learned_as_an_immediate_end(tokenizer, prompt_ids):
    example = encode(ROW | {"output": ""}, tokenizer, 512)
    assert example.labels[len(prompt_ids) :] == [tokenizer.eos_token_id]


def test_rows_that_do_not_fit_are_counted_and_left_out(tokenizer):
    long = ROW | {"row_id": "long", "instruction": "word " * 200}
    rows = [ROW, long, ROW | {"row_id": "second"}]
    examples, dropped = encode_all(rows, tokenizer, 128)
    assert [example.row_id for example in examples] == ["row", "second"]
    assert dropped == 1
