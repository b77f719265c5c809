"""The stored index: checking new rows against it gives what checking everything gives."""

import itertools
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.novelty import stored_index as novelty_index
from bioinstruct_dagster.curation.novelty.rule import (
    MEASURES,
    NamedInstruction,
    NoveltyFilter,
    check_in_process,
    members_of_measures,
    rouge_l_f1_of_texts,
)
from bioinstruct_dagster.curation.novelty.stored_index import (
    StoredIndex,
    index_version,
    mark_similar_candidates,
    signatures_of,
    sketches_of,
    write_change,
)
from bioinstruct_dagster.store.database import Store

SEEDS = [
    NamedInstruction("seed-0", "name the drug of choice for this infection"),
    NamedInstruction("seed-1", "高血压的治疗"),
]
WORDS = ["dose", "of", "the", "drug", "β", "δόση", "a", "7", "patient", "risk", "血压", "治疗"]


@pytest.fixture
def store(tmp_path) -> Store:
    """A store with its tables, and no row in them."""
    store = Store(tmp_path / "store.duckdb")
    with store.write():
        pass
    return store


class Rows:
    """Rows by id, which also count how many of them were read."""

    def __init__(self, texts: Sequence[NamedInstruction]) -> None:
        self._instructions = {text.id: text.instruction for text in texts}
        self.read: list[str] = []

    def __call__(self, row_ids: Sequence[str]) -> dict[str, str]:
        self.read += row_ids
        return {row_id: self._instructions[row_id] for row_id in row_ids}


def texts_of(draw: random.Random, count: int) -> list[NamedInstruction]:
    instructions: list[str] = []
    for _ in range(count):
        if instructions and draw.random() < 0.5:
            words = draw.choice(instructions).split(" ")
            words[draw.randrange(len(words))] = draw.choice(WORDS)
            instructions.append(" ".join(words))
        else:
            instructions.append(" ".join(draw.choices(WORDS, k=draw.randint(0, 14))))
    return [NamedInstruction(f"row-{number}", text) for number, text in enumerate(instructions)]


def different_texts(count: int) -> list[NamedInstruction]:
    return [
        NamedInstruction(f"row-{n}", " ".join(f"w{n}x{k}" for k in range(10))) for n in range(count)
    ]


def check_and_store(
    store: Store, texts: Sequence[NamedInstruction], first: int, fetch: Rows, **options
):
    index = StoredIndex(store, SEEDS, fetch, **options)
    verdicts, change = index.check(texts, list(range(first, first + len(texts))))
    with store.write() as connection:
        write_change(connection, change)
    return verdicts


def stored(store: Store) -> list[dict]:
    return store.rows("select * from novelty_signatures order by place, measure")


def expected_rows(texts: Sequence[NamedInstruction]) -> list[dict]:
    """What the table holds when all texts were checked from the start."""
    verdicts = check_in_process(SEEDS, texts)
    places = [place for place, verdict in enumerate(verdicts) if verdict.novel]
    made = signatures_of([texts[place] for place in places], places)
    columns = (made.row_ids, made.places, made.measures, made.tokens, made.low, made.high)
    names = ("row_id", "place", "measure", "tokens", "low", "high")
    rows = [dict(zip(names, map(plain, row), strict=True)) for row in zip(*columns, strict=True)]
    return sorted(rows, key=lambda row: (row["place"], row["measure"]))


def plain(value):
    return value.item() if isinstance(value, np.generic) else value


@pytest.mark.parametrize("scanned_at_most", [0, 100])
@pytest.mark.parametrize("seed", range(6))
def test_portions_get_the_same_verdicts_as_all_rows(store, seed, scanned_at_most):
    draw = random.Random(seed)
    texts = texts_of(draw, 60)
    edges = [0, *sorted(draw.choices(range(60), k=3)), 60]
    fetch = Rows(texts)
    found = [
        verdict
        for start, end in itertools.pairwise(edges)
        for verdict in check_and_store(
            store, texts[start:end], start, fetch, scanned_at_most=scanned_at_most
        )
    ]
    assert found == check_in_process(SEEDS, texts)
    assert {verdict.novel for verdict in found} == {True, False}
    assert {verdict.measure for verdict in found} == set(MEASURES)
    assert stored(store) == expected_rows(texts)


def test_only_rows_that_may_be_repeated_are_read(store):
    texts = different_texts(200)
    fetch = Rows(texts)
    check_and_store(store, texts, 0, fetch)
    fetch.read.clear()
    new = NamedInstruction("new", texts[71].instruction.replace("w71x3", "other"))
    (verdict,) = check_and_store(store, [new], 200, fetch)
    assert (verdict.novel, verdict.nearest_id) == (False, "row-71")
    assert "row-71" in fetch.read
    assert len(fetch.read) < 20


def test_a_check_from_an_earlier_place_forgets_later_rows(store):
    texts = different_texts(6)
    fetch = Rows([*texts, NamedInstruction("changed", texts[1].instruction)])
    check_and_store(store, texts, 0, fetch)
    changed = [NamedInstruction("changed", texts[1].instruction), *texts[4:]]
    verdicts = check_and_store(store, changed, 3, fetch)
    assert [verdict.nearest_id for verdict in verdicts] == ["row-1", None, None]
    assert [(row["row_id"], row["place"]) for row in stored(store)] == [
        ("row-0", 0),
        ("row-1", 1),
        ("row-2", 2),
        ("row-4", 4),
        ("row-5", 5),
    ]


def test_signatures_of_another_version_are_made_anew(store, monkeypatch):
    texts = texts_of(random.Random(3), 30)
    fetch = Rows(texts)
    monkeypatch.setattr(novelty_index, "index_version", lambda: "0")
    check_and_store(store, texts[:20], 0, fetch)
    with store.write() as connection:  # as if an earlier version had other hashes
        connection.execute("update novelty_signatures set low = 0, high = 0, tokens = 1")
    monkeypatch.undo()
    found = check_and_store(store, texts[20:], 20, fetch)
    assert found == check_in_process(SEEDS, texts)[20:]
    assert stored(store) == expected_rows(texts)
    assert store.rows("select * from novelty_index order by measure") == [
        {"measure": measure, "version": index_version()} for measure in MEASURES
    ]


def test_no_rows_change_nothing(store):
    texts = different_texts(3)
    check_and_store(store, texts, 0, Rows(texts))
    before = stored(store)
    assert check_and_store(store, [], 3, Rows(texts)) == []
    assert stored(store) == before


def test_each_row_has_one_signature_by_its_script():
    made = signatures_of(
        [NamedInstruction("a", "高血压的治疗"), NamedInstruction("b", "blood pressure")], [4, 9]
    )
    assert made.row_ids == ["b", "a"]
    assert made.places.tolist() == [9, 4]
    assert made.measures == ["rouge_score", "unicode"]
    assert made.tokens.tolist() == [2, 6]


@given(st.integers(0, 1 << 32), st.sampled_from([0.5, 0.7, 0.9]))
def test_the_scan_misses_no_similar_text(seed, threshold):
    draw = random.Random(seed)
    kept, new = texts_of(draw, 30), texts_of(draw, 10)
    new += draw.sample(kept, 5)
    instructions = [[text.instruction for text in side] for side in (kept, new)]
    sketches = [sketches_of(side) for side in instructions]
    members = [members_of_measures(side) for side in instructions]
    for m, measure in enumerate(MEASURES):
        marked = mark_similar_candidates(
            *(side[measure] for side in sketches), threshold, threads=2
        )
        alike = [
            [side[i] for i in of_side[m]]
            for side, of_side in zip(instructions, members, strict=True)
        ]
        scores = rouge_l_f1_of_texts(*alike, measure)
        assert marked[(scores > threshold).any(axis=1)].all()


def test_the_scan_leaves_out_dissimilar_texts():
    texts = [text.instruction for text in different_texts(300)]
    kept, new = sketches_of(texts)["rouge_score"], sketches_of(texts[:2])["rouge_score"]
    marked = mark_similar_candidates(kept, new, 0.7)
    assert marked[:2].all()
    assert marked.sum() < 30


def test_kept_rows_of_the_filter_are_those_of_the_store(store):
    texts = texts_of(random.Random(5), 60)
    check_and_store(store, texts, 0, Rows(texts))
    growing = NoveltyFilter(SEEDS)
    growing.check(texts)
    assert len(growing) == len(SEEDS) + len({row["row_id"] for row in stored(store)})
