"""Money of batches: the store never counts less than the server's bill, nor more than the cap."""

import json
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.money.ledger_watch import error, nearly_the_most, presumed
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, live

pytestmark = pytest.mark.usefixtures("no_waits")

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


def harmed(entries, outcome):
    """The lines of an output file as the outcome has them."""
    for number, entry in enumerate(entries):
        body = entry["response"]["body"]
        if outcome in {"lines with 502", "lines with 504", "lines with 524"}:
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
    monkeypatch.setattr(batches, "CONFIRMATION_TIME", timedelta(0))
    requests = requests_of(4, teacher="openai", model=MODEL)
    max_tokens = [size_of(request).max_tokens for request in requests]
    cap = sum(max_tokens) + BATCH_OUTCOMES[outcome] * max(max_tokens)
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
