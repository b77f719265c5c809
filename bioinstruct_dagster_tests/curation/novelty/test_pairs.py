"""The index of rare token pairs against comparing all with all."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import LCSseq

from bioinstruct_dagster.curation.novelty import pairs
from bioinstruct_dagster.curation.novelty.pairs import (
    KNOWN_REPEAT,
    NO_ROW,
    IndexFullError,
    PairIndex,
)
from bioinstruct_dagster.curation.tokens.vocabulary import Vocabulary, tokenize

SEEDS = st.integers(0, 1 << 32)


def f1(one: Sequence[str], other: Sequence[str]) -> float:
    lcs = LCSseq.similarity(one, other)
    if not lcs:
        return 0.0
    precision, recall = lcs / len(one), lcs / len(other)
    return 2 * precision * recall / (precision + recall)


def similar(candidate, kept, threshold) -> tuple[int, float]:
    """The most similar kept text above the threshold, the earliest of equal ones."""
    found, best = NO_ROW, threshold
    for row, other in enumerate(kept):
        score = f1(candidate, other)
        if score > best:
            found, best = row, score
    return found, best if found >= 0 else 0.0


def check_plainly(texts: Sequence[str], threshold: float) -> list[tuple[int, float]]:
    kept, found = [], []
    for text in map(tokenize, texts):
        found.append(similar(text, kept, threshold))
        if found[-1][0] == NO_ROW:
            kept.append(text)
    return found


def reworked(text: str, words: Sequence[str], draw: random.Random) -> str:
    tokens = text.split()
    for _ in range(draw.randint(0, max(1, len(tokens) // 2))):
        if tokens and draw.random() < 0.5:
            tokens.pop(draw.randrange(len(tokens)))
        else:
            tokens.insert(draw.randint(0, len(tokens)), draw.choice(words))
    return " ".join(tokens)


def texts_of(draw: random.Random, count: int = 40) -> list[str]:
    """Texts of up to 300 tokens of few or many words, half of them made of earlier ones."""
    words = [f"w{number}" for number in range(draw.choice([2, 5, 20, 100, 300]))]
    longest = draw.choice([1, 3, 10, 20, 70, 150, 300])
    texts: list[str] = []
    for _ in range(draw.randint(0, count)):
        if texts and draw.random() < 0.5:
            texts.append(reworked(draw.choice(texts), words, draw))
        else:
            texts.append(" ".join(draw.choices(words, k=draw.randint(0, longest))))
    return texts


def listed(matches) -> list[tuple[int, float]]:
    return list(zip(matches.rows.tolist(), matches.scores.tolist(), strict=True))


@given(SEEDS, st.sampled_from([0.7, 0.7, 0.25, 0.5, 0.9]), st.sampled_from([1, 3, 100]))
def test_the_index_finds_what_all_pairs_would_find(seed, threshold, block):
    draw = random.Random(seed)
    texts = texts_of(draw)
    with pytest.MonkeyPatch.context() as patch:
        # Texts are long by any of these, so that all kinds of keys meet.
        patch.setattr(pairs, "LONG", draw.choice([2, 5, 20, 128]))
        patch.setattr(pairs, "_SINGLE_THREAD_TEXTS", draw.choice([2, 512]))
        vocabulary = Vocabulary()
        index = PairIndex(vocabulary, threshold, block=block, threads=2)
        found = []
        start = 0
        while start < len(texts):
            stop = start + draw.randint(1, len(texts))
            found += listed(index.check(vocabulary.encode(texts[start:stop])))
            start = stop
    assert found == check_plainly(texts, threshold)
    assert len(index) == sum(row == NO_ROW for row, _ in found)


@given(SEEDS, st.integers(1, 5))
def test_shards_find_together_what_one_index_finds(seed, count):
    texts = texts_of(random.Random(seed))
    cut = len(texts) // 2

    def found_by(shard: tuple[int, int]):
        vocabulary = Vocabulary()
        index = PairIndex(vocabulary, 0.7, shard=shard)
        kept, new = vocabulary.encode(texts[:cut]), vocabulary.encode(texts[cut:])
        index.add(kept)
        return index.nearest(new)

    whole = found_by((0, 1))
    parts = [found_by((number, count)) for number in range(count)]
    scores = np.array([part.scores for part in parts])
    rows = np.array([part.rows for part in parts])
    best = scores.max(axis=0)
    assert best.tolist() == whole.scores.tolist()
    rows[scores < best] = len(texts)
    assert rows.min(axis=0).tolist() == whole.rows.tolist()


def test_every_shard_has_its_part():
    texts = [" ".join(f"w{n + k}" for k in range(12)) for n in range(0, 400, 12)]
    found = []
    for number in range(3):
        vocabulary = Vocabulary()
        index = PairIndex(vocabulary, 0.7, shard=(number, 3))
        index.add(vocabulary.encode(texts))
        edited = [text.replace(text.split()[5], "new") for text in texts]
        found.append(index.nearest(vocabulary.encode(edited)).rows != NO_ROW)
    assert all(part.any() for part in found)
    assert np.any(found, axis=0).all()


@given(SEEDS)
def test_added_texts_are_always_indexed(seed):
    draw = random.Random(seed)
    kept, new = texts_of(draw), texts_of(draw)
    new += draw.sample(kept, len(kept) // 2)
    vocabulary = Vocabulary()
    index = PairIndex(vocabulary, 0.7, threads=2)
    for start in range(0, len(kept), 7):
        index.add(vocabulary.encode(kept[start : start + 7]))
    assert len(index) == len(kept)
    rows = [tokenize(text) for text in kept]
    expected = [similar(tokenize(text), rows, 0.7) for text in new]
    assert listed(index.nearest(vocabulary.encode(new))) == expected
    assert len(index) == len(kept)


def test_a_known_score_stands_unless_a_row_exceeds_it():
    texts = ["a b c d", "a b c d", "a b c d e", "x y z"]
    vocabulary = Vocabulary()
    index = PairIndex(vocabulary, 0.7)
    found = index.check(vocabulary.encode(texts), known=np.array([0.0, 0.9, 0.95, 0.8]))
    assert found.rows.tolist() == [NO_ROW, 0, KNOWN_REPEAT, KNOWN_REPEAT]
    assert found.scores.tolist() == [0.0, 1.0, 0.95, 0.8]
    assert len(index) == 1


def test_texts_of_many_thousand_tokens():
    words = [f"w{number}" for number in range(400)]
    draw = random.Random(1)
    long = " ".join(draw.choices(words, k=20_000))
    edited = " ".join(word for word in long.split() if draw.random() < 0.9)
    other = " ".join(draw.choices(words, k=20_000))
    same = "a " * 20_000
    texts = [long, other, edited, same, same + "b"]
    vocabulary = Vocabulary()
    index = PairIndex(vocabulary, 0.7)
    assert listed(index.check(vocabulary.encode(texts))) == check_plainly(texts, 0.7)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0])
def test_a_threshold_that_separates_nothing_is_refused(threshold):
    with pytest.raises(ValueError, match="between 0 and 1"):
        PairIndex(Vocabulary(), threshold)


def test_a_full_index_says_what_to_do(monkeypatch):
    monkeypatch.setattr(pairs, "_MOST_ENTRIES", 100)
    vocabulary = Vocabulary()
    index = PairIndex(vocabulary, 0.7)
    with pytest.raises(IndexFullError, match="more shards"):
        index.add(vocabulary.encode([f"a{n} b{n} c{n} d{n}" for n in range(100)]))
