"""The list of gates: SQL gets it from Python, and no other place names the order."""

import re

import duckdb
import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store import gate_order
from bioinstruct_dagster.store.database import SCHEMA_VERSION
from bioinstruct_dagster.store.gate_order import GATE_ORDER, GATES, ROW_GATES

# Views as a version of the project made them that had no table of gates.
EARLIER_VIEWS = """
    drop table gates;
    create or replace view repaired_instructions as
    select row_id, ordinal, instruction, input, output, []::varchar[] as repaired, rehearsal
    from raw_instructions;
    create or replace view passing_instructions as
    select * from repaired_instructions
    anti join (
        select row_id from verdicts where verdict = 'reject' and gate in ('quality', 'privacy')
    ) as dropped using (row_id);
"""
VERDICT = """
    insert into verdicts by name select
        'row' as row_id, $gate as gate, 0 as place, $gate || ' rule' as rule, '1' as version,
        'reject' as verdict, '{}' as evidence, '1' as gate_version, 'sha' as text_sha256,
        now() as judged_at, false as rehearsal
"""
REJECTED = "select gate, reason from rejected_instructions"
PASSING = "select count(*) as passing from passing_instructions"
# Three gates' names one after the other, as a list of strings writes them.
AN_ORDER = re.compile(
    "|".join(
        ", *".join(f"[\"']{gate}[\"']" for gate in GATE_ORDER[first : first + 3])
        for first in range(len(GATE_ORDER) - 2)
    )
)


@pytest.fixture
def earlier(store):
    """A store with a paid reply and a row, as an earlier version without the table left it."""
    row = {
        "row_id": "row", "ordinal": 0, "position": 0, "source": "completion", "instruction": "i",
        "input": "", "output": "o", "rehearsal": False,
    }  # fmt: skip
    store.replace({"raw_instructions": [row]})
    with store.write() as connection:
        connection.execute(VERDICT, {"gate": "contamination"})
    with duckdb.connect(store.path) as connection:
        connection.execute(EARLIER_VIEWS)
    return store


def listed(store):
    return [tuple(row.values()) for row in store.rows(GATES)]


def test_the_table_holds_the_list(store):
    with store.write():
        pass
    assert listed(store) == [
        (gate, place, gate in ROW_GATES) for place, gate in enumerate(GATE_ORDER)
    ]


def test_a_reader_of_an_earlier_store_gets_table_and_views(earlier):
    assert [gate for gate, *_ in listed(earlier)] == list(GATE_ORDER)
    assert earlier.rows(PASSING) == [{"passing": 0}]
    assert earlier.rows("select row_id from verdicts") == [{"row_id": "row"}]
    assert earlier.rows("select version from store_version") == [{"version": SCHEMA_VERSION}]


def test_a_writer_to_an_earlier_store_gets_table_and_views(earlier):
    with earlier.write() as connection:
        assert connection.execute(PASSING).fetchall() == [(0,)]


def test_a_list_that_has_changed_is_written_again(store, monkeypatch):
    with store.write():
        pass
    shorter = gate_order._GATE_ROWS[:2]
    monkeypatch.setattr(gate_order, "_GATE_ROWS", shorter)
    assert listed(store) == shorter
    monkeypatch.undo()
    assert [gate for gate, *_ in listed(store)] == list(GATE_ORDER)


def test_a_store_that_is_up_to_date_is_not_written_to(earlier):
    earlier.rows("select 1")
    before = earlier.path.read_bytes()
    assert listed(earlier)
    assert earlier.path.read_bytes() == before


@pytest.mark.parametrize("gate", GATE_ORDER)
def test_the_first_gate_in_the_list_gives_the_reason(gate, earlier):
    if gate != "contamination":  # which rejects the row in any case
        with earlier.write() as connection:
            connection.execute(VERDICT, {"gate": gate})
    first = min(gate, "contamination", key=GATE_ORDER.index)
    assert earlier.rows(REJECTED) == [{"gate": first, "reason": f"{first} rule"}]


def test_no_other_place_names_the_order():
    places = [
        f"{path.relative_to(PROJECT_ROOT)}: {found.group()}"
        for folder in ("bioinstruct_dagster", "bioinstruct_dagster_tests", "benchmarks")
        for path in sorted(PROJECT_ROOT.joinpath(folder).rglob("*"))
        if path.suffix in {".py", ".sql"} and path.name not in {"gate_order.py", "schema_3.sql"}
        for found in AN_ORDER.finditer(path.read_text("utf-8"))
    ]
    assert not places
