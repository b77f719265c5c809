"""Raw rows: each points to its completion, and the same content has the same rows."""

import json

import pytest

from bioinstruct_dagster.generation.raw import imported_rows, raw_rows
from bioinstruct_dagster.generation.teacher import Endpoint, ask
from bioinstruct_dagster.rehearsal import server

RECORDS = [
    {"instruction": "Name it.", "input": "a", "output": "A"},
    {"instruction": "Name it.", "input": "b", "output": "B"},
]


@pytest.fixture
def answered(store, serve, reply):
    """Have requests answered with the contents given, and stored."""

    def run(requests, contents):
        async def answer(body):
            return reply(contents[body["seed"] - requests[0].parameters["seed"]])

        endpoint = Endpoint(serve(answer).url, "k", rehearsal=False)
        ask(requests, endpoint, store, concurrency=4, log=lambda _: None)

    return run


def content(*outputs: str) -> str:
    return json.dumps({"tasks": [{**RECORDS[0], "output": output} for output in outputs]})


def test_each_task_is_a_row_that_points_to_its_completion(store, requests_of, answered):
    requests = requests_of(3)
    answered(requests, [content("p", "q"), "not JSON", content("r")])
    rows, outcomes = raw_rows(store, requests)
    keys = [request.completion_id for request in requests]
    found = [(row["completion_id"], row["position"], row["output"]) for row in rows]
    assert found == [(keys[0], 0, "p"), (keys[0], 1, "q"), (keys[2], 0, "r")]
    assert [row["ordinal"] for row in rows] == [0, 1, 2_000]
    assert len({row["row_id"] for row in rows}) == 3
    assert {row["source"] for row in rows} == {"completion"}
    assert {row["rehearsal"] for row in rows} == {False}
    assert [(o["completion_id"], o["outcome"], o["tasks"]) for o in outcomes] == [
        (keys[0], "parsed", 2),
        (keys[1], "malformed", 0),
        (keys[2], "parsed", 1),
    ]


def test_a_request_without_an_answer_is_left_out(store, requests_of, answered):
    requests = requests_of(4)
    answered(requests[:2], [content("p"), content("q")])
    rows, outcomes = raw_rows(store, requests)
    assert (len(rows), len(outcomes)) == (2, 2)


def test_completions_of_other_requests_are_left_out(store, requests_of, answered):
    requests = requests_of(4)
    answered(requests, [content(name) for name in "pqrs"])
    rows, _ = raw_rows(store, requests[:2])
    assert [row["output"] for row in rows] == ["p", "q"]


def test_rows_of_a_rehearsal_are_the_same_in_every_store(store, tmp_path, requests_of):
    from bioinstruct_dagster.store.database import Store

    requests = requests_of(12)
    other = Store(tmp_path / "other" / "s.duckdb")
    results = []
    with server.serving() as url:
        for place, order in ((store, requests), (other, requests[::-1])):
            endpoint = Endpoint(url, "k", rehearsal=True)
            ask(order, endpoint, place, concurrency=5, log=lambda _: None)
            results.append(raw_rows(place, requests))
    assert results[0] == results[1]
    assert all(row["rehearsal"] for row in results[0][0])


def test_the_rows_fit_their_tables(store, requests_of, answered):
    requests = requests_of(2)
    answered(requests, [content("p"), "{"])
    rows, outcomes = raw_rows(store, requests)
    store.replace({"raw_instructions": rows, "completion_outcomes": outcomes})
    assert store.rows("select * from raw_instructions") == rows
    (lineage,) = store.rows("select * from lineage")
    assert lineage["completion_id"] == rows[0]["completion_id"]
    assert tuple(lineage["seed_ids"]) == requests[0].seed_ids
    store.replace({"raw_instructions": imported_rows(RECORDS, "x"), "completion_outcomes": []})
    assert store.rows("select count(*) as n from lineage") == [{"n": 2}]


def test_a_completions_cost_is_shared_out_among_its_rows(store, requests_of, answered):
    requests = requests_of(2, model="gpt-4.1")
    answered(requests, [content("p", "q", "r", "s"), content("t")])
    rows, outcomes = raw_rows(store, requests)
    store.replace({"raw_instructions": rows, "completion_outcomes": outcomes})
    (total,) = store.rows("select sum(usd) as usd, sum(prompt_tokens) as tokens from completions")
    (shared,) = store.rows(
        "select sum(usd_share) as usd, sum(prompt_tokens_share) as tokens from lineage"
    )
    assert total["usd"] == pytest.approx(2 * 0.00028)
    assert shared == pytest.approx(total)


def test_an_imported_row_keeps_its_id_when_the_file_moves_or_grows():
    before = imported_rows(RECORDS, "a.jsonl")
    after = imported_rows([{"instruction": "New", "input": "", "output": "n"}, *RECORDS], "b.csv")
    assert [row["row_id"] for row in after[1:]] == [row["row_id"] for row in before]
    assert [row["source"] for row in after] == ["import:b.csv"] * 3
    assert [row["position"] for row in after] == [row["ordinal"] for row in after] == [0, 1, 2]


def test_an_imported_row_that_stands_twice_has_two_ids():
    rows = imported_rows([*RECORDS, *RECORDS, *RECORDS], "a")
    assert len({row["row_id"] for row in rows}) == 6


def test_text_that_moves_to_the_next_field_is_another_row():
    one, other = ({**RECORDS[0], "input": i, "output": o} for i, o in (("ab", ""), ("a", "b")))
    assert imported_rows([one], "a")[0]["row_id"] != imported_rows([other], "a")[0]["row_id"]
