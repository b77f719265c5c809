"""The embedded base model: equal builds, use by transformers, and a corpus without test rows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.novelty.rule import tokenize
from bioinstruct_dagster.dataset.splits import split_of
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.rehearsal import base_model
from bioinstruct_dagster.rehearsal.base_model import CORPUS, ModelShape, build, fingerprint
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.store.fingerprints import sha256_of_file

SHAPE = ModelShape(steps=3)
OVERLAP = 13  # tokens; GPT-3's n-gram for contamination


@pytest.fixture(scope="module")
def built(tmp_path_factory, hugging_face, one_thread):
    """The model's folder and the lines logged while it was built."""
    lines = []
    return build(tmp_path_factory.mktemp("models"), SHAPE, lines.append), lines


def bytes_of(folder):
    return {path.name: sha256_of_file(path) for path in folder.iterdir()}


def test_building_twice_gives_the_same_bytes(built, tmp_path):
    folder, _ = built
    again = build(tmp_path, SHAPE, lambda _: None)
    assert again.name == folder.name
    assert bytes_of(again) == bytes_of(folder)
    assert "model.safetensors" in bytes_of(folder)


def test_pre_training_lowers_the_loss(built):
    losses = [float(line.rsplit(" ", 1)[1]) for line in built[1]]
    assert len(losses) == SHAPE.steps
    assert losses[-1] < losses[0] - 0.2  # an untrained model stays within 0.05 of the first


def test_a_built_model_is_used_again(built):
    folder, _ = built
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    lines = []
    assert build(folder.parent, SHAPE, lines.append) == folder
    assert lines == []
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_two_concurrent_calls_build_the_model_once(tmp_path):
    lines = []
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(
            lambda _: build(tmp_path, ModelShape(steps=1), lines.append), range(2)
        )
    assert one == other
    assert len(lines) == 1
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [one]


def test_an_interrupted_build_leaves_no_model_folder(tmp_path):
    def interrupt(_line):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path, ModelShape(steps=1), interrupt)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize("name", [field.name for field in fields(ModelShape)])
def test_the_fingerprint_changes_with_every_part_of_the_shape(name):
    assert fingerprint(replace(SHAPE, **{name: 7})) != fingerprint(SHAPE)


def test_the_fingerprint_changes_with_the_corpus(tmp_path, monkeypatch):
    before = fingerprint(SHAPE)
    edited = tmp_path / "corpus.txt"
    edited.write_bytes(CORPUS.read_bytes() + b"One more sentence.\n")
    monkeypatch.setattr(base_model, "CORPUS", edited)
    assert fingerprint(SHAPE) != before


def test_transformers_opens_it(built):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, _ = built
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert len(tokenizer) == model.config.vocab_size == SHAPE.vocabulary
    assert model.config.max_position_embeddings == SHAPE.context
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        assert getattr(tokenizer, name) == getattr(model.config, name) is not None
    ids = tokenizer("The heart has four chambers.")["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(tokenizer.unk_token_id) == 0


@pytest.fixture(scope="module")
def tokenizer(built):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(built[0])


@given(st.text().filter(lambda text: "<" not in text))
def test_any_text_comes_back_from_its_tokens(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


def runs(text):
    tokens = tokenize(text)
    return {tuple(tokens[i : i + OVERLAP]) for i in range(len(tokens) - OVERLAP + 1)}


def test_the_corpus_shares_no_13_tokens_with_the_test_split():
    in_corpus = runs(CORPUS.read_text("utf-8"))
    tasks = [
        task
        for recording in read_recordings()
        for task in read_reply(recording.content, recording.finish_reason, recording.refusal).tasks
    ]
    held_out = [task for task in tasks if split_of(task["instruction"]) == "test"]
    in_test_split = {run for task in held_out for text in task.values() for run in runs(text)}
    assert len(in_test_split) > 100
    assert in_corpus.isdisjoint(in_test_split)
