"""Rate limits: which requests are admitted, the headers, and the errors that the SDK raises."""

import json
import random
import re
import socket
import time
from urllib.parse import urlsplit

import pytest
from openai import AuthenticationError, BadRequestError, RateLimitError

from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions
from bioinstruct_dagster.rehearsal.api_server.rate_limits import RateLimits, format_duration


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def admitted(limits: RateLimits, tokens: int = 1) -> bool:
    if limits.refusal(tokens):
        return False
    limits.admit(tokens)
    return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.0120, "12ms"),
        (0.0001, "1ms"),
        (0.9999, "1s"),
        (8.64, "8.64s"),
        (59.9995, "1m0s"),
        (72.5, "1m12.5s"),
        (360, "6m0s"),
        (3_725, "1h2m5s"),
        (7_200, "2h0m0s"),
    ],
)
def test_times_are_written_as_openai_writes_them(seconds, text):
    assert format_duration(seconds) == text


def test_a_burst_is_admitted_at_once_then_the_steady_rate(clock):
    limits = RateLimits(ServerOptions(rpm=600, burst_seconds=2), clock)
    assert [admitted(limits) for _ in range(25)] == [True] * 20 + [False] * 5
    clock.now += 0.1
    assert [admitted(limits) for _ in range(3)] == [True, False, False]
    clock.now += 3_600
    assert [admitted(limits) for _ in range(25)].count(True) == 20


def test_refused_requests_are_not_debited(clock):
    limits = RateLimits(ServerOptions(rpm=60), clock)
    assert admitted(limits)
    for _ in range(1_000):
        assert not admitted(limits)
    clock.now += 1
    assert admitted(limits)


def test_the_hint_is_exactly_when_a_request_is_admitted(clock):
    limits = RateLimits(ServerOptions(rpm=500), clock)
    while admitted(limits):
        pass
    wait = int(limits.refusal(1).headers["retry-after-ms"])
    assert 1 < wait <= 120
    clock.now += (wait - 1) / 1000
    assert not admitted(limits)
    clock.now += 1 / 1000
    assert admitted(limits)


def test_no_order_of_arrival_exceeds_burst_and_rate(clock):
    draw = random.Random(5)
    limits = RateLimits(ServerOptions(tpm=60_000, rpm=600, burst_seconds=1.5), clock)
    start, requests, tokens, largest = clock.now, 0, 0, 0
    for _ in range(20_000):
        clock.now += draw.expovariate(30)
        cost = draw.randrange(1, 3_000)
        if admitted(limits, cost):
            requests, tokens, largest = requests + 1, tokens + cost, max(largest, cost)
    elapsed = clock.now - start
    assert requests <= 10 * (elapsed + 1.5) + 1
    # A request larger than the burst is let in when the bucket is full, and leaves a debt.
    assert tokens <= 1_000 * (elapsed + 1.5) + largest
    assert tokens > 0.9 * 1_000 * elapsed


def test_a_request_larger_than_the_burst_leaves_a_debt(clock):
    limits = RateLimits(ServerOptions(tpm=6_000), clock)
    assert admitted(limits, 900)
    clock.now += 8.99
    assert not admitted(limits, 100)
    clock.now += 0.01 + 1e-6
    assert admitted(limits, 100)


def test_the_headers_report_the_minute_while_the_burst_refuses(clock):
    limits = RateLimits(ServerOptions(rpm=600, tpm=60_000), clock)
    for _ in range(10):
        limits.admit(50)
    assert limits.headers() == {
        "x-ratelimit-limit-requests": "600",
        "x-ratelimit-remaining-requests": "590",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "60000",
        "x-ratelimit-remaining-tokens": "59500",
        "x-ratelimit-reset-tokens": "500ms",
    }
    assert limits.refusal(50)
    clock.now += 1
    assert limits.headers()["x-ratelimit-remaining-requests"] == "600"
    assert limits.headers()["x-ratelimit-reset-tokens"] == "0s"


def test_without_limits_there_are_neither_refusals_nor_headers(serve):
    server = serve()
    body = json.dumps({"messages": [{"role": "user", "content": "Write."}]}).encode()
    answers = [server.post("/v1/chat/completions", body) for _ in range(50)]
    assert {status for status, _, _ in answers} == {200}
    assert not any("ratelimit" in name for _, headers, _ in answers for name in headers)


def test_a_refusal_reads_as_openais(serve):
    server = serve(rpm=1)
    server.ask()
    with pytest.raises(RateLimitError) as refused:
        server.ask(1)
    error, headers = refused.value, refused.value.response.headers
    assert (error.code, error.type) == ("rate_limit_exceeded", "requests")
    hint = re.search(
        r"Limit 1, Used 1, Requested 1\. Please try again in ([\d.ms]+)\. ", str(error)
    )
    assert hint
    assert 0 < int(headers["retry-after-ms"]) <= 60_000
    assert 0 < int(headers["retry-after"]) <= 60
    assert headers["x-ratelimit-limit-requests"] == "1"
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert re.fullmatch(r"\d+\.?\d*m?s|1m0s", headers["x-ratelimit-reset-requests"])
    ledger = server.get("/rehearsal/ledger")
    assert (ledger["admitted"], ledger["billed"], ledger["refused_429"]) == (1, 1, 1)


def test_tokens_of_prompt_and_answer_are_limited(serve):
    server = serve(tpm=2_000, prompt_tokens=600, answer_tokens=900)
    raw = server.client.chat.completions.with_raw_response.create(
        model="m", messages=[{"role": "user", "content": "Write."}]
    )
    assert 500 <= int(raw.headers["x-ratelimit-remaining-tokens"]) < 2_000
    assert raw.headers["x-ratelimit-limit-tokens"] == "2000"
    with pytest.raises(RateLimitError, match=r"tokens per min \(TPM\)") as refused:
        server.ask(1)
    assert refused.value.type == "tokens"


def test_a_request_larger_than_the_limit_is_refused_for_good(serve):
    server = serve(tpm=1_000, prompt_tokens=600, answer_tokens=900)
    with pytest.raises(RateLimitError, match=r"Request too large.*Requested 1500") as refused:
        server.ask()
    assert "retry-after-ms" not in refused.value.response.headers


def test_a_refusal_does_not_wait_for_the_latency(serve):
    server = serve(rpm=1, latency=30.0)
    body = json.dumps({"messages": [{"role": "user", "content": "Write."}]}).encode()
    address = urlsplit(server.url)
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection((address.hostname, address.port)) as first:
        first.sendall(head.encode() + body)
        while not server.teacher.ledger.as_json()["in_flight"]:
            time.sleep(0.001)
        status, _, _ = server.post("/v1/chat/completions", body)
        assert status == 429
        # The first is still being worked on: the second did not wait for its turn.
        assert server.teacher.ledger.as_json()["in_flight"] == 1


def test_every_reply_carries_the_headers(serve):
    server = serve(rpm=600, faults={"server_error": 1.0})
    body = json.dumps({"messages": [{"role": "user", "content": "Write."}]}).encode()
    for sent, expected in ((b"{}", 400), (body, 500)):
        status, headers, _ = server.post("/v1/chat/completions", sent)
        assert status == expected
        assert headers["x-ratelimit-limit-requests"] == "600"


def test_only_the_key_that_is_set_is_accepted(serve):
    server = serve(key="sk-right", client_key="sk-wrong-one")
    with pytest.raises(AuthenticationError) as refused:
        server.ask()
    assert refused.value.code == "invalid_api_key"
    assert "sk-right" not in str(refused.value)
    with pytest.raises(AuthenticationError):
        server.client.batches.list()
    status, _, answer = server.post("/v1/chat/completions", b"{}")
    assert status == 401
    assert "didn't provide an API key" in answer["error"]["message"]
    assert serve(key="sk-right", client_key="sk-right").ask().choices
    assert server.teacher.ledger.errors == 3


def test_the_quota_ends_after_so_many_answers(serve):
    server = serve(quota_requests=3)
    for seed in range(3):
        server.ask(seed)
    for _ in range(2):
        with pytest.raises(RateLimitError) as refused:
            server.ask(9)
        assert (refused.value.code, refused.value.type) == ("insufficient_quota",) * 2
        assert "retry-after-ms" not in refused.value.response.headers
    assert server.teacher.served == 3


def test_what_fails_does_not_use_up_the_quota(serve):
    server = serve(quota_requests=1, faults={"server_error": 1.0}, fault_attempts=2)
    body = b'{"messages": [{"role": "user", "content": "W"}]}'
    statuses = [server.post("/v1/chat/completions", body)[0] for _ in range(4)]
    assert statuses == [500, 500, 200, 429]


def test_a_reset_starts_anew(serve):
    server = serve(rpm=1, quota_requests=1)
    server.ask()
    with pytest.raises(RateLimitError):
        server.ask()
    status, _, ledger = server.post("/rehearsal/reset", b"")
    assert status == 200
    assert (ledger["admitted"], ledger["billed"], ledger["refused_429"]) == (0, 0, 0)
    assert ledger["first_admission"] is None
    assert server.ask().choices


def test_a_malformed_request_is_not_admitted(serve):
    server = serve(formats=frozenset())
    with pytest.raises(BadRequestError):
        server.ask()
    ledger = server.get("/rehearsal/ledger")
    assert (ledger["admitted"], ledger["errors"]) == (0, 1)
