"""The data set folder: `datasets` opens it, and its fingerprint covers its rows."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.dataset import build
from bioinstruct_dagster.dataset.build import (
    COLUMNS,
    DatasetError,
    build_dataset,
    read_split,
)
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.splits import SPLITS, split_of

CARD = Card(teacher="rehearsal", template="test/1", seeds_fingerprint="none")


@pytest.fixture
def folder(tmp_path: Path, hugging_face) -> Path:
    """Where a test's data set goes."""
    return tmp_path / "outputs" / "hf_dataset"


def load(folder: Path):
    import datasets

    # The library's cache knows a folder by its name and its files' names, not by its path. Another
    # test's folder, or another version of the project, must not answer for this one.
    return datasets.load_dataset(str(folder), cache_dir=str(folder.parent / "hf_cache"))


def row_ids(loaded) -> list[str]:
    return sorted(row_id for part in loaded.values() for row_id in part["row_id"])


def with_change(rows, number, **change):
    return [row | (change if n == number else {}) for n, row in enumerate(rows)]


def test_load_dataset_opens_the_folder_with_three_splits(built_dataset, dataset_rows):
    loaded = load(built_dataset.path)
    assert set(loaded) == set(SPLITS)
    for split in SPLITS:
        expected = [
            {name: row[name] for name in COLUMNS}
            for row in dataset_rows
            if split_of(row["instruction"]) == split
        ]
        assert list(loaded[split]) == expected
        assert built_dataset.sizes[split] == len(expected) > 0


def test_missing_completions_and_odd_characters_survive(folder, dataset_rows):
    odd = {"input": 'β\u2028"quoted"\r\n血圧 {braces}', "completion_id": None, "rehearsal": False}
    changed = with_change(dataset_rows, 0, **odd)
    build_dataset(changed, folder, CARD)
    (row,) = load(folder)[split_of(changed[0]["instruction"])].select([0])
    assert {name: row[name] for name in odd} == odd


@pytest.mark.parametrize("split", SPLITS)
def test_a_set_with_an_empty_split_can_still_be_opened(folder, dataset_rows, split):
    rows = [row for row in dataset_rows if split_of(row["instruction"]) != split]
    build_dataset(rows, folder, CARD)
    assert sum(len(part) for part in load(folder).values()) == len(rows)


def test_a_rebuild_replaces_the_whole_folder(folder, dataset_rows, monkeypatch):
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 7)
    build_dataset(dataset_rows, folder, CARD)
    shards = set((folder / "data").iterdir())
    (folder / "data" / "left-behind.parquet").write_bytes(b"")
    rebuilt = build_dataset(dataset_rows[:30], folder, CARD)
    assert [path.name for path in folder.parent.iterdir()] == ["hf_dataset"]
    assert not (folder / "data" / "left-behind.parquet").exists()
    assert len(set((folder / "data").iterdir())) < len(shards)
    assert rebuilt.fingerprint in (folder / "README.md").read_text("utf-8")


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "rehearsal"])
def test_after_a_rebuild_load_dataset_gives_the_new_rows(folder, dataset_rows, column):
    # `datasets` keeps a copy of what it opens, and must not go on serving it.
    changed = with_change(dataset_rows, 0, **{column: "Correct the spelling of the drug names."})
    for rows in (dataset_rows, changed, dataset_rows[1:]):
        build_dataset(rows, folder, CARD)
        found = [row for part in load(folder).values() for row in part]
        assert sorted(row[column] for row in found) == sorted(row[column] for row in rows)


def test_folders_of_one_name_are_told_apart(tmp_path, hugging_face, dataset_rows):
    for name, rows in {"one": dataset_rows, "other": dataset_rows[:30]}.items():
        build_dataset(rows, tmp_path / name / "hf_dataset", CARD)
        assert len(row_ids(load(tmp_path / name / "hf_dataset"))) == len(rows)


def test_a_split_is_read_straight_from_the_files_of_its_version(folder, dataset_rows, monkeypatch):
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 7)
    built = build_dataset(dataset_rows, folder, CARD)
    for split in SPLITS:
        expected = [
            {name: row[name] for name in COLUMNS}
            for row in dataset_rows
            if split_of(row["instruction"]) == split
        ]
        assert read_split(folder, split, built.fingerprint) == expected
    with pytest.raises(DatasetError, match="rebuilt"):
        read_split(folder, "train", "f" * 64)


def test_shards_hold_the_rows_in_order(folder, dataset_rows, monkeypatch):
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 7)
    build_dataset(dataset_rows, folder, CARD)
    train = [row["row_id"] for row in dataset_rows if split_of(row["instruction"]) == "train"]
    assert len(list((folder / "data").glob("train-*"))) == -(-len(train) // 7)
    assert load(folder)["train"]["row_id"][:] == train


def test_a_failed_rebuild_leaves_the_old_folder_and_nothing_else(folder, dataset_rows):
    before = build_dataset(dataset_rows, folder, CARD)
    incomplete = [{name: value for name, value in dataset_rows[0].items() if name != "source"}]
    with pytest.raises(KeyError, match="source"):
        build_dataset(incomplete, folder, CARD)
    assert [path.name for path in folder.parent.iterdir()] == ["hf_dataset"]
    assert row_ids(load(folder)) == [row["row_id"] for row in before.rows]


def test_the_fingerprint_depends_on_neither_time_nor_place(built_dataset, dataset_rows, folder):
    assert build_dataset(dataset_rows, folder, CARD).fingerprint == built_dataset.fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"row_id": "another"},
        {"instruction": "Correct the spelling of the drug names."},
        {"input": "another"},
        {"output": "another"},
        {"category": "another"},
        {"rehearsal": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_fingerprint_changes_with_any_content(built_dataset, dataset_rows, folder, change):
    changed = with_change(dataset_rows, 37, **change)
    assert build_dataset(changed, folder, CARD).fingerprint != built_dataset.fingerprint


def test_a_row_more_or_less_or_moved_changes_the_fingerprint(built_dataset, dataset_rows, folder):
    fewer, swapped = dataset_rows[:-1], [*dataset_rows[1:], dataset_rows[0]]
    prints = {build_dataset(rows, folder, CARD).fingerprint for rows in (fewer, swapped)}
    assert len(prints | {built_dataset.fingerprint}) == 3


def test_every_column_of_the_files_is_content(built_dataset, dataset_rows, folder):
    # Else load_dataset, which caches by file name, would serve the old provenance of the rows.
    for column in ("labelled_by", "source", "completion_id"):
        changed = with_change(dataset_rows, 0, **{column: "another"})
        assert build_dataset(changed, folder, CARD).fingerprint != built_dataset.fingerprint


def test_an_imported_file_under_another_name_is_the_same_data_set(folder, dataset_rows):
    sources = ("import:a.jsonl@0123456789ab", "import:b.json@0123456789ab")
    built, shards, cards = [], [], []
    for source in sources:
        rows = [row | {"source": source} for row in dataset_rows]
        built.append(build_dataset(rows, folder, CARD))
        shards.append({path.name: path.read_bytes() for path in (folder / "data").iterdir()})
        cards.append((folder / "README.md").read_text("utf-8"))
    assert built[0].fingerprint == built[1].fingerprint
    assert shards[0] == shards[1]
    assert "the file `a.jsonl` (sha256 begins with 0123456789ab)" in cards[0]
    assert "the file `b.json` (sha256 begins with 0123456789ab)" in cards[1]
    changed = with_change([row | {"source": sources[0]} for row in dataset_rows], 3, output="Else.")
    assert build_dataset(changed, folder, CARD).fingerprint != built[0].fingerprint
    assert build_dataset(dataset_rows, folder, CARD).fingerprint != built[0].fingerprint


def test_no_file_of_the_folder_holds_the_path_of_an_imported_file(folder, dataset_rows):
    rows = [row | {"source": "import:/home/maria/private/chat.jsonl"} for row in dataset_rows]
    built = build_dataset(rows, folder, CARD)
    assert set(load(folder)["train"]["source"]) == {"import"}
    assert {row["source"] for row in built.rows} == {"import"}
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 7  # three shards, three documents, and the record of the documents
    assert not any(b"maria" in path.read_bytes() for path in files)


def test_a_set_of_one_instruction_has_three_splits(folder, dataset_rows):
    rows = [
        row | {"instruction": "Answer the question.", "input": f"Question {n}?"}
        for n, row in enumerate(dataset_rows)
    ]
    card = replace(CARD, split_by="instruction_and_input")
    loaded = load(build_dataset(rows, folder, card).path)
    assert set(loaded) == set(SPLITS)
    assert row_ids(loaded) == sorted(row["row_id"] for row in rows)
