"""The text of a file: encodings, packed files, and files that hold something else."""

import gzip

import pytest

from bioinstruct_dagster.generation.imports import text
from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.text import text_of

CONTENT = "Fieber über 38 °C\n发热\n"


@pytest.fixture
def refused(tmp_path):
    def of(data, name="set.csv"):
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(ImportedSetError) as raised:
            text_of(path)
        assert str(path) in str(raised.value)
        return str(raised.value)

    return of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_byte_order_mark_names_the_encoding(tmp_path, encoding, pack):
    path = tmp_path / "set.csv"
    path.write_bytes(pack(CONTENT.encode(encoding)))
    assert text_of(path) == CONTENT


def test_a_big_endian_mark_is_known_too(tmp_path):
    path = tmp_path / "set.csv"
    path.write_bytes(b"\xfe\xff" + CONTENT.encode("utf-16-be"))
    assert text_of(path) == CONTENT


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty: it holds a byte order mark alone"),
        (b"\xff\xfe", "is empty: it holds a byte order mark alone"),
        ("a\nFieber über 38\n".encode("latin-1"), "line 2: not UTF-8 text"),
        ("a\nFieber über 38\n".encode("latin-1"), "iconv -f WINDOWS-1252 -t UTF-8 'set.csv'"),
        ("question,answer\n".encode("utf-16-le"), "iconv -f UTF-16LE -t UTF-8 'set.csv'"),
        ("question,answer\n".encode("utf-16-be"), "iconv -f UTF-16BE -t UTF-8 'set.csv'"),
        ("a\nü".encode()[:-1], "line 2: not UTF-8 text: the file ends inside a character"),
        (b"\xff\xfea\x00b", "not UTF-16 text"),
        (gzip.compress(b"text" * 99, mtime=0)[:-9], "the gzip file is broken or cut off"),
        (b"\x1f\x8b nothing", "the gzip file is broken or cut off"),
        (gzip.compress(gzip.compress(b"text", mtime=0), mtime=0), "is packed twice"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Run `git lfs pull`"),
        (b"PK\x03\x04\x14\x00", "is a ZIP archive or an Excel workbook"),
        (b"PAR1\x15\x00", "is a Parquet file under another name"),
        (b"\n<!DOCTYPE html>\n<html>", "is a web page"),
        (gzip.compress(b"<html><body>", mtime=0), "is a web page"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(refused, data, said):
    assert said in refused(data)


def test_a_packed_file_can_not_unpack_without_end(refused, monkeypatch):
    monkeypatch.setattr(text, "MOST_BYTES", 1 << 20)
    assert ", unpacked, holds more than" in refused(gzip.compress(b"\0" * (2 << 20), mtime=0))


def test_a_file_that_does_not_fit_in_memory_is_refused_unread(tmp_path):
    path = tmp_path / "set.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: it takes no room
    with pytest.raises(ImportedSetError, match=r"set\.jsonl holds more than 2 GiB"):
        text_of(path)
