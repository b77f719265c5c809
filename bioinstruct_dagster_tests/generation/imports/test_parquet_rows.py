"""Parquet files, sound and broken, and ids that no data set on the hub can have."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.parquet_rows import read_hub, read_parquet

ROWS = [{"instruction": f"Question {n}?", "output": "x" * 100} for n in range(3_000)]


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "set.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), made, row_group_size=1_000)
    return made


def test_the_rows_come_in_their_order_with_their_numbers(path):
    records = [*read_parquet(path).records]
    assert [record.fields for record in records] == ROWS
    assert records[-1].place == "row 3000"


@pytest.mark.parametrize("change", [
    lambda data: data[: len(data) // 2],
    lambda data: data[:-1],
    lambda data: b"PAR1 is all there is",
    lambda data: b"",
    lambda data: b"\xef\xbb\xbf",
    lambda data: data[:-400] + b"\xff" * 392 + data[-8:],
])  # fmt: skip
def test_a_broken_file_is_refused_in_words(path, change):
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ImportedSetError, match=r"set\.parquet: not a Parquet file, or broken"):
        read_parquet(path)


def test_a_file_with_broken_pages_is_refused_in_words(path):
    data = path.read_bytes()
    path.write_bytes(data[:4] + b"\xff" * (len(data) // 2) + data[4 + len(data) // 2 :])
    with pytest.raises(ImportedSetError, match=r"the Parquet file is broken after row \d+"):
        [*read_parquet(path).records]


def test_two_columns_of_one_name_are_refused(tmp_path):
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], names=["output", "output"]), path)
    with pytest.raises(ImportedSetError, match="two columns have the name 'output'"):
        read_parquet(path)


def test_a_pointer_of_git_lfs_is_named(tmp_path):
    path = tmp_path / "set.parquet"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(ImportedSetError, match="git lfs pull"):
        read_parquet(path)


@pytest.mark.parametrize("hub_id", ["a b", "C:\\data", "a\nb", "user@host", "-x", "é/é"])
def test_what_can_be_no_id_is_not_looked_up(hub_id):
    with pytest.raises(ImportedSetError, match="neither a file here nor the id of a data set"):
        read_hub(hub_id, "train")
