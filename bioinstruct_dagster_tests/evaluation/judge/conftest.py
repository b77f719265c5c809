"""Fixtures of the judge's tests: sessions with servers whose replies a test decides."""

import json
from dataclasses import replace

import pytest

from bioinstruct_dagster.evaluation.judge.rubric import COUNTS
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.answering_servers import reply, serve  # noqa: F401
from bioinstruct_dagster_tests.teacher.sessions import session_of


def items_in(body):
    """The items that a request shows."""
    lines = body["messages"][-1]["content"].split("\n")
    return [json.loads(line) for line in lines if line.startswith('{"number"')]


def graded(*counts, reason="Checked."):
    """The reply of a judge to one answer, with these counts in the order of the rubric."""
    given = dict(zip(COUNTS, counts, strict=True))
    return json.dumps({"grades": [{"number": 1, "reason": reason, **given}]})


def preferred(choice):
    """The reply of a judge to one pair."""
    return json.dumps({"pairs": [{"number": 1, "reason": "", "preferred": choice}]})


@pytest.fixture
def opened(store, serve, reply):  # noqa: F811 - pytest's way to name a fixture
    """A session with a server that says what a function of the request says; and its requests."""
    store.replace({"seed_tasks": []})

    def start(said, *, model="gpt-4.1", **terms):
        async def answer(body):
            content = said(body) if callable(said) else said
            return content if not isinstance(content, str) else reply(content)

        served = serve(answer)
        endpoint = Endpoint(served.url, "k", rehearsal=False)
        usual = {"concurrency": 1, **terms}
        return replace(
            session_of(endpoint, store, terms=Terms(**usual)), model=model
        ), served.bodies

    return start
