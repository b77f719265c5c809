"""Fingerprints: hashes of values, rows and files, and the JSON text that they are computed from.

All identifiers and data versions of the project are computed here. Equal content has equal hashes
in every run, on every machine and with every version of the libraries.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

# One encoder for all values: making one takes longer than encoding a short value.
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"))
_IMPORTED_FILE = re.compile(r"\A(import:).*@([0-9a-f]{12})\Z")


def canonical_json(value: Any) -> str:
    """JSON text with sorted keys and without spaces. Equal values give equal text."""
    if value == {} and type(value) is dict:
        return "{}"  # the evidence of most verdicts
    return _CANONICAL.encode(value)


def json_bytes(value: Any) -> bytes:
    """JSON as UTF-8 with the keys in their given order. Fast, but not for hashes.

    UTF-8 can't hold a lone surrogate, so it becomes an ASCII escape.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def json_value(data: bytes) -> Any:
    """The value of JSON bytes, including JSON that only Python's own reader accepts.

    Raises:
        ValueError, RecursionError: the bytes are not JSON.
    """
    try:
        return orjson.loads(data)
    except ValueError:  # an escaped lone surrogate, NaN, an integer beyond 64 bits
        return json.loads(data)


def sha256_of(value: Any) -> str:
    """Hex sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_of_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Hex sha256 of the named columns of the rows, in the given order.

    Of an imported file, the column `source` holds the name and the hash of the content. Only the
    latter counts: a file that is moved or renamed gives the same data set.
    """
    digest = hashlib.sha256()
    for row in rows:
        values = [
            _IMPORTED_FILE.sub(r"\1\2", row[column]) if column == "source" else row[column]
            for column in columns
        ]
        digest.update(canonical_json(values).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def row_id(*parts: object) -> str:
    """The identifier of a row with this origin: 24 hex digits (96 bits)."""
    return sha256_of([str(part) for part in parts])[:24]
