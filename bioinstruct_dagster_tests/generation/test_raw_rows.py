"""Raw rows: each points to its completion, and equal contents give equal rows."""

import json

import pytest

from bioinstruct_dagster.generation.raw_rows import (
    RequestReplies,
    imported_rows,
    needs_retry,
    raw_rows,
    reading_of,
    rows_of,
    unread_reason,
)
from bioinstruct_dagster.rehearsal.api_server import app as server
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

RECORDS = [
    {"instruction": "Name it.", "input": "a", "output": "A"},
    {"instruction": "Name it.", "input": "b", "output": "B"},
]


@pytest.fixture
def answered(store, serve, reply):
    """Have requests answered with the contents given, and stored."""

    def run(requests, contents):
        async def answer(body):
            answer = contents[body["seed"] - requests[0].parameters["seed"]]
            usage = {"prompt_tokens": 100, "completion_tokens": 100, "total_tokens": 200}
            return reply(answer, usage=usage)

        endpoint = Endpoint(serve(answer).url, "k", rehearsal=False)
        ask(session_of(endpoint, store, terms=Terms(concurrency=4)), requests)

    return run


def ids_of(requests):
    return [request.completion_id for request in requests]


def content(*outputs: str) -> str:
    return json.dumps({"tasks": [{**RECORDS[0], "output": output} for output in outputs]})


def test_each_task_is_a_row_that_points_to_its_completion(store, requests_of, answered):
    requests = requests_of(3)
    answered(requests, [content("p", "q"), "not JSON", content("r")])
    rows, outcomes = raw_rows(store, ids_of(requests))
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
    rows, outcomes = raw_rows(store, ids_of(requests))
    assert (len(rows), len(outcomes)) == (2, 2)


def test_completions_of_other_requests_are_left_out(store, requests_of, answered):
    requests = requests_of(4)
    answered(requests, [content(name) for name in "pqrs"])
    rows, _ = raw_rows(store, ids_of(requests[:2]))
    assert [row["output"] for row in rows] == ["p", "q"]


def test_rows_of_a_rehearsal_are_the_same_in_every_store(store, tmp_path, requests_of):
    from bioinstruct_dagster.store.database import Store

    requests = requests_of(12)
    other = Store(tmp_path / "other" / "s.duckdb")
    results = []
    with server.serve_recordings() as url:
        for place, order in ((store, requests), (other, requests[::-1])):
            endpoint = Endpoint(url, "k", rehearsal=True)
            ask(session_of(endpoint, place, terms=Terms(concurrency=5)), order)
            results.append(raw_rows(place, ids_of(requests)))
    assert results[0] == results[1]
    assert all(row["rehearsal"] for row in results[0][0])


def test_the_rows_fit_their_tables(store, requests_of, answered):
    requests = requests_of(2)
    answered(requests, [content("p"), "{"])
    rows, outcomes = raw_rows(store, ids_of(requests))
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
    rows, outcomes = raw_rows(store, ids_of(requests))
    store.replace({"raw_instructions": rows, "completion_outcomes": outcomes})
    (total,) = store.rows("select sum(usd) as usd, sum(prompt_tokens) as tokens from completions")
    (shared,) = store.rows(
        "select sum(usd_share) as usd, sum(prompt_tokens_share) as tokens from lineage"
    )
    assert total["usd"] == pytest.approx(2 * 0.001)
    assert shared == pytest.approx(total)


def test_an_imported_row_keeps_its_id_if_the_file_moves_or_grows():
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


def test_a_retrys_rows_take_the_place_of_the_first_reply(store, requests_of, answered):
    first, *_ = requests = requests_of(2)
    answered(requests, ["no task", content("q")])
    with store.write() as connection:  # as a round stores the second draw
        connection.execute(
            "insert into completions select * replace (? as completion_id, ? as content, "
            "1 as draw) from completions where completion_id = ?",
            [first.again().completion_id, content("p"), first.completion_id],
        )
    ids = [*ids_of(requests), first.again().completion_id]
    rows, outcomes = raw_rows(store, ids)
    assert [(row["ordinal"], row["output"]) for row in rows] == [(0, "p"), (1_000, "q")]
    assert [o["outcome"] for o in outcomes] == ["malformed", "parsed", "parsed"]


CONTROLS = [{"family": "ranking"}, {"family": "dialogue"}]


@pytest.mark.parametrize("controls", [CONTROLS, json.dumps(CONTROLS)], ids=["fresh", "stored"])
def test_a_row_has_the_controls_of_its_place_if_there_are_any(controls):
    reply = {
        "completion_id": "c", "request_number": 3, "draw": 0, "finish_reason": "stop",
        "refusal": None, "reply_format": "json_schema", "controls": controls, "rehearsal": False,
        "content": json.dumps({"tasks": [{"instruction": "i"}, RECORDS[0], RECORDS[1]]}),
    }  # fmt: skip
    rows = rows_of(reply, reading_of(reply))
    assert [row["position"] for row in rows] == [1, 2]  # the first could not be read
    assert [row["controls"] and json.loads(row["controls"]) for row in rows] == [CONTROLS[1], None]


@pytest.mark.parametrize("form", ["json_schema", "text"])
def test_a_reply_gives_equal_rows_on_arrival_and_from_the_store(form):
    task = {"instruction": "Name it.", "input": "", "output": "A \ud800 lone surrogate"}
    text = "###\n1. Instruction: Name it.\n1. Input:\n<noinput>\n1. Output:\nA \ud800 one"
    reply = {
        "completion_id": "c", "request_number": 0, "draw": 0, "finish_reason": "stop",
        "refusal": None, "reply_format": form, "controls": None, "rehearsal": False,
        "content": text if form == "text" else json.dumps({"tasks": [task]}, ensure_ascii=False),
    }  # fmt: skip
    stored = reply | {"content": reply["content"].encode("utf-8", "backslashreplace").decode()}
    assert rows_of(reply, reading_of(reply)) == rows_of(stored, reading_of(stored))


def outcome_of(content, draw=0, refusal=None, finish_reason="stop"):
    reply = {
        "content": content, "draw": draw, "refusal": refusal, "finish_reason": finish_reason,
        "reply_format": "json_schema",
    }  # fmt: skip
    return needs_retry(reply, reading_of(reply))


def test_only_an_outcome_that_a_retry_may_mend_is_retried():
    assert outcome_of("no task")
    assert outcome_of("")
    assert outcome_of('{"rows": []}')
    assert not outcome_of("no task", draw=1)
    assert not outcome_of("", refusal="I can't.")
    assert not outcome_of('{"tasks": [{"instr', finish_reason="length")
    assert not outcome_of(content("p"))
    assert not outcome_of(content("p")[:-1] + ", {")  # a task was salvaged


def replies_to(*contents, finish_reason="stop"):
    for place, text in enumerate(contents):
        replies = RequestReplies()
        replies.take(
            {
                "completion_id": str(place), "request_number": place, "draw": 1, "content": text,
                "refusal": None, "finish_reason": finish_reason, "reply_format": "json_schema",
                "controls": None, "rehearsal": False,
            }
        )  # fmt: skip
        yield replies


def test_the_reason_of_most_replies_without_tasks_is_named():
    reason = unread_reason(replies_to("no task", "nothing", "", content("p"), '{"a": 1}'))
    assert reason.startswith("4 of 5 requests brought no readable task. The most frequent reason, ")
    assert "of 2: malformed: no JSON." in reason
    assert unread_reason(replies_to("no task", content("p"))) is None
    assert unread_reason([RequestReplies()]) is None
    assert unread_reason(replies_to("<think>", "", finish_reason="length")) is None  # said apart


def test_replies_that_all_broke_off_are_named_as_such():
    reason = unread_reason(replies_to("<think>", '{"tasks": [', finish_reason="broken_off"))
    assert "2 of 2 requests brought no readable task" in reason
    assert "broke off on its way" in reason
