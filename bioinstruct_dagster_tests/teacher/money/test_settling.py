"""Money over real HTTP: the store never counts less than the server's bill, nor more than the cap.

Sender and probe meet every outcome against the rehearsal server, whose ledger counts the bill.
"""

import ast
import asyncio
import errno
import json
import random
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

import bioinstruct_dagster
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.journal import CompletionJournal
from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
)
from bioinstruct_dagster.teacher.money import settling
from bioinstruct_dagster.teacher.money.budget import Amount, Budget, BudgetError, Cap
from bioinstruct_dagster.teacher.money.settling import Billing
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.probe_request import probe_request
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.reply import TeacherReply
from bioinstruct_dagster_tests.teacher.money.ledger_watch import (
    BILLED_ERRORS,
    REFUSALS,
    error,
    nearly_the_most,
    presumed,
)
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, live
from bioinstruct_dagster_tests.teacher.sessions import session_of

pytestmark = pytest.mark.usefixtures("no_waits")

# What happens to one request, and whether its reservation is presumed for it.
OUTCOMES = {
    "reply": False,
    **dict.fromkeys(REFUSALS, False),
    **dict.fromkeys(BILLED_ERRORS, True),
    "reply without usage": True,
    "usage of zero": True,
    "no output tokens": True,
    "usage in words": True,
    "thinking apart": False,
    "no completion": True,
    "reply cut off": True,
    "reset after the body": True,
    "reset before the body": True,
    "timeout": True,
}

# The ledger's tokens, as other servers state them.
ODD_USAGES = {
    "reply without usage": lambda _: None,
    "usage of zero": lambda usage: dict.fromkeys(usage, 0),
    "no output tokens": lambda usage: usage | {"completion_tokens": 0},
    "usage in words": str,
    "thinking apart": lambda usage: usage | {"completion_tokens": 1},
}


def meeting(script, look):
    """Around a server: each request meets the next outcome, and later ones are answered."""

    async def around(request, handler):  # noqa: PLR0911  # one way each to answer
        outcome = script.pop(0) if script else "reply"
        if outcome == "reset before the body":
            look()
            request.transport.abort()
            return web.Response()
        if outcome in REFUSALS:
            await request.read()
            look()
            return error(outcome)
        response = await handler(request)  # which bills it
        look()
        if outcome in BILLED_ERRORS:
            return error(outcome)
        if outcome in ODD_USAGES:
            body = json.loads(response.body)
            return web.json_response(body | {"usage": ODD_USAGES[outcome](body["usage"])})
        if outcome == "no completion":
            return web.json_response({"choices": []})
        if outcome == "reply cut off":
            part = web.StreamResponse(headers={"content-length": str(len(response.body))})
            await part.prepare(request)
            await part.write(response.body[:20])
            request.transport.abort()
            return part
        if outcome == "reset after the body":
            request.transport.abort()
        while outcome == "timeout" and request.transport is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        return response

    return around


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_sender_counts_what_was_billed(store, requests_of, watch, outcome):
    requests = requests_of(2, teacher="openai", model=MODEL)
    max_tokens = [size_of(request).max_tokens for request in requests]
    cap = sum(max_tokens) + OUTCOMES[outcome] * max(max_tokens)
    around = meeting([outcome], watch.look)
    with live(around, **nearly_the_most(*requests)) as server:
        watch.server = server
        for _ in range(2):
            try:
                server.ask(requests, store, Terms(concurrency=1, max_tokens=cap))
            except TeacherError:
                assert outcome in REFUSALS + BILLED_ERRORS
            watch.look(in_budgets=False)
    watch.holds(cap)
    assert presumed(store) == OUTCOMES[outcome]
    assert store.rows("select count(*) as n from completions") == [{"n": 2}]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_probe_counts_what_was_billed(store, watch, tmp_path, outcome):
    settings = Settings.of(teacher="openai", teacher_model=MODEL, data_dir=tmp_path / "data")
    first = probe_request(settings, Endpoint("http://127.0.0.1/v1", KEY, rehearsal=False), "text")
    probe = probe_request(settings, Endpoint(None, KEY, rehearsal=False), "json_schema")
    cap = (1 + OUTCOMES[outcome]) * size_of(probe).max_tokens
    around = meeting([outcome], watch.look)
    with live(around, **nearly_the_most(first)) as server:
        watch.server = server
        for _ in range(2):
            try:
                with_dialect(
                    Terms(max_tokens=cap), settings, server.endpoint, store, server.lines.append
                )
            except (TeacherError, BudgetError):
                assert outcome in REFUSALS + BILLED_ERRORS
            watch.look(in_budgets=False)
    watch.holds(cap)
    assert presumed(store) == OUTCOMES[outcome]


@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_count_what_was_billed(store, requests_of, watch, seed):
    chosen = random.Random(seed)
    script = chosen.choices([name for name in OUTCOMES if name not in {"401", "404"}], k=16)
    requests = requests_of(12, teacher="openai", model=MODEL)
    max_tokens = max(size_of(request).max_tokens for request in requests)
    around = meeting(script, lambda: watch.look(in_budgets=False))
    with live(around, **nearly_the_most(*requests)) as server:
        watch.server = server
        for room in (4, 9):
            terms = Terms(concurrency=4, max_tokens=room * max_tokens)
            assert "BIOINSTRUCT_MAX_TOKENS is reached" in server.ask(requests, store, terms).stopped
            watch.look(in_budgets=False)
            watch.holds(room * max_tokens)
    assert server.billed > 4


@pytest.mark.parametrize("disk_is_full", [False, True])
def test_a_reply_frees_nothing_before_it_is_on_disk(store, requests_of, monkeypatch, disk_is_full):
    [request] = requests_of(1, teacher="openai", model=MODEL)
    most = Amount(None, size_of(request).max_tokens)
    budget = Budget([Cap("BIOINSTRUCT_MAX_TOKENS", "tokens", most.tokens)])
    billing = Billing(Endpoint("http://127.0.0.1/v1", KEY, rehearsal=False), price=None)
    reply = TeacherReply(content="Yes.", prompt_tokens=5, completion_tokens=2)

    def full(*_) -> None:
        raise OSError(errno.ENOSPC, "no space")

    async def settle_and_store() -> None:
        async with CompletionJournal(store) as journal:
            account = settling.Account(billing, budget, journal)
            reservation = account.reserve(request, most)
            completion = account.settle(reservation, reply, datetime.now(UTC))
            assert (budget.caps[0].spent, budget.caps[0].remaining()) == (7, 0)
            if disk_is_full:
                monkeypatch.setattr(journal, "_commit", full)
            await account.store(reservation, completion)

    with pytest.raises(OSError, match="no space") if disk_is_full else nullcontext():
        asyncio.run(settle_and_store())
    assert budget.caps[0].remaining() == (0 if disk_is_full else most.tokens - 7)


def test_a_server_that_is_down_costs_nothing(store, requests_of):
    down = Endpoint("http://127.0.0.1:9/v1", KEY, rehearsal=False)
    with pytest.raises(TeacherError):
        ask(
            session_of(down, store, terms=Terms(max_tokens=10**6), log=lambda _: None),
            requests_of(1),
        )
    assert store.rows("select * from spend") == []


@pytest.mark.parametrize(
    ("raised", "billed"),
    [
        (UnreachedServerError("no route"), False),
        (LostReplyError("cut"), True),
        (RuntimeError("ours"), True),
        *((StatusError(int(status), ""), False) for status in REFUSALS),
        *((StatusError(int(status), ""), True) for status in BILLED_ERRORS if " " not in status),
        (StatusError(400, "", "content_filter"), True),
        (StatusError(400, "", "invalid_prompt"), False),
    ],
    ids=str,
)
def test_one_rule_says_which_errors_may_be_billed(raised, billed):
    assert settling.may_be_billed(raised) is billed


def test_no_other_module_moves_money():
    package = Path(bioinstruct_dagster.__file__).parent
    steps = {"reserve", "settle", "spend", "free_rest", "presume", "release"}
    found = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in steps
                and ast.unparse(node.func.value).rpartition(".")[2].strip("_")
                in {"budget", "journal"}
            ):
                found.add(path.relative_to(package).as_posix())
    assert found == {"teacher/money/settling.py"}
