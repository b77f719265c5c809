"""Batches over real HTTP, through the SDK: states, output, and every way to fail."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from openai import BadRequestError, ConflictError, NotFoundError

from bioinstruct_dagster.rehearsal.recordings import read_recordings

CHAT = "/v1/chat/completions"
RESPONSES = "/v1/responses"
DAY = 86_400.0


def line(number, url=CHAT, **changed) -> dict:
    bodies = {
        CHAT: {
            "model": "m",
            "messages": [{"role": "user", "content": "Write JSON."}],
            "seed": number,
            "response_format": {"type": "json_object"},
        },
        RESPONSES: {
            "model": "m",
            "input": "Write JSON.",
            "metadata": {"seed": str(number)},
            "text": {"format": {"type": "json_object"}},
        },
    }
    known = {"custom_id": f"line-{number}", "method": "POST", "url": url, "body": bodies[url]}
    return {**known, **changed}


def text_of(lines) -> bytes:
    return b"".join(
        (one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines
    )


def submit(server, lines, endpoint=CHAT, **asked):
    content = lines if isinstance(lines, bytes) else text_of(lines)
    uploaded = server.client.files.create(file=("in.jsonl", content), purpose="batch")
    return server.client.batches.create(
        input_file_id=uploaded.id, endpoint=endpoint, completion_window="24h", **asked
    )


def ended(server, batch):
    """The batch in its final state."""
    while batch.status in {"validating", "in_progress", "finalizing", "cancelling"}:
        time.sleep(0.01)
        batch = server.client.batches.retrieve(batch.id)
    return batch


def rows(server, file_id) -> list[dict]:
    if file_id is None:
        return []
    text = server.client.files.content(file_id).text
    return [json.loads(row) for row in text.splitlines()]


@pytest.mark.parametrize("endpoint", [CHAT, RESPONSES])
def test_every_line_gets_what_a_live_call_gets(serve, endpoint):
    server = serve()
    batch = submit(server, [line(n, endpoint) for n in range(7)], endpoint, metadata={"round": "3"})
    assert batch.status == "validating"
    batch = server.client.batches.retrieve(batch.id)
    assert batch.status == "completed"
    assert (batch.request_counts.total, batch.request_counts.completed) == (7, 7)
    assert batch.metadata == {"round": "3"}
    assert batch.error_file_id is None
    output = rows(server, batch.output_file_id)
    assert [row["custom_id"] for row in output] == [f"line-{n}" for n in range(7)]
    assert len({row["id"] for row in output}) == 7
    for number, row in enumerate(output):
        assert row["error"] is None
        assert row["response"]["status_code"] == 200
        assert row["response"]["request_id"].startswith("req_")
        live = server.client.post(
            endpoint.removeprefix("/v1"), body=line(number, endpoint)["body"], cast_to=object
        )
        times = dict.fromkeys(("created", "created_at"))
        assert {**row["response"]["body"], **times} == {**live, **times}
    usage = [row["response"]["body"]["usage"]["total_tokens"] for row in output]
    assert batch.usage.total_tokens == sum(usage)
    assert server.teacher.ledger.batch_lines_billed == 7
    assert server.get("/rehearsal/ledger")["billed_digests"] == 7


def test_a_batch_is_answered_once_if_it_is_polled_often(serve):
    server = serve()
    batch = ended(server, submit(server, [line(n) for n in range(5)]))
    again = server.client.batches.retrieve(batch.id)
    assert again == batch
    assert next(iter(server.client.batches.list())) == batch
    assert server.teacher.ledger.billed == 5


def test_a_batch_is_answered_once_when_all_look_at_once(serve):
    server = serve()
    batch = submit(server, [line(n) for n in range(1_000)])
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(server.client.batches.retrieve, [batch.id] * 8))
    assert len({found.output_file_id for found in seen}) == 1
    assert server.teacher.ledger.billed == 1_000


def test_the_states_come_in_order(serve):
    server = serve(batch_seconds=2.0)
    batch = submit(server, [line(n) for n in range(200)])
    seen, counts = [batch.status], [0]
    while batch.status != "completed":
        time.sleep(0.01)
        batch = server.client.batches.retrieve(batch.id)
        counts.append(batch.request_counts.completed)
        if batch.status != seen[-1]:
            seen.append(batch.status)
        if batch.status != "completed":
            assert batch.output_file_id is None
    order = ["validating", "in_progress", "finalizing", "completed"]
    assert [state for state in order if state in seen] == seen
    assert counts == sorted(counts)
    assert batch.created_at <= batch.in_progress_at <= batch.finalizing_at <= batch.completed_at


def bad_lines():
    sound = [line(0), line(1)]
    yield "invalid_json_line", 3, [*sound, b"{not json"]
    yield "invalid_json_line", 1, [b"[1]", *sound]
    yield "invalid_json_line", 2, [line(0), b"\xff\xfe", line(1)]
    yield "duplicate_custom_id", 3, [*sound, line(2, custom_id="line-1")]
    yield "url_mismatch", 3, [*sound, line(2, RESPONSES)]
    yield "invalid_method", 3, [*sound, line(2, method="GET")]
    yield "missing_required_parameter", 3, [*sound, line(2, custom_id=None)]
    yield "missing_required_parameter", 3, [*sound, line(2, body="text")]
    yield "model_mismatch", 3, [*sound, line(2, body={"model": "other"})]
    yield "too_many_tasks", None, [line(n) for n in range(11)]
    yield "file_too_large", None, [line(0, custom_id="x" * 20_000)]
    yield "empty_file", None, [b"", b"  "]


@pytest.mark.parametrize(("code", "number", "lines"), list(bad_lines()))
def test_a_bad_input_file_fails_the_batch_and_says_where(serve, code, number, lines):
    server = serve(batch_max_lines=10, batch_max_bytes=20_000)
    batch = ended(server, submit(server, lines))
    assert batch.status == "failed"
    (error,) = batch.errors.data
    assert (error.code, error.line) == (code, number)
    assert error.message
    assert batch.failed_at
    assert batch.output_file_id is batch.error_file_id is None
    assert server.teacher.ledger.billed == 0


def test_a_batch_fails_that_does_not_fit_beside_the_open_ones(serve):
    server = serve(prompt_tokens=10, batch_token_limit=100, batch_seconds=20.0)

    def validated(count):
        batch = submit(server, [line(number) for number in range(count)])
        while batch.status == "validating":
            time.sleep(0.05)
            batch = server.client.batches.retrieve(batch.id)
        return batch

    assert [validated(count).status for count in (6, 4)] == ["in_progress"] * 2
    full = validated(1)
    assert full.status == "failed"
    (error,) = full.errors.data
    assert error.code == "token_limit_exceeded"
    assert "Limit: 100 enqueued tokens" in error.message
    assert server.teacher.ledger.billed == 0


def test_every_bad_line_is_named(serve):
    server = serve()
    batch = ended(server, submit(server, [b"{", line(1), b"}", line(1)]))
    assert [(error.code, error.line) for error in batch.errors.data] == [
        ("invalid_json_line", 1),
        ("invalid_json_line", 3),
        ("duplicate_custom_id", 4),
    ]


def test_a_batch_can_only_be_made_of_what_openai_takes(serve):
    server = serve()
    create = server.client.batches.create
    known = server.client.files.create(file=("a.jsonl", text_of([line(0)])), purpose="batch").id
    sound = {"input_file_id": known, "endpoint": CHAT, "completion_window": "24h"}
    output = ended(server, create(**sound)).output_file_id
    for name, value in (
        ("endpoint", "/v1/embeddings"),
        ("completion_window", "1h"),
        ("input_file_id", "file-unknown"),
        ("input_file_id", output),
    ):
        with pytest.raises(BadRequestError) as refused:
            create(**{**sound, name: value})
        assert refused.value.param == name
    for body in (b"", b"[]", b"{"):
        assert server.post("/v1/batches", body)[0] == 400
    with pytest.raises(NotFoundError):
        server.client.batches.retrieve("batch_unknown")


def test_failed_lines_are_in_the_error_file_with_their_status(serve):
    server = serve(faults={"server_error": 0.4, "unavailable": 0.3, "reset": 0.3}, fault_seed=3)
    wrong = line(99, body={"model": "m", "messages": None})
    batch = ended(server, submit(server, [*(line(n) for n in range(30)), wrong]))
    assert batch.status == "completed"
    output, errors = rows(server, batch.output_file_id), rows(server, batch.error_file_id)
    assert batch.request_counts.completed == len(output) > 0
    assert batch.request_counts.failed == len(errors) > 1
    assert {row["custom_id"] for row in [*output, *errors]} == {
        f"line-{n}" for n in [*range(30), 99]
    }
    # No rate limit and no broken connection can befall a line.
    statuses = [row["response"]["status_code"] for row in errors]
    assert set(statuses) == {400, 500}
    assert statuses.count(400) == 1
    assert all(row["error"] is None and "error" in row["response"]["body"] for row in errors)
    assert server.teacher.ledger.billed == len(output)


@pytest.mark.parametrize("fault", ["refusal", "length", "wrong_schema", "empty", "malformed"])
def test_answers_are_spoilt_as_in_live_calls(serve, fault):
    server = serve(faults={fault: 1.0})
    batch = ended(server, submit(server, [line(2)]))
    (row,) = rows(server, batch.output_file_id)
    live = server.ask(2, prompt="Write JSON.").choices[0]
    (choice,) = row["response"]["body"]["choices"]
    assert choice["message"]["content"] == live.message.content
    assert choice["message"]["content"] != read_recordings()[2].content
    assert choice["finish_reason"] == live.finish_reason


def test_a_batch_whose_lines_all_fail_has_no_output_file(serve):
    server = serve(faults={"server_error": 1.0}, fault_attempts=1)
    lines = [line(n) for n in range(4)]
    batch = ended(server, submit(server, lines))
    assert batch.status == "completed"
    assert batch.output_file_id is None
    assert batch.request_counts.failed == 4
    # Asked again, each line has had its fault.
    again = ended(server, submit(server, lines))
    assert again.error_file_id is None
    assert again.request_counts.completed == 4


def test_an_expired_batch_keeps_what_was_answered(serve):
    server = serve(batch_expire_share=0.3)
    batch = ended(server, submit(server, [line(n) for n in range(10)]))
    assert batch.status == "expired"
    assert batch.expired_at
    assert batch.completed_at is None
    assert len(rows(server, batch.output_file_id)) == 7
    errors = rows(server, batch.error_file_id)
    assert [row["custom_id"] for row in errors] == ["line-7", "line-8", "line-9"]
    assert {row["error"]["code"] for row in errors} == {"batch_expired"}
    assert all(row["response"] is None and row["error"]["message"] for row in errors)
    assert server.teacher.ledger.billed == 7


def test_a_cancelled_batch_keeps_what_was_answered(serve):
    server = serve(batch_seconds=20.0)
    batch = submit(server, [line(n) for n in range(1_000)])
    while batch.request_counts.completed == 0:
        time.sleep(0.01)
        batch = server.client.batches.retrieve(batch.id)
    batch = server.client.batches.cancel(batch.id)
    assert batch.status == "cancelling"
    assert server.client.batches.cancel(batch.id).cancelling_at == batch.cancelling_at
    batch = ended(server, batch)
    assert batch.status == "cancelled"
    assert batch.cancelled_at >= batch.cancelling_at
    output, errors = rows(server, batch.output_file_id), rows(server, batch.error_file_id)
    assert output
    assert {row["error"]["code"] for row in errors} == {"batch_cancelled"}
    assert len(output) + len(errors) == 1_000
    assert server.teacher.ledger.billed == len(output)
    with pytest.raises(ConflictError, match="cancelled"):
        server.client.batches.cancel(batch.id)


def test_batches_are_listed_page_by_page_newest_first(serve):
    server = serve(batch_seconds=DAY)
    made = [submit(server, [line(n)]).id for n in range(5)]
    first = server.client.batches.list(limit=2)
    assert [batch.id for batch in first.data] == made[:2:-1]
    assert first.has_more
    rest = server.client.batches.list(limit=3, after=first.data[-1].id)
    assert [batch.id for batch in rest.data] == made[2::-1]
    assert not rest.has_more
    assert [batch.id for batch in server.client.batches.list(limit=1)] == made[::-1]
    with pytest.raises(BadRequestError, match="batch_unknown"):
        server.client.batches.list(after="batch_unknown")


def test_files_and_batches_survive_a_restart(serve, tmp_path):
    before = serve(state_dir=tmp_path, batch_seconds=DAY)
    batch = submit(before, [line(n) for n in range(4)])
    assert before.client.batches.retrieve(batch.id).status == "validating"
    # The same clock, a server that calls the batch's time over.
    after = serve(state_dir=tmp_path, batch_seconds=0.0)
    found = after.client.batches.retrieve(batch.id)
    assert found.status == "completed"
    assert found.created_at == batch.created_at
    assert len(rows(after, found.output_file_id)) == 4
    last = serve(state_dir=tmp_path, batch_seconds=DAY)
    assert last.client.batches.retrieve(batch.id) == found
    assert rows(last, found.output_file_id) == rows(after, found.output_file_id)
    assert last.teacher.ledger.billed == 0
    assert last.client.files.delete(found.output_file_id).deleted
    again = serve(state_dir=tmp_path)
    with pytest.raises(NotFoundError):
        again.client.files.retrieve(found.output_file_id)


def test_a_restarted_server_remembers_the_faults_of_a_line(serve, tmp_path):
    options = {"faults": {"server_error": 1.0}, "fault_attempts": 1, "state_dir": tmp_path}
    before, lines = serve(**options), [line(n) for n in range(3)]
    assert ended(before, submit(before, lines)).request_counts.failed == 3
    after = serve(**options)
    assert ended(after, submit(after, lines)).request_counts.completed == 3


def test_an_input_file_that_was_deleted_fails_the_batch(serve, tmp_path):
    before = serve(state_dir=tmp_path, batch_seconds=DAY)
    batch = submit(before, [line(0)])
    before.client.files.delete(batch.input_file_id)
    after = serve(state_dir=tmp_path)
    found = after.client.batches.retrieve(batch.id)
    assert found.status == "failed"
    assert found.errors.data[0].code == "file_not_found"


def test_live_calls_are_answered_while_a_large_batch_is(serve):
    server = serve()
    batch = submit(server, [line(n) for n in range(12_000)])
    with ThreadPoolExecutor(1) as pool:
        gathered = pool.submit(server.client.batches.retrieve, batch.id)
        while not server.teacher.ledger.batch_lines_billed:
            time.sleep(0.001)
        assert server.ask(1).choices
        assert not gathered.done()
    output = rows(server, gathered.result().output_file_id)
    assert [row["custom_id"] for row in output] == [f"line-{n}" for n in range(12_000)]
