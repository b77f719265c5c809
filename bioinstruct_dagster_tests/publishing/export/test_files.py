"""Exports: every form and ending, whole files, refusals, and constant memory."""

import csv
import json
import tracemalloc

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioinstruct_dagster.dataset.build import shard_name
from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.publishing.export.files import export
from bioinstruct_dagster_tests.publishing.made_dataset import made_dataset, made_rows

MANY = 40_000
FINGERPRINT = "f" * 64


@pytest.fixture
def write(store, settings, hugging_face, tmp_path):
    """Make a data set and export it; returns the file and what was said of it."""

    def written(rows=None, name="out.jsonl", form="alpaca", splits=SPLITS, **choice):
        built = made_dataset(store, settings, rows)
        target = tmp_path / name
        return target, export(
            built.path, built.fingerprint, form=form, target=target, splits=splits, **choice
        )

    return written


def lines_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_alpaca_lines_hold_three_fields(write):
    path, done = write()
    rows = lines_of(path)
    assert (len(rows), done.rows, done.rehearsal) == (30, 30, 0)
    expected = [{name: row[name] for name in ("instruction", "input", "output")}
                for row in made_rows()]  # fmt: skip
    assert sorted(rows, key=str) == sorted(expected, key=str)


def test_an_array_holds_the_same_rows(write):
    lines, _ = write()
    array, _ = write(name="out.json")
    assert json.loads(array.read_text("utf-8")) == lines_of(lines)


def test_messages_are_a_question_and_its_answer(write):
    path, _ = write(form="messages")
    rows = {row["messages"][1]["content"]: row for row in lines_of(path)}
    asked = rows["Organ 1 keeps its owner alive."]["messages"][0]
    assert asked == {
        "role": "user",
        "content": "Name organ 1 of the body, and what it does.\n\nCase 1.",
    }
    without = rows["Organ 2 keeps its owner alive."]["messages"]
    assert without[0]["content"] == "Name organ 2 of the body, and what it does."
    assert [turn["role"] for turn in without] == ["user", "assistant"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv"])
def test_columns_hold_everything_and_the_split(write, name):
    path, _ = write(name=name, form="columns")
    if name.endswith("csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        rows = lines_of(path)
    assert len(rows) == 30
    assert {row["split"] for row in rows} <= set(SPLITS)
    assert list(rows[0])[:3] == ["split", "row_id", "instruction"]


def test_only_the_chosen_splits_are_written(write):
    path, done = write(form="columns", splits=["test"])
    assert {row["split"] for row in lines_of(path)} == {"test"}
    assert 0 < done.rows < 30


def test_rows_of_a_rehearsal_are_refused_or_marked(write, tmp_path):
    rows = made_rows()
    rows[4]["rehearsal"] = True
    with pytest.raises(StatedError, match=r"1 of 30 rows are marked rehearsal.*--rehearsal"):
        write(rows)
    assert not (tmp_path / "out.jsonl").exists()
    for form in ("alpaca", "messages", "columns"):
        path, done = write(rows, form=form, rehearsal=True, force=True)
        assert done.rehearsal == 1
        assert [row.get("rehearsal") for row in lines_of(path)].count(True) == 1


def test_a_recorded_category_is_refused_where_it_is_written(write):
    rows = made_rows(labelled_by=REHEARSED_LABELLER)
    assert write(rows)[1].rehearsal == 0  # instruction, input and output are no rehearsal's
    with pytest.raises(StatedError, match="30 of 30 rows are marked rehearsal"):
        write(rows, form="columns", force=True)


def test_a_file_is_replaced_only_by_force(write):
    path, _ = write()
    path.write_text("mine", "utf-8")
    with pytest.raises(StatedError, match=r"Add --force to replace it"):
        write()
    assert path.read_text("utf-8") == "mine"
    write(force=True)
    assert len(lines_of(path)) == 30


def test_a_file_appears_whole_or_not_at_all(write, tmp_path, monkeypatch):
    def broken(_rows):
        yield {"instruction": "One row."}
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(
        "bioinstruct_dagster.publishing.export.files._counted", lambda rows, total: broken(rows)
    )
    monkeypatch.setattr(
        "bioinstruct_dagster.publishing.export.files.FORMATS", {"alpaca": lambda row: row}
    )
    with pytest.raises(StatedError, match="No space left"):
        write()
    assert [path.name for path in tmp_path.glob("*out.jsonl*")] == []


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("out.txt", "alpaca", "ends with .jsonl or .json"),
        ("out.csv", "messages", "ends with .jsonl or .json"),
        ("out", "columns", "ends with .jsonl or .json or .csv"),
        ("", "alpaca", "is a folder"),
    ],
)
def test_a_target_of_another_kind_is_refused(write, name, form, said):
    with pytest.raises(StatedError, match=said):
        write(name=name, form=form)


def test_rows_are_streamed(tmp_path):
    peaks = {}
    for count in (10, MANY // 8, MANY):  # the first one loads the libraries
        folder, target = tmp_path / f"set-{count}", tmp_path / f"{count}.jsonl"
        (folder / "data").mkdir(parents=True)
        pq.write_table(
            pa.Table.from_pylist(made_rows(count)),
            folder / "data" / shard_name("train", 0, 1, FINGERPRINT),
            row_group_size=1_000,
        )
        tracemalloc.start()
        done = export(folder, FINGERPRINT, form="alpaca", target=target, splits=SPLITS)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert done.rows == sum(1 for _ in target.open("rb")) == count
    assert target.stat().st_size > 4 * peaks[MANY]  # no list of all rows is in memory
    assert peaks[MANY] < 1.2 * peaks[MANY // 8]  # eight times the rows, the same memory
