"""Fingerprints: what a content hash covers and how it is made.

Every identifier and data version of the project comes from here, so that equal content has equal
hashes across runs, machines and versions of the libraries underneath.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces; equal values give equal text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def json_bytes(value: Any) -> bytes:
    """JSON as UTF-8, keys as they come, as fast as can be; not for hashes.

    A lone surrogate, which UTF-8 can't hold, becomes its ASCII escape.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode()


def json_value(data: bytes) -> Any:
    """The value of JSON bytes, those included that only Python's own reader takes.

    Raises:
        ValueError, RecursionError: it is no JSON.
    """
    try:
        return orjson.loads(data)
    except ValueError:  # an escaped lone surrogate, NaN, an integer beyond 64 bits
        return json.loads(data)


def sha256_of(value: Any) -> str:
    """Hex sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_of_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Hex sha256 over the named columns of the rows, in the order given."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(canonical_json([row[column] for column in columns]).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def row_id(*parts: object) -> str:
    """Identifier of a row from what it came from: 24 hex digits (96 bits)."""
    return sha256_of([str(part) for part in parts])[:24]
