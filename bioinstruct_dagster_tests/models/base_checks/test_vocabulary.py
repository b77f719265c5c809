"""Tokenizers: mended where that is safe, and refused in words where it is not."""

import json

import pytest

from bioinstruct_dagster_tests.models.base_checks.conftest import (
    ROWS,
    check,
    edit_json,
    refusal,
    tiny_tokenizer,
)

TEXT = "The patient was given 5 mg."


@pytest.fixture
def whole_ids():
    return tiny_tokenizer()(TEXT)["input_ids"]


def edit_backend(folder, change):
    path = folder / "tokenizer.json"
    values = json.loads(path.read_text("utf-8"))
    change(values)
    path.write_text(json.dumps(values), "utf-8")


def test_a_missing_tokenizer_is_named(folder):
    for path in folder.glob("tokenizer*"):
        path.unlink()
    assert "It holds no tokenizer" in refusal(folder)


@pytest.mark.parametrize("content", ["", "{", "{}", "\x00"])
def test_a_broken_tokenizer_is_named(folder, content):
    (folder / "tokenizer.json").write_text(content)
    assert "tokenizer" in refusal(folder)


def test_no_end_of_sequence_is_taken_from_the_configuration_or_refused(folder):
    edit_json(folder / "tokenizer_config.json", eos_token=None)
    checked, lines = check(folder)
    assert checked.tokenizer.eos_token_id == 1
    assert any("'</s>' is used" in line for line in lines)
    edit_json(folder / "config.json", eos_token_id=None)
    edit_json(folder / "generation_config.json", eos_token_id=None)
    assert "no end-of-sequence token" in refusal(folder)


def test_no_padding_takes_an_unused_token_or_the_end(folder):
    edit_json(folder / "tokenizer_config.json", pad_token=None)
    checked, lines = check(folder)
    assert checked.tokenizer.pad_token_id == 2
    assert any("no padding token" in line for line in lines)
    edit_backend(folder, lambda values: rename(values, "<pad>", "<other>"))
    assert check(folder)[0].tokenizer.pad_token_id == 1


def rename(values, old, new):
    values["model"]["vocab"][new] = values["model"]["vocab"].pop(old)
    for token in values["added_tokens"]:
        token["content"] = new if token["content"] == old else token["content"]


def appending(values):
    post = values["post_processor"]
    post["single"].append({"SpecialToken": {"id": "</s>", "type_id": 0}})
    post["special_tokens"]["</s>"] = {"id": "</s>", "ids": [1], "tokens": ["</s>"]}


def test_an_appended_end_is_taken_away(folder, whole_ids):
    edit_backend(folder, appending)
    checked, lines = check(folder)
    assert checked.tokenizer(TEXT)["input_ids"] == whole_ids
    assert whole_ids[-1] != checked.tokenizer.eos_token_id
    assert any("appends the end-of-sequence token" in line for line in lines)


def test_an_appended_end_in_a_sequence_of_processors_is_taken_away(folder, whole_ids):
    def change(values):
        appending(values)
        post = values["post_processor"]
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
        values["post_processor"] = {
            "type": "Sequence", "processors": [{**byte_level, "use_regex": True}, post],
        }  # fmt: skip

    edit_backend(folder, change)
    assert check(folder)[0].tokenizer(TEXT)["input_ids"] == whole_ids


def test_an_end_that_cannot_be_taken_away_is_refused(folder):
    def change(values):
        values["post_processor"] = {
            "type": "BertProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
        }  # fmt: skip

    edit_backend(folder, change)
    assert "ends every text with '</s>'" in refusal(folder)


def add_token(folder, token, at, **fields):
    def change(values):
        values["added_tokens"].append({
            "id": at, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True,
        })  # fmt: skip

    edit_backend(folder, change)
    edit_json(folder / "tokenizer_config.json", **fields)


def enlarge(folder, to):
    """Give the tokenizer tokens up to this number, of which the embedding knows ROWS."""

    def change(values):
        vocabulary = values["model"]["vocab"]
        for at in range(len(vocabulary), to):
            vocabulary[f"token{at}"] = at

    edit_backend(folder, change)


def test_a_padding_token_beyond_the_embedding_is_replaced(folder, whole_ids):
    enlarge(folder, ROWS)
    add_token(folder, "[PAD]", ROWS, pad_token="[PAD]")
    checked, lines = check(folder)
    assert checked.tokenizer.pad_token_id < ROWS
    assert max(checked.tokenizer("a [PAD] b")["input_ids"]) < ROWS
    assert checked.tokenizer(TEXT)["input_ids"] == whole_ids
    assert any("[PAD]" in line for line in lines)


def test_an_end_beyond_the_embedding_is_refused(folder):
    enlarge(folder, ROWS)
    add_token(folder, "<|im_end|>", ROWS, eos_token="<|im_end|>")
    message = refusal(folder)
    assert "beyond the embedding's 300 rows (<|im_end|>)" in message


def test_a_vocabulary_larger_than_the_embedding_is_refused(folder):
    enlarge(folder, ROWS + 20)
    assert "20 token ids beyond the embedding's 300 rows" in refusal(folder)


def test_an_embedding_larger_than_the_vocabulary_is_no_fault(folder):
    checked, lines = check(folder)
    assert len(checked.tokenizer) < ROWS
    assert lines == []


def test_an_end_that_also_stands_for_unknown_text_is_refused(folder):
    def change(values):
        values["model"].update(unk_token="</s>")
        values["pre_tokenizer"] = {"type": "Whitespace"}

    edit_backend(folder, change)
    assert "also stands for unknown text" in refusal(folder)


def test_a_tokenizer_of_another_language_is_refused(folder):
    def change(values):
        values["model"].update(unk_token="<pad>")
        values["pre_tokenizer"] = {"type": "Whitespace"}
        vocabulary = values["model"]["vocab"]
        kept = ("<s>", "</s>", "<pad>", "ω", "α")
        values["model"]["vocab"] = {token: at for at, token in enumerate(kept)}
        values["model"]["merges"] = []
        assert len(vocabulary) > 100

    edit_backend(folder, change)
    edit_json(folder / "tokenizer_config.json", unk_token="<pad>")
    assert "does not know 100%" in refusal(folder)


@pytest.mark.parametrize("end", [ROWS, 50_000, -1, [1, ROWS]])
def test_an_end_beyond_the_embedding_is_ignored_and_said(folder, end):
    edit_json(folder / "generation_config.json", eos_token_id=end)
    checked, lines = check(folder)
    assert checked.prompt.stop_ids == (1,)
    (line,) = (line for line in lines if "as eos_token_id" in line)
    assert f"not among the embedding's {ROWS} rows" in line
