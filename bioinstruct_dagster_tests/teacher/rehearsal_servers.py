"""Rehearsal servers as an OpenAI-compatible teacher has them: keyed, watched, and at a price.

Belongs here: what the tests of batches, dialects and services share. Does not: what they assert.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.feeds import ListFeed, Tally
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

KEY = "sk-of-the-tests-0123456789"
MODEL = "gpt-4.1"
BATCH = Terms(service="batch")
Around = Callable[[web.Request, Any], Any]


class Watched(RehearsalTeacher):
    """A rehearsal teacher that keeps count of calls, behind whatever a test puts before it."""

    def __init__(self, options: ServerOptions, around: Around | None) -> None:
        super().__init__(read_recordings(), options=options)
        self.around = around
        self.calls: list[tuple[str, str]] = []

    def application(self) -> web.Application:
        """The application, watched."""
        application = super().application()

        @web.middleware
        async def watch(request: web.Request, handler: Any) -> web.StreamResponse:
            self.calls.append((request.method, request.path))
            if self.around:
                return await self.around(request, handler)
            return await handler(request)

        application.middlewares.append(watch)
        return application


@dataclass
class Live:
    """A server that is up, and an endpoint for it."""

    teacher: Watched
    endpoint: Endpoint
    lines: list[str] = field(default_factory=list)

    @property
    def billed(self) -> int:
        """Answers that were charged for."""
        return self.teacher.ledger.billed

    @property
    def repeated(self) -> int:
        """How often the request was charged for that was charged for most often."""
        return self.teacher.ledger.as_json()["most_billed_of_a_digest"]

    def count(self, method: str, path: str) -> int:
        """How often a path was called."""
        return self.teacher.calls.count((method, f"/v1{path}"))

    def ask(self, requests: Any, store: Store, terms: Terms = BATCH, **more: Any) -> Tally:
        """One round."""
        return ask(
            session_of(self.endpoint, store, log=self.lines.append, terms=terms), requests, **more
        )


@contextmanager
def live(around: Around | None = None, **options: Any) -> Iterator[Live]:
    """A server with these options."""
    teacher = Watched(ServerOptions(**options), around)
    with serve_teacher(teacher) as url:
        yield Live(teacher, Endpoint(url, KEY, rehearsal=False))


def column(store: Store, table: str, name: str) -> list[Any]:
    """A column of a table, in order of its values."""
    return [row["value"] for row in store.rows(f"select {name} as value from {table} order by 1")]


def spent(store: Store) -> dict[str, float]:
    """Dollars by kind of spend."""
    rows = store.rows("select kind, sum(usd) as usd from spend group by kind")
    return {row["kind"]: row["usd"] for row in rows if row["usd"]}


def cost(live: Live, service: str) -> float:
    """What the server's ledger comes to at the price of a service."""
    ledger, price = live.teacher.ledger, price_of(MODEL)
    return price.usd(ledger.prompt_tokens, ledger.completion_tokens, service=service)


__all__ = ["BATCH", "KEY", "MODEL", "ListFeed", "Live", "column", "cost", "live", "spent"]
