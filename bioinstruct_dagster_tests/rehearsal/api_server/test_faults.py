"""Faults on purpose: the error that the SDK raises, which requests meet it, and the ledger."""

import json
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from openai import APIConnectionError, APIStatusError, APITimeoutError, RateLimitError

from bioinstruct_dagster.rehearsal.api_server.faults import FaultPlan, spoil
from bioinstruct_dagster.rehearsal.api_server.messages import Completion
from bioinstruct_dagster.rehearsal.api_server.options import CONTENT_FAULTS, FAULTS, ServerOptions
from bioinstruct_dagster.rehearsal.recordings import read_recordings

TASKS = {"tasks": [{"instruction": "Define pain.", "input": "", "output": "[See] the text."}]}
ANSWER = Completion(json.dumps(TASKS), None, "stop")
TEXT_ANSWER = Completion(
    "###\n1. Instruction: Define pain.\n1. Input:\n<noinput>\n1. Output:\nHurt.", None, "stop"
)


def always(serve, fault, **options):
    return serve(faults={fault: 1.0}, **options)


def outcomes(server, requests, rounds=1) -> list[str]:
    """What each request met, in the order sent: a status, or `reset`."""
    met = []
    for _ in range(rounds):
        for seed in range(requests):
            try:
                server.ask(seed)
                met.append("200")
            except APIStatusError as error:
                met.append(str(error.status_code))
            except APIConnectionError:
                met.append("reset")
    return met


@pytest.mark.parametrize(("fault", "status"), [("server_error", 500), ("unavailable", 503)])
def test_status_faults_come_in_openais_form_and_cost_nothing(serve, fault, status):
    server = always(serve, fault)
    with pytest.raises(APIStatusError) as failed:
        server.ask()
    assert failed.value.status_code == status
    assert failed.value.type == "server_error"
    ledger = server.get("/rehearsal/ledger")
    assert (ledger["admitted"], ledger["billed"], ledger["errors"]) == (1, 0, 1)


def test_a_rate_limit_fault_has_a_hint_and_a_bare_one_has_none(serve):
    for fault, hinted in (("rate_limited", True), ("rate_limited_bare", False)):
        server = always(serve, fault)
        with pytest.raises(RateLimitError) as refused:
            server.ask()
        headers = refused.value.response.headers
        assert refused.value.code == "rate_limit_exceeded"
        assert ("retry-after-ms" in headers, "retry-after" in headers) == (hinted, hinted)
        ledger = server.get("/rehearsal/ledger")
        assert (ledger["admitted"], ledger["refused_429"]) == (0, 1)


def raw_reply(server, wait=60) -> tuple[bytes, bool]:
    """All bytes that come back for a request, and whether a reset ended them."""
    body = json.dumps({"messages": [{"role": "user", "content": "Write."}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    address = urlsplit(server.url)
    received = b""
    with socket.create_connection((address.hostname, address.port), timeout=wait) as connection:
        connection.sendall(head.encode() + body)
        try:
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionResetError:
            return received, True
        except TimeoutError:
            pass
    return received, False


def test_a_reset_breaks_the_connection_and_is_billed(serve):
    server = always(serve, "reset")
    received, was_reset = raw_reply(server)
    assert was_reset
    head, _, body = received.partition(b"\r\n\r\n")
    announced = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    assert 0 < len(body) < announced
    with pytest.raises(APIConnectionError):
        server.ask()
    ledger = server.get("/rehearsal/ledger")
    assert (ledger["admitted"], ledger["billed"]) == (2, 2)
    assert ledger["completion_tokens"] > 0
    assert ledger["in_flight"] == 0


def test_a_slow_reply_exceeds_a_short_timeout_and_ends_whole(serve):
    server = always(serve, "slow", slow_seconds=60.0)
    with pytest.raises(APITimeoutError):
        server.client.with_options(timeout=2.0).chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Write."}]
        )
    assert server.teacher.ledger.billed == 1
    patient = always(serve, "slow", slow_seconds=0.1)
    assert patient.ask(2).choices[0].message.content == read_recordings()[2].content


def test_truncated_json_is_a_success_whose_body_is_none(serve):
    server = always(serve, "truncated_json")
    body = json.dumps({"messages": [{"role": "user", "content": "Write."}]}).encode()
    with pytest.raises(json.JSONDecodeError):
        server.post("/v1/chat/completions", body)
    assert server.teacher.ledger.billed == 1


def test_a_refusal_has_no_content(serve):
    (choice,) = always(serve, "refusal").ask().choices
    assert choice.message.content is None
    assert choice.message.refusal
    assert choice.finish_reason == "stop"


def test_a_spoilt_answer_shows_its_fault_and_no_other(serve):
    recorded = [recording.content for recording in read_recordings()[:4]]
    spoilt = {
        fault: [always(serve, fault).ask(seed).choices[0] for seed in range(4)]
        for fault in ("length", "wrong_schema", "empty")
    }
    for choice, content in zip(spoilt["length"], recorded, strict=True):
        assert choice.finish_reason == "length"
        assert 0 < len(choice.message.content) < len(content)
        assert content.startswith(choice.message.content)
    for choice in spoilt["wrong_schema"]:
        assert choice.finish_reason == "stop"
        assert "tasks" not in json.loads(choice.message.content)
    assert {choice.message.content for choice in spoilt["empty"]} == {""}


def test_spoilt_text_is_spoilt_as_text():
    spoilt = {name: spoil(TEXT_ANSWER, name, "text") for name in CONTENT_FAULTS}
    assert spoilt["wrong_schema"].content.startswith("###\n1. Question: ")
    assert "Output:" not in spoilt["malformed"].content
    assert TEXT_ANSWER.content.startswith(spoilt["length"].content)
    assert spoilt["length"].finish_reason == "length"
    assert spoil(TEXT_ANSWER, "slow", "text") is TEXT_ANSWER


def test_no_malformed_answer_is_json():
    contents = [ANSWER.content, "", *(r.content for r in read_recordings())]
    for content in contents:
        spoilt = spoil(Completion(content, None, "stop"), "malformed", "json_object").content
        assert spoilt != content
        with pytest.raises(ValueError, match=r"Expecting|Invalid|Extra|Unterminated"):
            json.loads(spoilt)


def test_faults_do_not_depend_on_the_order_of_requests(serve):
    faults = {"server_error": 0.3, "reset": 0.2}
    one, other = serve(faults=faults), serve(faults=faults)
    first = outcomes(one, 40)
    met = dict.fromkeys(range(40))
    for seed in reversed(range(40)):
        try:
            other.ask(seed)
            met[seed] = "200"
        except APIStatusError as error:
            met[seed] = str(error.status_code)
        except APIConnectionError:
            met[seed] = "reset"
    assert list(met.values()) == first
    assert set(first) == {"200", "500", "reset"}


def test_another_seed_faults_other_requests(serve):
    faults = {"server_error": 0.5}
    assert outcomes(serve(faults=faults), 40) != outcomes(serve(faults=faults, fault_seed=1), 40)


def test_a_request_is_faulted_no_oftener_than_told(serve):
    server = serve(faults={"server_error": 1.0}, fault_attempts=2)
    assert outcomes(server, 5, rounds=4) == ["500"] * 10 + ["200"] * 10


def test_a_request_that_passes_has_used_up_no_fault():
    faults = FaultPlan(ServerOptions(faults={"reset": 0.5}, fault_attempts=2))
    met = dict.fromkeys(range(200), 0)
    for _ in range(30):
        for number in met:
            fault = faults.choose(f"digest-{number}")
            faults.count(f"digest-{number}", fault)
            met[number] += fault is not None
    assert set(met.values()) == {2}


def test_a_rate_limited_request_meets_its_fault_later(serve):
    server = serve(rpm=1, faults={"server_error": 1.0}, fault_attempts=1)
    assert outcomes(server, 3) == ["500", "429", "429"]
    limitless = serve(faults={"server_error": 1.0}, fault_attempts=1)
    assert outcomes(limitless, 3, rounds=2) == ["500"] * 3 + ["200"] * 3


def test_the_shares_are_met(serve):
    shares = dict.fromkeys(FAULTS, 0.05)
    faults = FaultPlan(ServerOptions(faults=shares))
    chosen = [faults.choose(f"digest-{n}") for n in range(20_000)]
    for name in FAULTS:
        assert chosen.count(name) == pytest.approx(1_000, rel=0.15)
    assert chosen.count(None) == pytest.approx(20_000 * (1 - 0.05 * len(FAULTS)), rel=0.05)


def test_faults_a_reset_forgets_come_again(serve):
    server = serve(faults={"server_error": 1.0}, fault_attempts=1)
    assert outcomes(server, 1, rounds=2) == ["500", "200"]
    server.post("/rehearsal/reset", b"")
    assert outcomes(server, 1, rounds=2) == ["500", "200"]


def test_the_ledger_counts_what_each_request_was_billed(serve):
    server = serve(prompt_tokens=10, answer_tokens=3)
    for seed in (1, 2, 2, 2):
        server.ask(seed)
    ledger = server.get("/rehearsal/ledger")
    assert (ledger["billed"], ledger["billed_digests"]) == (4, 2)
    assert ledger["most_billed_of_a_digest"] == 3
    assert (ledger["prompt_tokens"], ledger["completion_tokens"]) == (40, 12)
    assert ledger["first_admission"] < ledger["last_admission"]
    assert ledger["most_in_flight"] == 1


def test_the_ledger_counts_the_most_requests_in_flight(serve):
    server = serve(latency=600.0)
    body = b'{"messages": [{"role": "user", "content": "Write."}]}'
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    address = urlsplit(server.url)
    with ExitStack() as stack:
        for _ in range(5):
            connection = socket.create_connection((address.hostname, address.port))
            stack.enter_context(connection).sendall(head.encode() + body)
        while server.get("/rehearsal/ledger")["in_flight"] < 5:
            time.sleep(0.01)
        assert server.teacher.ledger.most_in_flight == 5
