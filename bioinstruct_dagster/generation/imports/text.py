"""The text of a file: unpacked, and decoded with its own encoding.

Belongs here: gzip, byte order marks, and content that is no data at all. Does not: the form of the
rows (csv_rows, json_rows, parquet_rows).
"""

import gzip
import zlib
from pathlib import Path

from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.input_files import fault_of, shown

MOST_BYTES = 2 << 30  # of a file, and of a packed file when it is unpacked

# The longer mark first: UTF-32 begins like UTF-16.
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_UNMARKED = "utf-8"
_GZIP = b"\x1f\x8b"
_OTHER_CONTENT = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the data. Run `git lfs pull`",
    b"PK\x03\x04": "is a ZIP archive or an Excel workbook. Unpack it, or save it as CSV in UTF-8",
    b"PAR1": "is a Parquet file under another name. Name it .parquet",
    b"<!doctype html": "is a web page, not the data. Download the file itself",
    b"<html": "is a web page, not the data. Download the file itself",
    b"SQLite format 3": "is an SQLite database. Export its table as CSV in UTF-8",
}
_FIRST_BYTES = 64
_TOO_LARGE = "holds more than 2 GiB. Split it, or write it as Parquet"


def text_of(path: Path, code_page: str = "") -> str:
    """The file's text. A gzip file is unpacked, and a byte order mark names the encoding.

    Args:
        path: the file.
        code_page: the encoding of a file that is no UTF-8 and has no byte order mark, such as
            cp1252. If it is empty, such a file is refused.

    Raises:
        ImportedSetError: the file is no text, or its encoding is not known.
    """
    data = content_of(path)
    if not data:
        raise ImportedSetError(f"{shown(path)} is empty.")
    encoding = _marked_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        known = _decoded(data, code_page) if code_page and encoding == _UNMARKED else None
        if known is None:
            raise ImportedSetError(_encoding_fault(path, data, encoding, error)) from None
        text = known
    if not text:
        raise ImportedSetError(f"{shown(path)} is empty: it holds a byte order mark alone.")
    if "\0" in text[: 1 << 16] and text.count("\0", 0, 1 << 16) > min(len(text), 1 << 16) // 4:
        raise ImportedSetError(
            f"{shown(path)}: not UTF-8 text: every second byte is zero, as in UTF-16. "
            + _convert(path, "UTF-16LE" if data[1:2] == b"\0" else "UTF-16BE")
        )
    return text


def needs_code_page(path: Path) -> bool:
    """Whether `text_of` can read the file only by a code page: it is no UTF-8 and has no mark.

    Raises:
        ImportedSetError: the file can't be read or unpacked.
    """
    data = content_of(path)
    return _marked_encoding(data) == _UNMARKED and _decoded(data, _UNMARKED) is None


def _marked_encoding(data: bytes) -> str:
    """The encoding that a byte order mark names; UTF-8 without a mark."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), _UNMARKED)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def content_of(path: Path) -> bytes:
    """The file's bytes, unpacked if they are packed by gzip.

    Raises:
        ImportedSetError: the file can't be read or unpacked, or it is no instruction set at all.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ImportedSetError(f"{shown(path)} {_TOO_LARGE}.")
        data = path.read_bytes()
        if data.startswith(_GZIP):
            with gzip.open(path) as file:
                data = file.read(MOST_BYTES + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ImportedSetError(
            f"{shown(path)}: the gzip file is broken or cut off ({error}). Download it again."
        ) from None
    except OSError as error:
        raise ImportedSetError(f"{shown(path)} {fault_of(error)}.") from None
    if len(data) > MOST_BYTES:
        raise ImportedSetError(f"{shown(path)}, unpacked, {_TOO_LARGE}.")
    if data.startswith(_GZIP):
        raise ImportedSetError(
            f"{shown(path)} is packed twice: a gzip file inside a gzip file. Unpack it once."
        )
    refuse_other_content(path, data[:_FIRST_BYTES])
    return data


def refuse_other_content(path: Path, start: bytes) -> None:
    """Refuse a file whose first bytes show that it holds something else than its name says.

    Raises:
        ImportedSetError: such as a web page, or the pointer that Git LFS leaves in a file's place.
    """
    start = start.lstrip().lower()
    for mark, said in _OTHER_CONTENT.items():
        if start.startswith(mark.lower()):
            raise ImportedSetError(f"{shown(path)} {said}.")


def _encoding_fault(path: Path, data: bytes, encoding: str, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    said = f"{shown(path)}: line {line}: not {encoding.upper().removesuffix('-SIG')} text"
    if error.end >= len(data):
        return f"{said}: the file ends inside a character, so it is cut off. Download it again."
    said += f" ({error.reason}: byte 0x{data[error.start]:02x} at {error.start}). "
    if encoding.startswith("utf-8"):
        return said + ("It may be Windows-1252 or Latin-1. " + _convert(path, "WINDOWS-1252"))
    return said + "Save the file as UTF-8."


def _convert(path: Path, encoding: str) -> str:
    return (
        f"Save the file as UTF-8, or run: iconv -f {encoding} -t UTF-8 "
        f"'{shown(path.name)}' > new-file"
    )
