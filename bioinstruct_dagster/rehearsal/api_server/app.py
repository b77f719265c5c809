"""The rehearsal teacher: a local stand-in for OpenAI's API that answers with recordings.

A generation request gets the recording that its `seed` parameter points to, so that the same
request always gets the same reply; a categorization request gets the recorded labels, and no label
for an instruction it never saw. Belongs here: routes, and the order in which a request is checked.
Does not: what a client asks, or what it makes of the answer.
"""

import asyncio
import hashlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server.answers import (
    CATEGORIZATION_SCHEMA,
    RecordedCompletions,
)
from bioinstruct_dagster.rehearsal.api_server.batches import Batches, BatchLineResult
from bioinstruct_dagster.rehearsal.api_server.faults import Faults, spoil
from bioinstruct_dagster.rehearsal.api_server.files import Files
from bioinstruct_dagster.rehearsal.api_server.ledger import Ledger
from bioinstruct_dagster.rehearsal.api_server.messages import ApiRequest
from bioinstruct_dagster.rehearsal.api_server.openai_format import (
    CHAT_URL,
    MODEL,
    RESPONSES_URL,
    RequestError,
    answer_tokens,
    decoded,
    error_body,
    read_request,
    reply,
    request_id,
)
from bioinstruct_dagster.rehearsal.api_server.options import (
    BATCH_FAULTS,
    LIMIT_FAULTS,
    STATUS_FAULTS,
    ServerOptions,
)
from bioinstruct_dagster.rehearsal.api_server.rate_limits import RateLimits, hints
from bioinstruct_dagster.rehearsal.api_server.storage import RecordStorage
from bioinstruct_dagster.rehearsal.api_server.transport import deliver, respond
from bioinstruct_dagster.rehearsal.recordings import Recording, read_recordings

__all__ = [
    "CATEGORIZATION_SCHEMA",
    "MODEL",
    "RehearsalTeacher",
    "ServerOptions",
    "running",
    "serving",
    "start",
]

_STARTUP_SECONDS = 30
_SHUTDOWN_SECONDS = 0.25  # replies still on their way at the end; a latency must not hold it up
_BACKLOG = 4_096  # clients connect by the hundred at once
_MAX_BODY = 64 * 2**20
_RETRY_MILLISECONDS = 10  # what a rate limit made up as a fault advises

_QUOTA = error_body(
    "You exceeded your current quota, please check your plan and billing details. "
    "For more information on this error, read the docs: "
    "https://platform.openai.com/docs/guides/error-codes/api-errors.",
    "insufficient_quota",
    "insufficient_quota",
)
_RATE_LIMITED = error_body(
    f"Rate limit reached for {MODEL}. Please try again in {_RETRY_MILLISECONDS}ms.",
    "requests",
    "rate_limit_exceeded",
)
_STATUS_BODIES = {
    "server_error": error_body(
        "The server had an error while processing your request. Sorry about that!",
        "server_error",
        None,
    ),
    "unavailable": error_body(
        "The engine is currently overloaded, please try again later.", "server_error", None
    ),
}
_NO_KEY = error_body(
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    "invalid_request_error",
    None,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RehearsalTeacher:
    """A stand-in for OpenAI's API.

    Args:
        recordings: what it knows.
        latency: seconds every reply takes; a kill test needs requests in flight.
        options: how else it behaves; a latency other than 0 overrides theirs.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        latency: float = 0.0,
        options: ServerOptions | None = None,
    ) -> None:
        options = options or ServerOptions()
        self.options = replace(options, latency=latency) if latency else options
        self.ledger = Ledger()
        self._answers = RecordedCompletions(recordings)
        self._limits = RateLimits(self.options)
        self._faults = Faults(self.options)
        self._promised = 0  # answers that are or will be billed: what a quota counts
        folder = self.options.state_dir
        self._files = Files(RecordStorage(folder and folder / "files"))
        self._batches = Batches(
            self.options,
            RecordStorage(folder and folder / "batches"),
            self._files,
            self._answer_line,
            self._keep_fault_counts,
        )
        self._fault_counts = folder and folder / "faults.json"
        if self._fault_counts:
            self._faults.load(self._fault_counts)

    @property
    def served(self) -> int:
        """Answers given since the start or the last reset."""
        return self.ledger.billed

    def application(self) -> web.Application:
        """The aiohttp application, ready to be served."""
        application = web.Application(client_max_size=_MAX_BODY)
        router = application.router
        router.add_get("/v1/models", self._keyed(self._models))
        router.add_post(CHAT_URL, self._keyed(self._completion))
        router.add_post(RESPONSES_URL, self._keyed(self._completion))
        for method, path, handler in (*self._files.routes(), *self._batches.routes()):
            router.add_route(method, path, self._keyed(handler))
        router.add_get("/rehearsal/ledger", self._show_ledger)
        router.add_post("/rehearsal/reset", self._reset)
        return application

    def _keyed(self, handler: Handler) -> Handler:
        if self.options.key is None:
            return handler
        expected = f"Bearer {self.options.key}"

        async def check(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("authorization", "")
            if given == expected:
                return await handler(request)
            self.ledger.errors += 1
            return respond(401, _wrong_key(given.removeprefix("Bearer ")) if given else _NO_KEY)

        return check

    async def _models(self, _request: web.Request) -> web.StreamResponse:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "rehearsal"}
        return web.json_response({"object": "list", "data": [model]})

    async def _show_ledger(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.ledger.as_json())

    async def _reset(self, _request: web.Request) -> web.StreamResponse:
        """Start anew as to ledger, limits, faults and quota; files and batches stay."""
        self.ledger.reset()
        self._limits = RateLimits(self.options)
        self._faults.forget()
        self._promised = 0
        return web.json_response(self.ledger.as_json())

    async def _completion(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            asked = read_request(request.path, decoded(raw), self.options)
        except RequestError as error:
            self.ledger.errors += 1
            return respond(400, error.body, self._limits.headers())
        digest = hashlib.sha256(raw).hexdigest()
        fault = self._faults.choose(digest)
        answer = spoil(self._answers.to(asked), fault, asked.form)
        tokens = answer_tokens(answer, self.options)
        refused = self._refuse(asked, digest, fault, tokens)
        if refused is not None:
            self.ledger.refused_429 += 1
            return refused
        self._limits.admit(asked.prompt_tokens + tokens)
        self._promised += fault not in STATUS_FAULTS
        self.ledger.admit()
        try:
            if self.options.latency:
                await asyncio.sleep(self.options.latency)
            headers = {"x-request-id": request_id(asked), **self._limits.headers()}
            if fault in STATUS_FAULTS:
                self.ledger.errors += 1
                return respond(STATUS_FAULTS[fault], _STATUS_BODIES[fault], headers)
            self.ledger.bill(digest, asked.prompt_tokens, tokens)
            return await deliver(
                request,
                json.dumps(reply(asked, answer, tokens)).encode(),
                headers,
                fault=fault,
                slow_seconds=self.options.slow_seconds,
            )
        finally:
            self.ledger.leave()

    def _refuse(
        self, asked: ApiRequest, digest: str, fault: str | None, tokens: int
    ) -> web.Response | None:
        """The 429 that turns a request away, or None. What it turns away is not debited."""
        if self._quota_is_used():
            return respond(429, _QUOTA, self._limits.headers())
        refusal = self._limits.refusal(asked.prompt_tokens + tokens)
        if refusal:
            return respond(429, refusal.body, {**refusal.headers, **self._limits.headers()})
        # Counted only here: a request turned away by its timing must meet the same fault later.
        self._faults.count(digest, fault)
        if fault in LIMIT_FAULTS:
            advice = hints(_RETRY_MILLISECONDS) if fault == "rate_limited" else {}
            return respond(429, _RATE_LIMITED, {**advice, **self._limits.headers()})
        return None

    def _quota_is_used(self) -> bool:
        quota = self.options.quota_requests
        return quota is not None and self._promised >= quota

    def _answer_line(self, url: str, body: Any) -> BatchLineResult:
        """Answer one line of a batch, which no rate limit holds up."""
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"))  # as the SDK sends it
        digest = hashlib.sha256(raw.encode("utf-8", "backslashreplace")).hexdigest()
        identity = f"req_{digest[:32]}"
        try:
            asked = read_request(url, body, self.options)
        except RequestError as error:
            self.ledger.errors += 1
            return BatchLineResult(400, identity, json.loads(error.body))
        if self._quota_is_used():
            self.ledger.refused_429 += 1
            return BatchLineResult(429, identity, json.loads(_QUOTA))
        fault = self._faults.choose(digest, among=BATCH_FAULTS)
        self._faults.count(digest, fault)
        if fault in STATUS_FAULTS:
            self.ledger.errors += 1
            return BatchLineResult(
                STATUS_FAULTS[fault], identity, json.loads(_STATUS_BODIES[fault])
            )
        answer = spoil(self._answers.to(asked), fault, asked.form)
        tokens = answer_tokens(answer, self.options)
        self.ledger.bill(digest, asked.prompt_tokens, tokens)
        self.ledger.batch_lines_billed += 1
        self._promised += 1
        body = reply(asked, answer, tokens)
        return BatchLineResult(200, request_id(asked), body, asked.prompt_tokens, tokens)

    def _keep_fault_counts(self) -> None:
        if self._fault_counts:
            self._faults.save(self._fault_counts)


def _wrong_key(given: str) -> bytes:
    # OpenAI's message repeats part of the key, so a client that shows messages must beware.
    return error_body(
        f"Incorrect API key provided: {given[:4]}{'*' * 8}{given[-4:]}. You can find your API key "
        "at https://platform.openai.com/account/api-keys.",
        "invalid_request_error",
        "invalid_api_key",
    )


async def start(teacher: RehearsalTeacher, host: str, port: int) -> tuple[web.AppRunner, str]:
    """Serve a teacher from the running loop; the runner that ends it, and the base URL.

    Raises:
        OSError: the address can't be had.
    """
    runner = web.AppRunner(
        teacher.application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=_BACKLOG).start()
    except BaseException:
        await runner.cleanup()
        raise
    bound_host, bound_port = runner.addresses[0][:2]
    shown = f"[{bound_host}]" if ":" in bound_host else bound_host
    return runner, f"http://{shown}:{bound_port}/v1"


@contextmanager
def serving(latency: float = 0.0, options: ServerOptions | None = None) -> Iterator[str]:
    """Serve the recordings on a free port of 127.0.0.1 from a thread; yields the base URL."""
    with running(RehearsalTeacher(read_recordings(), latency, options)) as base_url:
        yield base_url


@contextmanager
def running(teacher: RehearsalTeacher) -> Iterator[str]:
    """Serve a teacher as `serving` does; its ledger can be read directly."""
    started = threading.Event()
    failure: list[BaseException] = []
    address: list[str] = []
    stops: list[Callable[[], object]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        runner, url = await start(teacher, "127.0.0.1", 0)
        address.append(url)
        started.set()
        try:
            await stop.wait()
        finally:
            await runner.cleanup()

    def work() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            failure.append(error)
            started.set()
            raise

    thread = threading.Thread(target=work, name="rehearsal-teacher", daemon=True)
    thread.start()
    if not started.wait(_STARTUP_SECONDS) or failure:
        cause = failure[0] if failure else None
        raise RuntimeError("The rehearsal teacher could not be started.") from cause
    try:
        yield address[0]
    finally:
        stops[0]()
        thread.join(_STARTUP_SECONDS)
