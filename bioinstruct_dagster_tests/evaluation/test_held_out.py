"""The own test split: the tokens of training, and rows that can't be scored."""

from dataclasses import replace

from bioinstruct_dagster.evaluation.held_out import (
    ANSWER_TOKENS,
    held_out_items,
    held_out_requests,
)
from bioinstruct_dagster.models.encoding import encode_rows


def test_prompt_and_output_have_the_tokens_of_training(tiny_base, dataset_rows):
    items = held_out_items(dataset_rows)
    examples = encode_rows(dataset_rows, tiny_base, 10_000).examples
    for example, made in zip(examples, held_out_requests(items, tiny_base), strict=True):
        loss, answer = made
        ids = list(example.input_ids)
        assert list(loss.prompt_ids) == ids[: example.prompt_tokens] == list(answer.prompt_ids)
        assert list(loss.option_ids[0]) == ids[example.prompt_tokens :]
        assert loss.option_ids[0][-1] == tiny_base.prompt.end_id
        assert answer.max_new_tokens == ANSWER_TOKENS


def test_a_row_without_output_is_no_item(dataset_rows):
    rows = [dataset_rows[0], dataset_rows[1] | {"output": " "}]
    assert [item.id for item in held_out_items(rows)] == [dataset_rows[0]["row_id"]]


def test_a_row_that_does_not_fit_is_not_asked(tiny_base, dataset_rows):
    rows = [dataset_rows[0], dataset_rows[1] | {"instruction": "word " * 1_100}]
    first, second = held_out_requests(held_out_items(rows), tiny_base)
    assert first
    assert second is None


def test_an_answer_stays_in_the_models_context(tiny_base, dataset_rows):
    items = held_out_items([dataset_rows[0] | {"output": "a"}])
    ((loss, _),) = held_out_requests(items, tiny_base)
    whole = len(loss.prompt_ids) + len(loss.option_ids[0])
    ((_, answer),) = held_out_requests(items, replace(tiny_base, context=whole))
    assert answer.max_new_tokens == len(loss.option_ids[0])
    assert held_out_requests(items, replace(tiny_base, context=whole - 1)) == [None]
