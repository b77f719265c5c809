"""What a set cost is a number only if it is known and was billed."""

from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.generation.spending import (
    NO_PRICE,
    NOTHING_BILLED,
    cost_in_words,
    spend_metadata,
)
from bioinstruct_dagster_tests.test_report import completion


def metadata(store, *replies):
    rows = [completion(n, rehearsal=marked, usd=usd) for n, (marked, usd) in enumerate(replies)]
    outcome = {"outcome": "parsed", "tasks": 1, "dropped": 0, "detail": ""}
    outcomes = [{"completion_id": row["completion_id"], **outcome} for row in rows]
    store.replace({"completions": rows, "completion_outcomes": outcomes})
    return spend_metadata(store, 10)


@pytest.mark.parametrize(
    ("replies", "usd", "per_row"),
    [
        ([(False, 0.5), (False, 1.5)], 2.0, 0.2),
        ([(False, 0.5), (True, 9.0)], 0.5, 0.05),  # a rehearsal's price is no cost
        ([(False, None), (False, None)], NO_PRICE, NO_PRICE),
        ([(True, 0.0), (True, 0.0)], NOTHING_BILLED, NOTHING_BILLED),
        ([(True, None)], NOTHING_BILLED, NOTHING_BILLED),
    ],
)
def test_the_cost_is_what_was_billed(store, replies, usd, per_row):
    found = metadata(store, *replies)
    assert found["cost ($)"] == found["cost of the project so far ($)"] == usd
    assert found["cost of a kept row ($)"] == per_row


def test_a_cost_of_which_a_part_is_unknown_is_no_number(store):
    found = metadata(store, (False, 0.5), (False, None), (True, 3.0))
    assert found["cost ($)"] == "unknown: 0.5000, and 1 of 2 requests have no price"
    assert found["cost of a kept row ($)"] == found["cost ($)"]
    assert found["price of the rehearsal"] == "$3.00"
    assert found["tokens of the project so far"] == 60


def test_a_rehearsal_s_dollars_have_one_name_on_the_page(store):
    found = metadata(store, (True, 0.0987))
    for name in ("cost ($)", "cost of a kept row ($)", "cost of the project so far ($)"):
        assert found[name] == f"{NOTHING_BILLED}; $0.0987 in list-price dollars of a rehearsal"


@pytest.mark.parametrize(
    ("replies", "told"),
    [
        ([], False),  # nobody knows, so it counts
        ([True], True),
        ([True, False], False),  # a real server follows at the same address
        ([False, True], True),
    ],
)
def test_a_batch_at_a_rehearsal_server_reserves_no_real_dollars(store, replies, told):
    rows = [
        completion(n, rehearsal=marked, usd=0.5)
        | {"endpoint": "http://localhost:9", "completed_at": datetime(2026, 1, 1 + n, tzinfo=UTC)}
        for n, marked in enumerate(replies)
    ]
    batch = {
        "batch_key": "b",
        "state": "open",
        "purpose": "generation",
        "teacher": "openai",
        "endpoint": "http://localhost:9",
        "model": "gpt-x",
        "requests": 3,
        "answered": 0,
        "usd": 0.3,
        "tokens": 9,
        "resume": "{}",
        "detail": "",
        "submitted_at": datetime.now(UTC),
    }
    store.replace({"completions": rows, "batches": [batch]})
    reserved = "from spend where kind = 'reserved by batches'"
    assert store.rows(f"select rehearsal, usd {reserved}") == [{"rehearsal": told, "usd": 0.3}]


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ([(False, 0.5), (False, 1.5)], "Cost: $2.00, $0.20 a kept row."),
        ([(False, 0.0312)], "Cost: $0.031, $0.0031 a kept row."),
        ([(False, None)], "Cost: unknown."),
        ([(True, 0.5)], "Cost: none, a rehearsal."),
    ],
)
def test_the_summary_says_the_cost_in_words(store, replies, said):
    assert cost_in_words(metadata(store, *replies)) == said
