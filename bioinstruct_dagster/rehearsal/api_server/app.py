"""The rehearsal teacher: a local stand-in for OpenAI's API that answers with recordings.

The `seed` parameter of a generation request selects the recording, so equal requests get equal
replies. A categorization request gets the recorded labels; an instruction that was not recorded
gets no label.

Belongs here: routes, and the order in which a request is checked. Does not: the text of an answer
(answers), or batches and files (batches, files).
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
from bioinstruct_dagster.rehearsal.api_server.faults import FaultPlan, spoil
from bioinstruct_dagster.rehearsal.api_server.files import Files
from bioinstruct_dagster.rehearsal.api_server.ledger import Ledger
from bioinstruct_dagster.rehearsal.api_server.messages import ApiRequest
from bioinstruct_dagster.rehearsal.api_server.openai_format import (
    CHAT_URL,
    MODEL,
    RESPONSES_URL,
    RequestError,
    answer_tokens,
    error_body,
    parse_body,
    read_request,
    reply_body,
    request_id,
)
from bioinstruct_dagster.rehearsal.api_server.options import (
    BATCH_FAULTS,
    LIMIT_FAULTS,
    STATUS_FAULTS,
    ServerOptions,
)
from bioinstruct_dagster.rehearsal.api_server.rate_limits import RateLimits, retry_headers
from bioinstruct_dagster.rehearsal.api_server.storage import RecordStorage
from bioinstruct_dagster.rehearsal.api_server.transport import deliver, respond
from bioinstruct_dagster.rehearsal.recordings import Recording, read_recordings

__all__ = [
    "CATEGORIZATION_SCHEMA",
    "MODEL",
    "RehearsalTeacher",
    "ServerOptions",
    "serve_recordings",
    "serve_teacher",
    "start_server",
]

_STARTUP_SECONDS = 30
_SHUTDOWN_SECONDS = 0.25  # the most that open replies may delay the end of the server
_CONNECTION_BACKLOG = 4_096  # hundreds of clients connect at the same time
_MAX_BODY_BYTES = 64 * 2**20
_RETRY_MILLISECONDS = 10  # the waiting time that a rate limit fault advises

_QUOTA_BODY = error_body(
    "You exceeded your current quota, please check your plan and billing details. "
    "For more information on this error, read the docs: "
    "https://platform.openai.com/docs/guides/error-codes/api-errors.",
    "insufficient_quota",
    "insufficient_quota",
)
_RATE_LIMIT_BODY = error_body(
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
_NO_KEY_BODY = error_body(
    "You didn't provide an API key. You need to provide your API key in an Authorization header "
    "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    "invalid_request_error",
    None,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RehearsalTeacher:
    """A stand-in for OpenAI's API.

    Args:
        recordings: the replies that it can give.
        latency: seconds that every reply takes. A value other than 0 overrides the options.
        options: its limits, faults, formats and batches.
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
        self._faults = FaultPlan(self.options)
        # Answers that are or will be billed; the quota limits this number.
        self._promised_answers = 0
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
        application = web.Application(client_max_size=_MAX_BODY_BYTES)
        router = application.router
        router.add_get("/v1/models", self._keyed(self._models))
        router.add_post(CHAT_URL, self._keyed(self._completion))
        router.add_post(RESPONSES_URL, self._keyed(self._completion))
        for method, path, handler in (*self._files.routes(), *self._batches.routes()):
            router.add_route(method, path, self._keyed(handler))
        router.add_get("/rehearsal/ledger", self._ledger_reply)
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
            return respond(
                401, _wrong_key_body(given.removeprefix("Bearer ")) if given else _NO_KEY_BODY
            )

        return check

    async def _models(self, _request: web.Request) -> web.StreamResponse:
        model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "rehearsal"}
        return web.json_response({"object": "list", "data": [model]})

    async def _ledger_reply(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(self.ledger.as_json())

    async def _reset(self, _request: web.Request) -> web.StreamResponse:
        """Reset the ledger, limits, faults and quota; files and batches stay."""
        self.ledger.reset()
        self._limits = RateLimits(self.options)
        self._faults.forget()
        self._promised_answers = 0
        return web.json_response(self.ledger.as_json())

    async def _completion(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            api_request = read_request(request.path, parse_body(raw), self.options)
        except RequestError as error:
            self.ledger.errors += 1
            return respond(400, error.body, self._limits.headers())
        digest = hashlib.sha256(raw).hexdigest()
        fault = self._faults.choose(digest)
        answer = spoil(self._answers.answer(api_request), fault, api_request.form)
        tokens = answer_tokens(answer, self.options)
        refused = self._refuse(api_request, digest, fault, tokens)
        if refused is not None:
            self.ledger.refused_429 += 1
            return refused
        self._limits.admit(api_request.prompt_tokens + tokens)
        self._promised_answers += fault not in STATUS_FAULTS
        self.ledger.admit()
        try:
            if self.options.latency:
                await asyncio.sleep(self.options.latency)
            headers = {"x-request-id": request_id(api_request), **self._limits.headers()}
            if fault in STATUS_FAULTS:
                self.ledger.errors += 1
                return respond(STATUS_FAULTS[fault], _STATUS_BODIES[fault], headers)
            self.ledger.bill(digest, api_request.prompt_tokens, tokens)
            return await deliver(
                request,
                json.dumps(reply_body(api_request, answer, tokens)).encode(),
                headers,
                fault=fault,
                slow_seconds=self.options.slow_seconds,
            )
        finally:
            self.ledger.leave()

    def _refuse(
        self, api_request: ApiRequest, digest: str, fault: str | None, tokens: int
    ) -> web.Response | None:
        """The 429 reply that refuses a request, or None. A refused request is not debited."""
        if self._quota_is_used():
            return respond(429, _QUOTA_BODY, self._limits.headers())
        refusal = self._limits.refusal(api_request.prompt_tokens + tokens)
        if refusal:
            return respond(429, refusal.body, {**refusal.headers, **self._limits.headers()})
        # A request that a rate limit refuses is not counted, so that it meets its fault later.
        self._faults.count(digest, fault)
        if fault in LIMIT_FAULTS:
            advice = retry_headers(_RETRY_MILLISECONDS) if fault == "rate_limited" else {}
            return respond(429, _RATE_LIMIT_BODY, {**advice, **self._limits.headers()})
        return None

    def _quota_is_used(self) -> bool:
        quota = self.options.quota_requests
        return quota is not None and self._promised_answers >= quota

    def _answer_line(self, url: str, body: Any) -> BatchLineResult:
        """Answer one line of a batch. No rate limit applies to it."""
        raw = json.dumps(body, ensure_ascii=False, separators=(",", ":"))  # as the SDK sends it
        digest = hashlib.sha256(raw.encode("utf-8", "backslashreplace")).hexdigest()
        identity = f"req_{digest[:32]}"
        try:
            api_request = read_request(url, body, self.options)
        except RequestError as error:
            self.ledger.errors += 1
            return BatchLineResult(400, identity, json.loads(error.body))
        if self._quota_is_used():
            self.ledger.refused_429 += 1
            return BatchLineResult(429, identity, json.loads(_QUOTA_BODY))
        fault = self._faults.choose(digest, among=BATCH_FAULTS)
        self._faults.count(digest, fault)
        if fault in STATUS_FAULTS:
            self.ledger.errors += 1
            return BatchLineResult(
                STATUS_FAULTS[fault], identity, json.loads(_STATUS_BODIES[fault])
            )
        answer = spoil(self._answers.answer(api_request), fault, api_request.form)
        tokens = answer_tokens(answer, self.options)
        self.ledger.bill(digest, api_request.prompt_tokens, tokens)
        self.ledger.batch_lines_billed += 1
        self._promised_answers += 1
        body = reply_body(api_request, answer, tokens)
        return BatchLineResult(
            200, request_id(api_request), body, api_request.prompt_tokens, tokens
        )

    def _keep_fault_counts(self) -> None:
        if self._fault_counts:
            self._faults.save(self._fault_counts)


def _wrong_key_body(given: str) -> bytes:
    # OpenAI's message repeats part of the key too, so a client must redact it in logs.
    return error_body(
        f"Incorrect API key provided: {given[:4]}{'*' * 8}{given[-4:]}. You can find your API key "
        "at https://platform.openai.com/account/api-keys.",
        "invalid_request_error",
        "invalid_api_key",
    )


async def start_server(
    teacher: RehearsalTeacher, host: str, port: int
) -> tuple[web.AppRunner, str]:
    """Serve a teacher from the running event loop.

    Returns:
        The runner that ends the server, and the base URL.

    Raises:
        OSError: the server can't listen at the address.
    """
    runner = web.AppRunner(
        teacher.application(), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=_CONNECTION_BACKLOG).start()
    except BaseException:
        await runner.cleanup()
        raise
    bound_host, bound_port = runner.addresses[0][:2]
    shown = f"[{bound_host}]" if ":" in bound_host else bound_host
    return runner, f"http://{shown}:{bound_port}/v1"


@contextmanager
def serve_recordings(latency: float = 0.0, options: ServerOptions | None = None) -> Iterator[str]:
    """Serve the recordings from a thread, on a free port of 127.0.0.1; yields the base URL."""
    with serve_teacher(RehearsalTeacher(read_recordings(), latency, options)) as base_url:
        yield base_url


@contextmanager
def serve_teacher(teacher: RehearsalTeacher) -> Iterator[str]:
    """Serve this teacher as `serve_recordings` does, so that the caller can read its ledger."""
    started = threading.Event()
    failure: list[BaseException] = []
    address: list[str] = []
    stops: list[Callable[[], object]] = []

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        stops.append(lambda: loop.call_soon_threadsafe(stop.set))
        runner, url = await start_server(teacher, "127.0.0.1", 0)
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
