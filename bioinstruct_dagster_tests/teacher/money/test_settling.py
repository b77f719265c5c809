"""Money over real HTTP: what the store counts is never below the server's bill, nor above the cap.

Sender, probe and batches meet every outcome against the rehearsal server, whose ledger counts what
it billed. At each step, before the server answers, the test looks at what a kill would leave: the
store, and what a fold would make of its journal.
"""

import ast
import asyncio
import json
import random
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from aiohttp import web

import bioinstruct_dagster
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.errors import LostError, RefusedError, TeacherError, UnreachedError
from bioinstruct_dagster.teacher.flow import retries
from bioinstruct_dagster.teacher.money import settling
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.probe_request import probe_request
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire import client
from bioinstruct_dagster.teacher.wire.client import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, live
from bioinstruct_dagster_tests.teacher.sessions import session_of

REFUSALS = ["400", "401", "404", "408", "409", "422", "429", "500", "503"]
GATEWAYS = ["502", "504", "520", "524"]
# What happens to one request, and whether its reservation is presumed for it.
OUTCOMES = {
    "reply": False,
    **dict.fromkeys(REFUSALS, False),
    **dict.fromkeys(GATEWAYS, True),
    "reply without usage": True,
    "no completion": True,
    "reply cut off": True,
    "reset after the body": True,
    "reset before the body": True,
    "timeout": True,
}
BATCH_OUTCOMES = {  # how many of four requests are presumed
    "completed": 0,
    "expired in part": 0,
    "failed validation": 0,
    "lines with 500": 0,
    "lines with 502": 4,
    "lines with 504": 4,
    "lines with 524": 4,
    "lines that timed out": 4,
    "lines without usage": 4,
    "lines that are no completion": 4,
    "an unreadable line": 1,
    "a line of a stranger": 1,
    "a missing line": 1,
    "creation refused": 0,
    "creation limited": 0,
    "creation unavailable": 0,
    "creation answered with 502": 0,
    "creation reset": 0,
    "upload refused": 0,
    "download refused": 0,
}
OPTIONS = {
    "expired in part": {"batch_expire_share": 0.5},
    "failed validation": {"batch_max_lines": 3},
    "lines with 500": {"faults": {"server_error": 1.0}, "fault_attempts": 1},
}


class Watch:
    """Looks at the money, on disk and in every budget, whenever the server is about to answer."""

    def __init__(self, store, budgets: list) -> None:
        self.store, self.budgets = store, budgets
        self.server = None
        self.steps: list[dict[str, int]] = []
        self.known = (None, 0)  # tokens of the store's file, by its time of change

    def look(self, *, in_budgets: bool = True) -> None:
        ledger = self.server.teacher.ledger
        step = {"billed": ledger.prompt_tokens + ledger.completion_tokens}
        step["on disk"] = self.left_by_a_kill()
        if in_budgets and self.budgets:
            [cap] = self.budgets[-1].caps
            step["in the budget"] = cap.spent + cap.reserved
        self.steps.append(step)

    def left_by_a_kill(self) -> int:
        """Tokens that the store would count if the process were killed now."""
        # What was sent first: of a request that is settled meanwhile, the reservation counts.
        sent, replies = (self.lines(ending) for ending in ("*.sent", "*.jsonl"))
        closed = {line.get("reservation_id") for line in replies}
        closed |= {line["released"] for line in sent if "released" in line}
        journalled = sum(
            (line["prompt_tokens"] or 0) + (line["completion_tokens"] or 0) for line in replies
        )
        reserved = {line["reservation_id"]: line["tokens"] for line in sent if "tokens" in line}
        pending = sum(tokens for key, tokens in reserved.items() if key not in closed)
        return self.in_the_store() + journalled + pending

    def lines(self, ending: str) -> list[dict]:
        return [
            json.loads(line)
            for path in sorted(self.store.journal_dir.glob(ending))
            for line in path.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        ]

    def in_the_store(self) -> int:
        if not self.store.path.exists():
            return 0
        changed = self.store.path.stat().st_mtime_ns
        if self.known[0] != changed:
            statement = "select coalesce(sum(tokens), 0)::bigint as n from spend"
            self.known = (changed, self.store.rows(statement)[0]["n"])
        return self.known[1]

    def holds(self, cap: int) -> None:
        """Assert both promises for every step."""
        assert self.steps
        for step in self.steps:
            for place in step.keys() - {"billed"}:
                assert step["billed"] <= step[place] <= cap, (place, self.steps)


@pytest.fixture
def watch(store, monkeypatch):
    """A watch that knows the budgets of all accounts."""
    budgets = []
    for account in (settling.Account, settling.BatchAccount):
        begin = account.__init__

        def noting(self, billing, budget, *more, begin=begin) -> None:
            budgets.append(budget)
            begin(self, billing, budget, *more)

        monkeypatch.setattr(account, "__init__", noting)
    return Watch(store, budgets)


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    """The client gives up soon, and sends again soon."""
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.02)


def error(status, message="No."):
    return web.json_response(
        {"error": {"message": message, "code": None}},
        status=int(status),
        headers={"retry-after-ms": "1"},
    )


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
        if outcome in GATEWAYS:
            return error(outcome)
        if outcome == "reply without usage":
            return web.json_response(json.loads(response.body) | {"usage": None})
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


def nearly_the_most(*requests) -> dict[str, int]:
    """Server options by which an answer costs nearly all that its request reserves."""
    sizes = [size_of(request) for request in requests]
    return {
        "answer_tokens": min(size.most_output for size in sizes),
        "prompt_tokens": min(size.prompt_bytes for size in sizes),
    }


def presumed(store) -> int:
    if not store.path.exists():
        return 0
    return store.rows("select count(*) as n from presumed_spend")[0]["n"]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_sender_counts_what_was_billed(store, requests_of, watch, outcome):
    requests = requests_of(2, teacher="openai", model=MODEL)
    most = [size_of(request).most_tokens for request in requests]
    cap = sum(most) + OUTCOMES[outcome] * max(most)
    around = meeting([outcome], watch.look)
    with live(around, **nearly_the_most(*requests)) as server:
        watch.server = server
        for _ in range(2):
            try:
                server.ask(requests, store, Terms(concurrency=1, max_tokens=cap))
            except TeacherError:
                assert outcome in REFUSALS
            watch.look(in_budgets=False)
    watch.holds(cap)
    assert presumed(store) == OUTCOMES[outcome]
    assert store.rows("select count(*) as n from completions") == [{"n": 2}]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_probe_counts_what_was_billed(store, watch, tmp_path, outcome):
    settings = Settings.of(teacher="openai", teacher_model=MODEL, data_dir=tmp_path / "data")
    first = probe_request(settings, Endpoint("http://127.0.0.1/v1", KEY, rehearsal=False), "text")
    probe = probe_request(settings, Endpoint(None, KEY, rehearsal=False), "json_schema")
    cap = (1 + OUTCOMES[outcome]) * size_of(probe).most_tokens
    around = meeting([outcome], watch.look)
    with live(around, **nearly_the_most(first)) as server:
        watch.server = server
        for _ in range(2):
            try:
                with_dialect(
                    Terms(max_tokens=cap), settings, server.endpoint, store, server.lines.append
                )
            except (TeacherError, BudgetError):
                assert outcome in REFUSALS
            watch.look(in_budgets=False)
    watch.holds(cap)
    assert presumed(store) == OUTCOMES[outcome]


@pytest.mark.parametrize("seed", range(3))
def test_many_at_once_count_what_was_billed(store, requests_of, watch, seed):
    chosen = random.Random(seed)
    script = chosen.choices([name for name in OUTCOMES if name not in {"401", "404"}], k=16)
    requests = requests_of(12, teacher="openai", model=MODEL)
    most = max(size_of(request).most_tokens for request in requests)
    around = meeting(script, lambda: watch.look(in_budgets=False))
    with live(around, **nearly_the_most(*requests)) as server:
        watch.server = server
        for room in (4, 9):
            terms = Terms(concurrency=4, max_tokens=room * most)
            assert "BIOINSTRUCT_MAX_TOKENS is reached" in server.ask(requests, store, terms).stopped
            watch.look(in_budgets=False)
            watch.holds(room * most)
    assert server.billed > 4


def test_a_server_that_is_down_costs_nothing(store, requests_of):
    down = Endpoint("http://127.0.0.1:9/v1", KEY, rehearsal=False)
    with pytest.raises(TeacherError):
        ask(
            session_of(down, store, terms=Terms(max_tokens=10**6), log=lambda _: None),
            requests_of(1),
        )
    assert store.rows("select * from spend") == []


def harmed(entries, outcome):
    """The lines of an output file as the outcome has them."""
    for number, entry in enumerate(entries):
        body = entry["response"]["body"]
        if outcome.startswith("lines with 5"):
            entry["response"] |= {"status_code": int(outcome[-3:]), "body": {"error": {}}}
        elif outcome == "lines that timed out":
            entry |= {"response": None, "error": {"code": "request_timeout"}}
        elif outcome == "lines without usage":
            del body["usage"]
        elif outcome == "lines that are no completion":
            entry["response"]["body"] = {"choices": []}
        elif number == 0 and outcome == "an unreadable line":
            yield b'{"custom_id": "'
            continue
        elif number == 0 and outcome == "a line of a stranger":
            entry["custom_id"] = "of another"
        elif number == 0 and outcome == "a missing line":
            continue
        yield json.dumps(entry).encode()


def batch_meeting(outcome, look):
    """Around a server: the first batch meets the outcome, and later ones are answered."""
    left = ["once"]

    def first(request, method, ending) -> bool:
        met = request.method == method and request.path.endswith(ending)
        return bool(met and left and left.pop())

    async def around(request, handler):
        refusal = {
            "creation refused": ("POST", "/batches", 400),
            "creation limited": ("POST", "/batches", 429),
            "creation unavailable": ("POST", "/batches", 503),
            "upload refused": ("POST", "/files", 400),
            "download refused": ("GET", "/content", 400),
        }.get(outcome)
        if refusal and first(request, *refusal[:2]):
            look()
            return error(refusal[2])
        response = await handler(request)
        look()
        if outcome.startswith("creation") and not refusal and first(request, "POST", "/batches"):
            if outcome == "creation reset":
                request.transport.abort()
            return error(502)
        if "line" in outcome and "500" not in outcome and first(request, "GET", "/content"):
            entries = [json.loads(line) for line in response.body.splitlines()]
            return web.Response(body=b"\n".join(harmed(entries, outcome)) + b"\n")
        return response

    return around


def bring_up_to_date(server) -> None:
    """Have the server work on all batches that it has, also on those that we have given up."""
    listing = Request(  # noqa: S310  # of our own server
        f"{server.endpoint.base_url}/batches", headers={"authorization": f"Bearer {KEY}"}
    )
    urlopen(listing).close()  # noqa: S310  # of our own server


@pytest.mark.parametrize("outcome", BATCH_OUTCOMES)
def test_batches_count_what_was_billed(store, requests_of, watch, monkeypatch, outcome):
    monkeypatch.setattr(batches, "CONFIRMED_WITHIN", timedelta(0))
    requests = requests_of(4, teacher="openai", model=MODEL)
    most = [size_of(request).most_tokens for request in requests]
    cap = sum(most) + BATCH_OUTCOMES[outcome] * max(most)
    around = batch_meeting(outcome, lambda: watch.look(in_budgets=False))
    options = nearly_the_most(*requests) | OPTIONS.get(outcome, {})
    with live(around, **options) as server:
        watch.server = server
        for _ in range(5):
            try:
                tally = server.ask(requests, store, Terms(service="batch", max_tokens=cap))
            except TeacherError:
                tally = None
            watch.look(in_budgets=False)
            if tally and not tally.pending:
                break
        bring_up_to_date(server)
        watch.look(in_budgets=False)
    watch.holds(cap)
    assert presumed(store) == BATCH_OUTCOMES[outcome]
    if outcome != "failed validation":
        assert store.rows("select count(*) as n from completions") == [{"n": 4}]


@pytest.mark.parametrize(
    ("raised", "billed"),
    [
        (UnreachedError("no route"), False),
        (LostError("cut"), True),
        (RuntimeError("ours"), True),
        *((RefusedError(int(status), ""), False) for status in REFUSALS),
        *((RefusedError(int(status), ""), True) for status in GATEWAYS),
    ],
    ids=str,
)
def test_one_rule_says_which_errors_may_be_billed(raised, billed):
    assert settling.may_be_billed(raised) is billed


def test_no_other_module_moves_money():
    package = Path(bioinstruct_dagster.__file__).parent
    steps = {"reserve", "settle", "presume", "release"}
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
