"""Likeness by meaning: against a plain loop, and with a real, tiny sentence-transformers model."""

import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from bioinstruct_dagster.curation.novelty import meaning
from bioinstruct_dagster.curation.novelty.meaning import (
    MeaningFilter,
    MeaningModelError,
    embed_stored,
    nearest_meanings,
    text_key,
)

WORDS = [
    "name",
    "list",
    "explain",
    "the",
    "of",
    "a",
    "in",
    "drug",
    "lung",
    "heart",
    "dose",
    "disease",
]
TEXTS = [
    "Name the causes of lung disease",
    "List a drug of the heart",
    "Explain the dose of drugs in kidney disease",
]


def build_model(folder: Path, *, broken: bool = False) -> Path:
    """A one-layer BERT of random weights with a vocabulary of WordPiece, saved as its makers do."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    plain = folder / "plain"
    plain.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary += [f"{mark}{letter}" for mark in ("", "##") for letter in map(chr, range(97, 123))]
    (plain / "vocab.txt").write_text("\n".join(vocabulary), "utf-8")
    BertTokenizerFast(str(plain / "vocab.txt")).save_pretrained(plain)
    torch.manual_seed(7)
    bert = BertModel(
        BertConfig(
            vocab_size=len(vocabulary),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
            initializer_range=0.5,
        )
    )
    if broken:
        torch.nn.init.constant_(bert.embeddings.word_embeddings.weight, float("nan"))
    bert.save_pretrained(plain)
    transformer = Transformer(str(plain))
    pooling = Pooling(16, pooling_mode="mean")
    saved = folder / "model"
    SentenceTransformer(modules=[transformer, pooling, Normalize()], device="cpu").save(str(saved))
    return saved


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return build_model(tmp_path_factory.mktemp("meaning"))


def clusters(seed: int, rows: int, spread: float) -> np.ndarray:
    """Unit vectors around a few directions, some of them equal to the bit."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(max(1, rows // 6), 12))
    vectors = centres[generator.integers(0, len(centres), rows)]
    vectors += spread * generator.normal(size=vectors.shape)
    copied = np.flatnonzero(generator.random(rows) < 0.1)
    vectors[copied] = vectors[generator.integers(0, rows, len(copied))]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


def check_plainly(vectors, threshold):
    """The rule as it reads, a pair at a time."""
    kept, found = [], []
    for row in vectors.astype(np.float64):
        cosines = [round(float(row @ vectors[other].astype(np.float64)), 6) for other in kept]
        highest = max(cosines, default=0.0)
        if cosines and highest > threshold:
            found.append((kept[cosines.index(highest)], highest))
        else:
            found.append((-1, highest))
            kept.append(len(found) - 1)
    return found


@pytest.mark.parametrize("threshold", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(("seed", "rows", "spread"), [(1, 300, 0.2), (2, 299, 0.6), (3, 1, 0.1)])
def test_the_same_rows_are_dropped_as_by_a_plain_loop(seed, rows, spread, threshold):
    vectors = clusters(seed, rows, spread)
    found = nearest_meanings(vectors, threshold)
    plain = check_plainly(vectors, threshold)
    assert [row.nearest for row in found] == [nearest for nearest, _ in plain]
    assert np.allclose([row.cosine for row in found], [cosine for _, cosine in plain], atol=2e-6)


@pytest.mark.parametrize(("block", "stretch"), [(1, 1), (7, 3), (64, 1_000), (1_000, 10)])
def test_the_size_of_a_block_changes_nothing(monkeypatch, block, stretch):
    vectors = clusters(4, 400, 0.25)
    whole = nearest_meanings(vectors, 0.9)
    assert 0 < sum(row.nearest < 0 for row in whole) < len(whole)
    monkeypatch.setattr(meaning, "_BLOCK_ROWS", block)
    monkeypatch.setattr(meaning, "_ROWS_COMPARED", stretch)
    parted = nearest_meanings(vectors, 0.9)
    assert [row.nearest for row in parted] == [row.nearest for row in whole]


def test_a_dropped_row_blocks_no_row():
    angles = np.radians([0, 20, 40])  # each is close to the one before, and the ends are apart
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    assert [row.nearest for row in nearest_meanings(vectors, 0.9)] == [-1, 0, -1]


def test_a_cosine_at_the_threshold_is_kept():
    vectors = np.array([[1, 0], [0.6, 0.8]], np.float32)
    assert [row.nearest for row in nearest_meanings(vectors, 0.6)] == [-1, -1]
    assert [row.nearest for row in nearest_meanings(vectors, 0.59)] == [-1, 0]


def test_of_equally_near_rows_the_earliest_is_named():
    right, up = [1.0, 0.0], [0.0, 1.0]
    between = [0.70710678, 0.70710678]
    found = nearest_meanings(np.array([up, right, between, between], np.float32), 0.7)
    assert [row.nearest for row in found] == [-1, -1, 0, 0]


def test_vectors_have_unit_length_and_no_network_is_used(folder, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    vectors = MeaningFilter(folder, 0.9).embed(TEXTS)
    assert vectors.shape == (3, 16)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_row_of_equal_meaning_is_dropped_with_its_reason(folder):
    check = MeaningFilter(folder, 0.999)
    texts = [*TEXTS, TEXTS[1].upper()]  # the model's tokenizer lowers its texts
    found = check.findings(["a", "b", "c", "d"], check.embed(texts))
    assert [finding.rule for finding in found] == ["novel_in_meaning"] * 3 + ["meaning"]
    assert [finding.verdict for finding in found] == ["keep"] * 3 + ["reject"]
    assert found[3].evidence == {"nearest_id": "b"}
    assert found[3].score == pytest.approx(1, abs=1e-5)
    assert {finding.version for finding in found} == {check.version}


def test_the_version_tells_models_and_thresholds_apart(folder, tmp_path):
    check = MeaningFilter(folder, 0.9)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / ".cache").mkdir()
    (copy / ".cache" / "seen").write_text("now", "utf-8")
    assert MeaningFilter(copy, 0.9).version == check.version
    assert MeaningFilter(copy, 0.8).version != check.version
    with (copy / "README.md").open("a", encoding="utf-8") as file:
        file.write("changed")
    assert MeaningFilter(copy, 0.9).fingerprint != check.fingerprint
    assert MeaningFilter(copy, 0.9).version != check.version


def test_nothing_is_embedded_twice(folder, store, monkeypatch):
    monkeypatch.setattr(meaning, "_PORTION_TEXTS", 2)
    check = MeaningFilter(folder, 0.9)
    first = embed_stored(store, check, [*TEXTS[:2], TEXTS[0]])
    assert np.array_equal(first[0], first[2])
    assert np.allclose(first[:2], check.embed(TEXTS[:2]), atol=1e-6)
    # A vector that no model gives: it comes back only where the text is not embedded again.
    planted = np.zeros(16, np.float32)
    planted[3] = 1
    with store.write() as connection:
        connection.execute(
            "update embeddings set vector = $vector where text_sha256 = $key",
            {"vector": planted.tolist(), "key": text_key(TEXTS[0])},
        )
    again = embed_stored(store, check, list(reversed(TEXTS)))
    assert np.array_equal(again[2], planted)
    assert np.array_equal(again[1], first[1])
    stored = store.rows("select text_sha256 from embeddings")
    assert sorted(row["text_sha256"] for row in stored) == sorted(map(text_key, TEXTS))


def test_vectors_of_another_model_are_not_used(folder, store, tmp_path):
    embed_stored(store, MeaningFilter(folder, 0.9), TEXTS)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "note.txt").write_text("another model", "utf-8")
    embed_stored(store, MeaningFilter(other, 0.9), TEXTS)
    [counted] = store.rows("select count(*) as n, count(distinct model) as m from embeddings")
    assert (counted["n"], counted["m"]) == (6, 2)


def test_no_texts_need_no_model_to_be_loaded(folder, store):
    check = MeaningFilter(folder, 0.9)
    assert len(embed_stored(store, check, [])) == 0
    assert check.findings([], check.embed([])) == []
    assert not store.path.exists()


def test_a_text_that_utf8_cannot_hold_has_a_key_too():
    assert len(text_key("half a pair: \ud83d")) == 16


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_a_model_is_refused(tmp_path, made):
    where = tmp_path / "nothing"
    if made:
        where.mkdir()
    with pytest.raises(MeaningModelError, match=r"BIOINSTRUCT_MEANING_MODEL: .*nothing is no"):
        MeaningFilter(where, 0.9)


def test_a_broken_folder_is_refused_by_its_name(folder, tmp_path):
    broken = tmp_path / "half"
    shutil.copytree(folder, broken)
    for weights in broken.rglob("*.safetensors"):
        weights.unlink()
    with pytest.raises(MeaningModelError, match=r"BIOINSTRUCT_MEANING_MODEL: .*half"):
        MeaningFilter(broken, 0.9).embed(TEXTS)


def test_a_model_that_gives_no_numbers_is_refused(tmp_path):
    saved = build_model(tmp_path, broken=True)
    with pytest.raises(MeaningModelError, match="nan or infinity"):
        MeaningFilter(saved, 0.9).embed(TEXTS)


def test_a_missing_package_is_named_with_its_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MeaningModelError, match=r"BIOINSTRUCT_MEANING_MODEL.*\[embeddings\]"):
        MeaningFilter(folder, 0.9).embed(TEXTS)


BROKEN = "raise {}('libtorch_cpu.so: cannot open shared object file')"


@pytest.mark.parametrize("kind", ["ImportError", "OSError", "AttributeError"])
def test_a_broken_package_is_named_with_its_extra(folder, monkeypatch, tmp_path, kind):
    (tmp_path / "sentence_transformers.py").write_text(BROKEN.format(kind), "utf-8")
    monkeypatch.delitem(sys.modules, "sentence_transformers", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MeaningModelError, match=r"libtorch_cpu\.so: cannot.*\[embeddings\]"):
        MeaningFilter(folder, 0.9).embed(TEXTS)
