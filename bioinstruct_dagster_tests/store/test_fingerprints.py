"""Fingerprints: equal content has equal hashes, other content has others."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.store.fingerprints import (
    canonical_json,
    row_id,
    sha256_of,
    sha256_of_file,
    sha256_of_rows,
)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), VALUES, min_size=2))
def test_the_order_of_keys_changes_no_hash(value):
    assert sha256_of(value) == sha256_of(dict(reversed(value.items())))


@given(VALUES, VALUES)
def test_hashes_are_equal_exactly_where_the_canonical_texts_are(one, other):
    assert (sha256_of(one) == sha256_of(other)) == (canonical_json(one) == canonical_json(other))


def test_a_hash_is_the_same_on_every_machine():
    # Pinned: a change here makes every stored completion_id and row_id unfindable.
    assert canonical_json({"b": [1, None], "a": "Ä\ud800"}) == r'{"a":"\u00c4\ud800","b":[1,null]}'
    expected = hashlib.sha256(rb'{"a":"\u00c4\ud800","b":[1,null]}').hexdigest()
    assert sha256_of({"b": [1, None], "a": "Ä\ud800"}) == expected


ROWS = [{"id": 1, "text": "a", "seen": 9}, {"id": 2, "text": "b", "seen": 9}]


@pytest.mark.parametrize(
    ("rows", "same"),
    [
        ([{**row, "seen": 0} for row in ROWS], True),
        ([dict(reversed(row.items())) for row in ROWS], True),
        (list(reversed(ROWS)), False),
        (ROWS[:1], False),
        ([{**row, "text": "c"} for row in ROWS], False),
        ([*ROWS, ROWS[0]], False),
    ],
)
def test_rows_are_fingerprinted_by_the_named_columns_in_order(rows, same):
    columns = ("id", "text")
    assert (sha256_of_rows(rows, columns) == sha256_of_rows(ROWS, columns)) is same


def test_a_value_in_another_column_changes_the_fingerprint():
    one, other = [{"a": "xy", "b": ""}], [{"a": "x", "b": "y"}]
    assert sha256_of_rows(one, ("a", "b")) != sha256_of_rows(other, ("a", "b"))


def test_an_imported_file_counts_by_its_content_and_not_by_its_name():
    def of(source):
        return sha256_of_rows([{"source": source}], ("source",))

    assert of("import:a.csv@0123456789ab") == of("import:old@home.csv@0123456789ab")
    different = [
        "import:a.csv@0123456789ab",
        "import:a.csv@0123456789ac",
        "import:owner/name@train",
        "import:owner/other@train",
        "import:owner/name@test",
        "completion",
    ]
    assert len({of(source) for source in different}) == len(different)


def test_a_file_is_fingerprinted_by_its_bytes(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"\x00\xff\n" * 100_000)
    assert sha256_of_file(file) == hashlib.sha256(b"\x00\xff\n" * 100_000).hexdigest()


@given(st.lists(st.text(), min_size=1), st.lists(st.text(), min_size=1))
def test_row_ids_differ_wherever_their_parts_do(one, other):
    assert len(row_id(*one)) == 24
    assert (row_id(*one) == row_id(*other)) == (one == other)
