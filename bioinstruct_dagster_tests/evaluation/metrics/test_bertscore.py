"""BERTScore with a tiny encoder, in this process and in one of its own."""

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bioinstruct_dagster.evaluation.metrics.bertscore import (
    BertScoreError,
    bertscores_of,
    score_pairs,
)

WORDS = ["the", "patient", "takes", "aspirin", "daily", "no", "pain", "and", "fever"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """The folder of a BERT with random weights, its model and its tokenizer."""
    torch.manual_seed(0)
    vocabulary = {word: at for at, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
    )
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    model = BertModel(config).eval()
    folder = tmp_path_factory.mktemp("encoder")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder, model, tokenizer


def test_the_score_is_that_of_the_definition(encoder):
    _, model, tokenizer = encoder
    answer, reference = "the patient takes aspirin", "no pain and fever daily"
    vectors = []
    for text in (answer, reference):
        with torch.inference_mode():
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        vectors.append(torch.nn.functional.normalize(hidden[1:-1], dim=-1))  # without CLS and SEP
    cosines = [[float(a @ b) for b in vectors[1]] for a in vectors[0]]
    precision = sum(max(row) for row in cosines) / 4
    recall = sum(max(row[place] for row in cosines) for place in range(5)) / 5
    expected = 2 * precision * recall / (precision + recall)
    # The longer text of another pair pads the batch.
    pairs = [(answer, reference), ("the patient takes aspirin daily and no pain", "fever")]
    assert score_pairs(model, tokenizer, pairs)[0] == pytest.approx(expected, abs=1e-5)


def test_the_same_text_scores_one_and_an_empty_one_nothing(encoder):
    _, model, tokenizer = encoder
    found = score_pairs(model, tokenizer, [("no pain", "no pain"), ("", "no pain"), ("no", " ")])
    assert found == pytest.approx([1, 0, 0], abs=1e-5)


def test_a_long_text_is_cut_to_what_the_model_takes(encoder):
    _, model, tokenizer = encoder
    assert score_pairs(model, tokenizer, [("pain " * 100, "pain " * 100)]) == pytest.approx([1])


def test_a_process_of_its_own_gives_the_same_scores(encoder):
    folder, model, tokenizer = encoder
    pairs = {"a": ("no pain", "fever and pain"), "b": ("aspirin", "aspirin daily")}
    found = bertscores_of(folder, pairs)
    assert list(found) == ["a", "b"]
    expected = score_pairs(model, tokenizer, list(pairs.values()))
    assert list(found.values()) == pytest.approx(expected, abs=1e-5)
    assert bertscores_of(folder, {}) == {}


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(BertScoreError, match=r"no config\.json"):
        bertscores_of(tmp_path, {"a": ("x", "y")})
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BertScoreError, match="failed"):
        bertscores_of(tmp_path, {"a": ("x", "y")})
