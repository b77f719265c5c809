"""The Batch endpoints: a batch's state over time, and its output.

A batch's age alone determines its state, so a restarted server continues its batches.

Belongs here: states, counts, output and error files. Does not: answering a line (app), or what
makes an input file valid (batch_input).
"""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bioinstruct_dagster.rehearsal.api_server.batch_input import (
    input_errors,
    input_lines,
    prompt_tokens,
    queue_error,
)
from bioinstruct_dagster.rehearsal.api_server.files import BATCH_PURPOSE, Files
from bioinstruct_dagster.rehearsal.api_server.openai_format import (
    CHAT_URL,
    RESPONSES_URL,
    error_body,
    parse_body,
    usage_of,
)
from bioinstruct_dagster.rehearsal.api_server.options import ServerOptions
from bioinstruct_dagster.rehearsal.api_server.storage import RecordStorage
from bioinstruct_dagster.rehearsal.api_server.transport import respond

COMPLETION_WINDOW = "24h"
_WINDOW_SECONDS = 24 * 3600
# After these shares of its time a batch is validated, and all of its lines are answered.
_VALIDATED_SHARE = 0.05
_ANSWERED_SHARE = 0.95
_CANCEL_SECONDS = 1.0  # the longest cancellation; OpenAI takes up to ten minutes
_LINES_PER_TURN = 100  # after this many lines the server processes waiting requests
_PAGE_SIZE = 20
_MAX_PAGE_SIZE = 100
_UNANSWERED_ERRORS = {
    "expired": (
        "batch_expired",
        "This request could not be executed before the completion window expired.",
    ),
    "cancelled": (
        "batch_cancelled",
        "The batch was cancelled before this request was executed.",
    ),
}


@dataclass(frozen=True)
class BatchLineResult:
    """The result of one line of a batch."""

    status: int
    request_id: str
    body: dict[str, Any]
    prompt_tokens: int = 0
    completion_tokens: int = 0


class RefusedCallError(Exception):
    """A call that OpenAI would refuse, with its status."""

    def __init__(self, status: int, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = error_body(message, "invalid_request_error", None, param)


class Batches:
    """All batches of a server.

    Args:
        options: seconds, expired share and limits of batches.
        storage: where the batches' records are kept.
        files: the input and output files.
        answer: answers one line, given its endpoint and body.
        on_finish: called after a batch's lines are answered, before its output can be read.
    """

    def __init__(
        self,
        options: ServerOptions,
        storage: RecordStorage,
        files: Files,
        answer: Callable[[str, Any], BatchLineResult],
        on_finish: Callable[[], None],
    ) -> None:
        self._options = options
        self._storage = storage
        self._files = files
        self._answer = answer
        self._on_finish = on_finish
        self._lock = asyncio.Lock()  # two calls must not answer one batch twice

    def routes(self) -> list[tuple[str, str, Any]]:
        """Method, path and handler of each endpoint."""
        return [
            (method, path, _with_refusals(handler))
            for method, path, handler in (
                ("POST", "/v1/batches", self._create),
                ("GET", "/v1/batches", self._list),
                ("GET", "/v1/batches/{id}", self._retrieve),
                ("POST", "/v1/batches/{id}/cancel", self._cancel),
            )
        ]

    async def _create(self, request: web.Request) -> Any:
        body = parse_body(await request.read())
        fields = body if isinstance(body, dict) else {}
        if fields.get("endpoint") not in (CHAT_URL, RESPONSES_URL):
            supported = f"['{CHAT_URL}', '{RESPONSES_URL}']"
            raise RefusedCallError(
                400, f"Invalid 'endpoint'. Supported values are {supported}", "endpoint"
            )
        if fields.get("completion_window") != COMPLETION_WINDOW:
            raise RefusedCallError(
                400, f"Invalid 'completion_window': use '{COMPLETION_WINDOW}'", "completion_window"
            )
        file_id = str(fields.get("input_file_id"))
        purpose = self._files.purpose(file_id)
        if purpose is None:
            raise RefusedCallError(400, f"No such File object: {file_id}", "input_file_id")
        if purpose != BATCH_PURPOSE:
            raise RefusedCallError(
                400, f"The file's purpose must be '{BATCH_PURPOSE}'.", "input_file_id"
            )
        now = time.time()
        record: dict[str, Any] = {
            "created": now,
            "cancel": None,
            "lines": None,
            "final": None,
            "batch": {
                "id": f"batch_{uuid.uuid4().hex}",
                "object": "batch",
                "endpoint": fields["endpoint"],
                "input_file_id": file_id,
                "completion_window": COMPLETION_WINDOW,
                "created_at": int(now),
                "expires_at": int(now) + _WINDOW_SECONDS,
                "metadata": fields.get("metadata"),
            },
        }
        self._storage.put(record["batch"]["id"], record)
        return _batch_object(record, {"status": "validating"})

    async def _retrieve(self, request: web.Request) -> Any:
        return await self._advance(self._record(request))

    async def _cancel(self, request: web.Request) -> Any:
        record = self._record(request)
        state = await self._advance(record)
        if record["final"]:
            raise RefusedCallError(409, f"Cannot cancel a batch with status '{state['status']}'.")
        if record["cancel"] is None:
            record["cancel"] = time.time()
            self._storage.put(record["batch"]["id"], record)
        return await self._advance(record)

    async def _list(self, request: web.Request) -> Any:
        try:
            limit = min(max(int(request.query.get("limit", _PAGE_SIZE)), 1), _MAX_PAGE_SIZE)
        except ValueError:
            raise RefusedCallError(400, "Invalid 'limit': not an integer.", "limit") from None
        records = sorted(self._storage.records(), key=lambda record: -record["created"])
        after = request.query.get("after")
        if after is not None:
            ids = [record["batch"]["id"] for record in records]
            if after not in ids:
                raise RefusedCallError(400, f"No batch found with id '{after}'.", "after")
            records = records[ids.index(after) + 1 :]
        data = [await self._advance(record) for record in records[:limit]]
        return {
            "object": "list",
            "data": data,
            "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None,
            "has_more": len(records) > limit,
        }

    def _record(self, request: web.Request) -> dict[str, Any]:
        batch_id = request.match_info["id"]
        record = self._storage.record(batch_id)
        if record is None:
            raise RefusedCallError(404, f"No batch found with id '{batch_id}'.", "id")
        return record

    async def _advance(self, record: dict[str, Any]) -> dict[str, Any]:
        """The present state of the batch; first does all steps that are due."""
        async with self._lock:
            if record["final"]:
                return _batch_object(record, record["final"])
            now = time.time()
            seconds = self._options.batch_seconds
            age = now - record["created"]
            if age < _VALIDATED_SHARE * seconds and record["cancel"] is None:
                return _batch_object(record, {"status": "validating"})
            if record["lines"] is None and not await self._validate(record):
                return _batch_object(record, record["final"])
            if record["cancel"] is not None:
                return await self._cancel_state(record, now)
            if age >= seconds:
                answered = record["lines"] - self._expiring_lines(record["lines"])
                status = "completed" if answered == record["lines"] else "expired"
                return await self._finish(record, answered, status, record["created"] + seconds)
            return self._open_state(record, age)

    async def _validate(self, record: dict[str, Any]) -> bool:
        batch = record["batch"]
        content = self._files.content(batch["input_file_id"])
        if content is None:
            faults = [{"code": "file_not_found", "message": "The input file was deleted."}]
        else:
            # In a thread, because a file of 200 MB would delay other requests by a second.
            faults = await asyncio.to_thread(
                input_errors, content, batch["endpoint"], self._options
            )
            record["lines"] = sum(1 for _ in input_lines(content))
            faults = faults or await self._queue_faults(record, content)
        if faults:
            failed_at = int(record["created"] + _VALIDATED_SHARE * self._options.batch_seconds)
            errors = {"object": "list", "data": faults}
            record["final"] = {"status": "failed", "failed_at": failed_at, "errors": errors}
        self._storage.put(batch["id"], record)
        return not faults

    async def _queue_faults(self, record: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
        """The fault of a batch whose prompts do not fit beside those of the open batches."""
        limit = self._options.batch_token_limit
        if limit is None:
            return []
        model, tokens = await asyncio.to_thread(prompt_tokens, content, self._options)
        over = time.time() - self._options.batch_seconds
        waiting = sum(
            other.get("tokens", 0)
            for other in self._storage.records()
            if other.get("model") == model and not other["final"] and other["created"] > over
        )
        if waiting + tokens > limit:
            return [queue_error(model, limit)]
        record["model"], record["tokens"] = model, tokens
        return []

    def _open_state(self, record: dict[str, Any], age: float) -> dict[str, Any]:
        lines, seconds = record["lines"], self._options.batch_seconds
        state = {"status": "in_progress", **self._start_time(record)}
        state["request_counts"] = _counts(lines, completed=self._answered_lines(lines, age))
        if age >= _ANSWERED_SHARE * seconds and not self._expiring_lines(lines):
            state["status"] = "finalizing"
            state["finalizing_at"] = int(record["created"] + _ANSWERED_SHARE * seconds)
        return _batch_object(record, state)

    async def _cancel_state(self, record: dict[str, Any], now: float) -> dict[str, Any]:
        answered = self._answered_lines(record["lines"], record["cancel"] - record["created"])
        over = record["cancel"] + min(
            _CANCEL_SECONDS, _VALIDATED_SHARE * self._options.batch_seconds
        )
        if now >= over:
            return await self._finish(record, answered, "cancelled", over)
        state = {
            "status": "cancelling",
            "cancelling_at": int(record["cancel"]),
            "request_counts": _counts(record["lines"], completed=answered),
        }
        return _batch_object(record, {**self._start_time(record), **state})

    def _answered_lines(self, lines: int, age: float) -> int:
        """How many lines of a batch of this age are answered."""
        seconds = self._options.batch_seconds
        if not seconds:
            return lines
        share = (age / seconds - _VALIDATED_SHARE) / (_ANSWERED_SHARE - _VALIDATED_SHARE)
        return int(max(0.0, min(1.0, share)) * (lines - self._expiring_lines(lines)))

    def _expiring_lines(self, lines: int) -> int:
        # Rounded down, so that a client which resubmits expired lines comes to an end.
        return int(lines * self._options.batch_expire_share)

    def _start_time(self, record: dict[str, Any]) -> dict[str, Any]:
        return {
            "in_progress_at": int(
                record["created"] + _VALIDATED_SHARE * self._options.batch_seconds
            )
        }

    async def _finish(
        self, record: dict[str, Any], answered: int, status: str, at: float
    ) -> dict[str, Any]:
        """Answer the lines and write the files; after that the batch does not change any more."""
        batch = record["batch"]
        content = self._files.content(batch["input_file_id"]) or b""
        output: list[str] = []
        errors: list[str] = []
        used = [0, 0]
        for position, (_, text) in enumerate(input_lines(content)):
            if position % _LINES_PER_TURN == 0:
                await asyncio.sleep(0)
            line = json.loads(text)
            if position >= answered:
                code, message = _UNANSWERED_ERRORS[status]
                error = {"code": code, "message": message}
                errors.append(_output_line(line["custom_id"], None, error))
                continue
            answer = self._answer(batch["endpoint"], line["body"])
            used[0] += answer.prompt_tokens
            used[1] += answer.completion_tokens
            response = {
                "status_code": answer.status,
                "request_id": answer.request_id,
                "body": answer.body,
            }
            lines = output if answer.status == 200 else errors  # noqa: PLR2004
            lines.append(_output_line(line["custom_id"], response, None))
        self._on_finish()
        record["final"] = {
            **self._start_time(record),
            "status": status,
            "finalizing_at": int(at),
            f"{status}_at": int(at),
            "cancelling_at": record["cancel"] and int(record["cancel"]),
            "output_file_id": self._write_file(batch["id"], "output", output),
            "error_file_id": self._write_file(batch["id"], "error", errors),
            "request_counts": _counts(record["lines"], completed=len(output), failed=len(errors)),
            "usage": usage_of(*used),
        }
        self._storage.put(batch["id"], record)
        return _batch_object(record, record["final"])

    def _write_file(self, batch_id: str, kind: str, lines: list[str]) -> str | None:
        if not lines:
            return None
        content = "".join(f"{line}\n" for line in lines).encode()
        record = self._files.add(content, f"{batch_id}_{kind}.jsonl", "batch_output")
        return str(record["id"])


def _output_line(custom_id: str, response: Any, error: Any) -> str:
    identity = {"id": f"batch_req_{uuid.uuid4().hex}", "custom_id": custom_id}
    return json.dumps({**identity, "response": response, "error": error})


def _batch_object(record: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """The API's batch object. It has every field; a field without a value yet is null."""
    nothing = dict.fromkeys(
        (
            "errors",
            "output_file_id",
            "error_file_id",
            "in_progress_at",
            "finalizing_at",
            "completed_at",
            "failed_at",
            "expired_at",
            "cancelling_at",
            "cancelled_at",
        )
    )
    counts = {"request_counts": _counts(record["lines"] or 0)}
    return {**record["batch"], **nothing, **counts, **state}


def _counts(total: int, *, completed: int = 0, failed: int = 0) -> dict[str, int]:
    return {"total": total, "completed": completed, "failed": failed}


def _with_refusals(handler: Any) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await handler(request))
        except RefusedCallError as error:
            return respond(error.status, error.body)

    return handle
