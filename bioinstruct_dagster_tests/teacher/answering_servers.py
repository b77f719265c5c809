"""What the generation tests share: real servers whose answers a test decides, and real requests."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.teacher.requests import TeacherRequest

Answer = Callable[[dict[str, Any]], Awaitable[web.Response]]


@dataclass
class Served:
    """A server that is up, and what it was asked."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0

    def asked_seeds(self) -> list[int]:
        """The `seed` of every request that came in, in order."""
        return [body["seed"] for body in self.bodies]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer | web.Application], Served]]:
    """Serve an answering function under OpenAI's path, or a whole application, from a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runners: list[web.AppRunner] = []

    def start(answering: Answer | web.Application) -> Served:
        served = Served()

        @web.middleware
        async def watch(request: web.Request, handler: Any) -> web.StreamResponse:
            served.bodies.append(await request.json())
            served.keys.append(request.headers["authorization"])
            served.in_flight += 1
            served.most_in_flight = max(served.most_in_flight, served.in_flight)
            try:
                return await handler(request)
            finally:
                served.in_flight -= 1

        async def listen() -> None:
            application = answering
            if not isinstance(application, web.Application):
                application = web.Application(client_max_size=64 * 2**20)

                async def handle(request: web.Request) -> web.Response:
                    return await answering(await request.json())

                application.router.add_post("/v1/chat/completions", handle)
            application.middlewares.insert(0, watch)
            runner = web.AppRunner(application, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            runners.append(runner)
            served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"

        asyncio.run_coroutine_threadsafe(listen(), loop).result(60)
        return served

    yield start
    for runner in runners:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(60)
    loop.close()


@pytest.fixture
def reply() -> Callable[..., web.Response]:
    """A chat completion as a compatible server sends it; named parts replace the usual ones."""

    def make(content: str | None = "{}", *, refusal: str | None = None, **parts: Any):
        message = {"role": "assistant", "content": content, "refusal": refusal}
        return web.json_response(
            {
                "id": "c",
                "object": "chat.completion",
                "created": 0,
                "model": "answering-model",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
                **parts,
            },
            headers={"x-request-id": "req-of-the-server"},
        )

    return make


@pytest.fixture
def refuse() -> Callable[..., web.Response]:
    """An error in OpenAI's form. `retry=False` tells the client not to try again."""

    def make(status: int, code: str | None, message: str = "No.", *, retry: bool | None = None):
        headers = {"retry-after-ms": "1"}
        if retry is not None:
            headers["x-should-retry"] = str(retry).lower()
        error = {"message": message, "type": "error", "param": None, "code": code}
        return web.json_response({"error": error}, status=status, headers=headers)

    return make


@pytest.fixture(scope="session")
def shipped_seeds():
    """The seed tasks in git."""
    return read_seed_tasks(INPUTS / "seed_tasks.jsonl")


@pytest.fixture
def series_of(shipped_seeds) -> Callable[..., Series]:
    """The series of requests of a run seed, over the shipped seeds unless others are named."""

    def make(**changed: Any) -> Series:
        usual = {"seeds": shipped_seeds, "run_seed": 42, "tasks_per_request": 5}
        return Series(**{"teacher": "rehearsal", "model": "rehearsal-teacher", **usual, **changed})

    return make


@pytest.fixture
def requests_of(series_of) -> Callable[..., list[TeacherRequest]]:
    """The first requests of a series."""

    def make(count: int, **changed: Any) -> list[TeacherRequest]:
        series = series_of(**changed)
        return [series.request(number) for number in range(count)]

    return make
