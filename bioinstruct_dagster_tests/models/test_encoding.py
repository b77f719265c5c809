"""Rows as token ids: the loss covers the response and its end, and no row loses its end."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioinstruct_dagster.models.encoding import (
    IGNORED_LABEL,
    Example,
    LeftOutRow,
    RowExamples,
    encode_rows,
)
from bioinstruct_dagster.models.shortening import MARKER
from bioinstruct_dagster_tests.models.made_tokenizers import (
    base_of,
    sentencepiece_like,
    smollm2,
    tokenizing,
)

ROW = {
    "row_id": "row",
    "instruction": "Name the organ that makes insulin.",
    "input": "",
    "output": "The pancreas, in the beta cells of its islets.",
}
NOTE = "The patient takes 1200 mg of metformin daily. " * 12
LONG = ROW | {"row_id": "long", "input": NOTE}
BASES = (
    ("smollm2", "chat"),
    ("llama3", "alpaca"),
    ("llama2", "chat"),
    ("llama2", "data/prompts/alpaca_lora.yaml"),
)


def one(row, base, max_length=100_000, **choice):
    """The example of one row, or the way that it was left out."""
    encoded = encode_rows([row], base, max_length, **choice)
    assert len(encoded.examples) + encoded.dropped == 1
    return (encoded.examples or encoded.left_out)[0]


def prompt_of(base, row):
    """The prompt's ids by the tokenizer itself, outside a chat."""
    return base.tokenizer(base.prompt.prompt_of(row["instruction"], row["input"]))["input_ids"]


def test_the_loss_covers_the_response_and_its_end(tiny_base):
    example = one(ROW, tiny_base, 512)
    tokenizer, prompt_ids = tiny_base.tokenizer, prompt_of(tiny_base, ROW)
    size = len(prompt_ids)
    assert example.row_id == "row"
    assert example.prompt_tokens == size
    assert list(example.input_ids[:size]) == prompt_ids
    assert prompt_ids[0] == tokenizer.bos_token_id
    assert example.labels[:size] == [IGNORED_LABEL] * size
    assert example.labels[size:] == list(example.input_ids[size:])
    assert IGNORED_LABEL not in example.labels[size:]
    assert example.labels[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(example.labels[size:-1]) == ROW["output"]
    assert example.length == len(example.input_ids) == len(example.labels)


@pytest.mark.parametrize("name", BASES, ids=" ".join)
def test_every_row_ends_where_generation_stops(name):
    base = base_of(*name)
    example = one(ROW, base)
    assert example.labels[-1] == base.prompt.end_id
    assert base.prompt.end_id in base.prompt.stop_ids
    assert base.prompt.end_id not in example.labels[:-1]


def test_the_end_is_learned_though_it_is_the_padding_too():
    # SmolLM2 and many others pad with their end-of-sequence token.
    base = tokenizing(smollm2())
    base.tokenizer.pad_token = base.tokenizer.eos_token
    example = one(ROW, base)
    assert example.labels[-1] == base.tokenizer.pad_token_id


@pytest.mark.parametrize("adds", ["<s> $A", "<s> $A </s>", "$A </s>"])
def test_a_tokenizer_that_appends_the_end_does_not_end_the_prompt(adds):
    base = tokenizing(sentencepiece_like(adds=adds), "alpaca")
    ids = list(one(ROW, base).input_ids)
    assert ids.index(base.tokenizer.eos_token_id) == len(ids) - 1
    assert ids.count(base.tokenizer.bos_token_id) == ("<s>" in adds)


@pytest.mark.parametrize("name", BASES, ids=" ".join)
def test_a_row_that_does_not_fit_is_left_out_as_a_whole(name):
    base = base_of(*name)
    whole = one(ROW, base)
    assert one(ROW, base, whole.length) == whole
    for limit in range(whole.length - 1, 0, -7):
        left_out = LeftOutRow("row", whole.length, whole.length, "left_out")
        assert one(ROW, base, limit) == left_out
        # A row without an input has nothing to shorten.
        assert one(ROW, base, limit, too_long="shorten_input") == left_out


def test_the_models_context_counts_before_the_recipes_length():
    base = base_of("smollm2", "chat")
    length = one(ROW, base).length
    for context, fits in ((length, True), (length - 1, False)):
        short = tokenizing(base.tokenizer, context=context)
        assert isinstance(one(ROW, short), Example) is fits


@pytest.mark.parametrize("output", ["", " ", "\n\t "])
def test_a_row_without_an_output_never_reaches_the_loss(output):
    base = base_of("smollm2", "chat")
    left_out = one(ROW | {"output": output}, base)
    assert left_out.action == "no_output"
    assert left_out.tokens == left_out.tokens_lost


def test_an_output_without_a_token_never_reaches_the_loss():
    # This tokenizer knows no letter but a, and has no token for unknown text.
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.BPE({"</s>": 0, "a": 1}, []))
    base = tokenizing(PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="</s>"), "alpaca")
    assert one(ROW | {"output": "xyz"}, base).action == "no_output"
    assert list(one(ROW | {"output": "a"}, base).input_ids[-2:]) == [1, 0]


@pytest.mark.parametrize("name", BASES, ids=" ".join)
def test_a_long_input_is_shortened_in_the_middle_and_nothing_else(name):
    base = base_of(*name)
    whole, least = one(LONG, base), one(ROW | {"input": "x"}, base).length
    limit = (whole.length + least) // 2
    encoded = encode_rows([LONG], base, limit, too_long="shorten_input")
    (example,), (row,) = encoded.examples, encoded.left_out
    assert (encoded.dropped, encoded.shortened) == (0, 1)
    assert row.action == "input_shortened"
    assert row.tokens == whole.length
    assert row.tokens_lost == whole.length - example.length > 0
    assert example.length <= limit
    # The output and its end are whole.
    assert example.labels[example.prompt_tokens :] == whole.labels[whole.prompt_tokens :]
    prompt = base.tokenizer.decode(example.input_ids[: example.prompt_tokens])
    assert ROW["instruction"] in prompt
    assert prompt.count(MARKER) == 1
    front, back = prompt.split(MARKER)
    assert NOTE.startswith(front[front.index(NOTE[:12]) :])
    assert NOTE.strip().endswith(back[: back.rindex("daily.") + len("daily.")])
    # One more word would not fit, so nearly all of the room is used.
    assert limit - example.length < 20


def test_a_row_whose_rest_alone_is_too_long_is_left_out_under_either_choice():
    base = base_of("llama3", "alpaca")
    length = one(ROW, base).length
    whole = one(LONG, base).length
    for choice in ("leave_out", "shorten_input"):
        found = one(LONG, base, length - 1, too_long=choice)
        assert found == LeftOutRow("long", whole, whole, "left_out")


def test_rows_stay_in_order_and_those_left_out_are_listed():
    base = base_of("llama3", "alpaca")
    limit = one(ROW, base).length + 150
    rows = [ROW, LONG, ROW | {"row_id": "empty", "output": ""}, ROW | {"row_id": "second"}]
    encoded = encode_rows(rows, base, limit)
    assert [example.row_id for example in encoded.examples] == ["row", "second"]
    actions = [(row.row_id, row.action) for row in encoded.left_out]
    assert actions == [("long", "left_out"), ("empty", "no_output")]
    assert (encoded.dropped, encoded.shortened) == (2, 0)
    shortened = encode_rows(rows, base, limit, too_long="shorten_input")
    assert [example.row_id for example in shortened.examples] == ["row", "long", "second"]
    assert (shortened.dropped, shortened.shortened) == (1, 1)


def test_no_rows_give_no_examples():
    assert encode_rows([], base_of("llama2", "chat"), 100, "shorten_input") == RowExamples([], [])


def test_tokens_are_stored_in_four_bytes():
    ids = one(ROW, base_of("smollm2", "chat")).input_ids
    assert isinstance(ids, array)
    assert ids.itemsize == 4


ODD_TEXT = st.lists(
    st.one_of(
        st.sampled_from(["</s>", "<|im_end|>", "<|eot_id|>", "<s>", "{input}", "}", MARKER]),
        st.sampled_from(["1200 mg ", "daily. ", "心", " ", "\n"]),
        st.text(max_size=4),
    ),
    max_size=25,
).map("".join)
ODD_ROWS = st.lists(
    st.fixed_dictionaries({"instruction": ODD_TEXT, "input": ODD_TEXT, "output": ODD_TEXT}),
    min_size=1,
    max_size=4,
).map(lambda rows: [row | {"row_id": str(number)} for number, row in enumerate(rows)])


@settings(max_examples=60)
@given(
    name=st.sampled_from(BASES),
    rows=ODD_ROWS,
    limit=st.integers(1, 400),
    too_long=st.sampled_from(["leave_out", "shorten_input"]),
)
def test_whatever_the_texts_no_row_loses_its_end(name, rows, limit, too_long):
    base = base_of(*name)
    encoded = encode_rows(rows, base, limit, too_long)
    whole = {example.row_id: example for example in encode_rows(rows, base, 10**6).examples}
    listed = {row.row_id: row for row in encoded.left_out}
    found = {example.row_id: example for example in encoded.examples}
    assert listed.keys() | found.keys() == {row["row_id"] for row in rows}
    for row_id, example in found.items():
        assert example.length <= limit
        assert example.labels[-1] == base.prompt.end_id
        assert example.length - example.prompt_tokens >= 2  # a token of the response, and the end
        response = whole[row_id].labels[whole[row_id].prompt_tokens :]
        assert example.labels[example.prompt_tokens :] == response
        if row_id in listed:
            assert listed[row_id].action == "input_shortened"
            assert listed[row_id].tokens == whole[row_id].length > limit
            assert listed[row_id].tokens_lost == whole[row_id].length - example.length > 0
        else:
            assert example == whole[row_id]
    for row_id in listed.keys() - found.keys():
        assert listed[row_id].tokens_lost == listed[row_id].tokens
        assert (row_id in whole) is (listed[row_id].action == "left_out")
    alone = [encode_rows([row], base, limit, too_long) for row in rows]
    assert [each for one in alone for each in one.examples] == encoded.examples
    assert [each for one in alone for each in one.left_out] == encoded.left_out


def test_a_word_of_many_bytes_is_no_control_token(tiny_base):
    row = ROW | {"output": "Write </s> and <pad> 心 {x}."}
    labels = one(row, tiny_base, 512).labels
    special = set(tiny_base.tokenizer.all_special_ids)
    assert [token for token in labels if token in special] == [tiny_base.prompt.end_id]
