"""A batch whose creation goes wrong: adopted, waited for or given up, and never repeated."""

from datetime import timedelta

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, column, live, spent

DAY = 86_400.0


@pytest.fixture
def asked(requests_of):
    """Requests to a teacher with a price."""
    return lambda count: requests_of(count, teacher="openai", model=MODEL)


def state(store) -> list[str]:
    return column(store, "batches", "state")


def _refusing_once(status, message):
    """Around a server: the first creation of a batch is refused."""
    refusing = [True]

    async def around(request, handler):
        if _creating(request) and refusing:
            refusing.pop()
            return web.json_response({"error": {"message": message}}, status=status)
        return await handler(request)

    return around


def _creating(request: web.Request) -> bool:
    return (request.method, request.path) == ("POST", "/v1/batches")


@pytest.mark.parametrize("lost", ["500", "reset"])
def test_a_creation_with_a_lost_answer_is_not_repeated(store, asked, lost):
    async def around(request, handler):
        response = await handler(request)
        if not _creating(request):
            return response
        if lost == "reset":
            request.transport.abort()
        return web.json_response({"error": {"message": "Bad gateway"}}, status=502)

    with live(around) as server:
        with pytest.raises(TeacherError, match="The Batch API at"):
            server.ask(asked(4), store)
        assert server.count("POST", "/batches") == 1
        assert state(store) == ["submitting"]
        tally = server.ask(asked(4), store)
        assert (tally.asked, tally.pending) == (4, 0)
        assert (server.billed, server.repeated, server.count("POST", "/batches")) == (4, 1, 1)


def test_a_creation_that_shows_late_is_waited_for(store, asked):
    hidden = [True]

    async def around(request, handler):
        response = await handler(request)
        if _creating(request):
            return web.json_response({"error": {"message": "Timed out"}}, status=504)
        if hidden[0] and request.path == "/v1/batches":
            return web.json_response({"object": "list", "data": [], "has_more": False})
        return response

    with live(around) as server:
        with pytest.raises(TeacherError):
            server.ask(asked(3), store)
        assert server.ask(asked(3), store).pending == 3
        [found] = batches.poll(server.endpoint, store)
        assert (found.status, found.ended) == ("unconfirmed", False)
        hidden[0] = False
        assert server.ask(asked(3), store).asked == 3
        assert (server.billed, server.repeated) == (3, 1)


def test_a_creation_that_never_shows_is_given_up_in_the_end(store, asked, monkeypatch):
    with live(_refusing_once(503, "Down")) as server:
        with pytest.raises(TeacherError):
            server.ask(asked(3), store)
        monkeypatch.setattr(batches, "CONFIRMATION_TIME", timedelta(0))
        assert server.ask(asked(3), store).pending == 3
        assert sorted(state(store)) == ["failed", "open"]
        assert server.ask(asked(3), store).asked == 3
        assert server.repeated == 1


def test_a_creation_that_is_refused_is_closed_at_once(store, asked):
    with live(_refusing_once(400, "No such window")) as server:
        with pytest.raises(TeacherError, match="No such window"):
            server.ask(asked(3), store)
        assert (state(store), spent(store)) == (["failed"], {})
        assert server.ask(asked(3), store).pending == 3


def test_a_batch_is_found_on_a_later_page_of_the_list(store, asked, monkeypatch):
    from openai import OpenAI

    async def around(request, handler):
        response = await handler(request)
        if _creating(request) and not done:
            return web.json_response({"error": {"message": "Bad gateway"}}, status=502)
        return response

    done: list[bool] = []
    monkeypatch.setattr(batches, "PAGE_SIZE", 2)
    with live(around, batch_seconds=DAY) as server:
        with pytest.raises(TeacherError):
            server.ask(asked(2), store)
        done.append(True)
        with OpenAI(api_key=KEY, base_url=server.endpoint.base_url) as client:
            other = client.files.create(file=("x.jsonl", b"{}"), purpose="batch").id
            for _ in range(5):
                client.batches.create(
                    input_file_id=other, endpoint="/v1/responses", completion_window="24h"
                )
        assert server.ask(asked(2), store).pending == 2
        assert state(store) == ["open"]
        assert server.count("POST", "/batches") == 6
