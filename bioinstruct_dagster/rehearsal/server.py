"""The rehearsal teacher: a local server of recorded completions, in the OpenAI wire format.

A generation request gets the recording that its `seed` parameter points to, so that the same
request always gets the same reply; a categorization request gets the recorded labels, and no label
for an instruction it never saw. Belongs here: the wire. Does not: what a client asks, or what it
makes of the answer.
"""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiohttp import web

from bioinstruct_dagster.rehearsal import FINGERPRINT
from bioinstruct_dagster.rehearsal.recordings import (
    Recording,
    normalized,
    read_recordings,
    recorded_labels,
)

MODEL = "rehearsal-teacher"
# The response format's name tells the two kinds of request apart.
CATEGORIZATION_SCHEMA = "category_labels"
_STARTUP_SECONDS = 30


class RehearsalTeacher:
    """Answers of the rehearsal teacher.

    Args:
        recordings: what it knows.
        latency: seconds every reply takes; a kill test needs requests in flight.
    """

    def __init__(self, recordings: Sequence[Recording], latency: float = 0.0) -> None:
        self._recordings = recordings
        self._labels = recorded_labels(recordings)
        self._latency = latency
        self.served = 0

    def application(self) -> web.Application:
        """The aiohttp application, ready to be served."""
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_get("/v1/models", self._models)
        application.router.add_post("/v1/chat/completions", self._chat_completion)
        return application

    async def _models(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "rehearsal"}]}
        )

    async def _chat_completion(self, request: web.Request) -> web.Response:
        try:
            asked = await request.json()
            prompt = "\n".join(message["content"] for message in asked["messages"])
            last = asked["messages"][-1]["content"]
            number = int(asked.get("seed") or 0)
            schema = ((asked.get("response_format") or {}).get("json_schema") or {}).get("name")
        except (ValueError, LookupError, TypeError, AttributeError):
            return _error(
                400, "invalid_request_error", "The body is not a chat completion request."
            )
        await asyncio.sleep(self._latency)
        if schema == CATEGORIZATION_SCHEMA:
            message, finish_reason = self._label(last), "stop"
        else:
            recording = self._recordings[number % len(self._recordings)]
            message = {
                "role": "assistant",
                "content": recording.content,
                "refusal": recording.refusal,
            }
            finish_reason = recording.finish_reason
        self.served += 1
        digest = hashlib.sha256(prompt.encode("utf-8", "backslashreplace")).hexdigest()
        prompt_tokens, completion_tokens = _tokens(prompt), _tokens(message["content"] or "")
        return web.json_response(
            {
                "id": f"chatcmpl-{digest[:24]}",
                "object": "chat.completion",
                "created": int(time.time()),
                "model": MODEL,
                "system_fingerprint": FINGERPRINT,
                "choices": [
                    {
                        "index": 0,
                        "message": message,
                        "finish_reason": finish_reason,
                        "logprobs": None,
                    }
                ],
                "usage": {
                    "prompt_tokens": prompt_tokens,
                    "completion_tokens": completion_tokens,
                    "total_tokens": prompt_tokens + completion_tokens,
                },
            },
            headers={"x-request-id": f"req_{digest[:32]}"},
        )

    def _label(self, content: str) -> dict[str, Any]:
        labels = []
        for line in content.split("\n"):
            try:
                item = json.loads(line)
                number, instruction = item["number"], item["instruction"]
            except (ValueError, KeyError, TypeError):
                continue  # the prompt's prose
            category = self._labels.get(normalized(instruction))
            if category:
                labels.append({"number": number, "category": category})
        return {"role": "assistant", "content": json.dumps({"labels": labels}), "refusal": None}


@contextmanager
def serving(latency: float = 0.0) -> Iterator[str]:
    """Serve the recordings on a free port of 127.0.0.1 from a thread; yields the base URL."""
    teacher = RehearsalTeacher(read_recordings(), latency)
    started = threading.Event()
    failure: list[BaseException] = []
    address: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(teacher.application(), access_log=None)
        try:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            address.append(f"http://{host}:{port}/v1")
            started.set()
            await stop.wait()
        except BaseException as error:
            failure.append(error)
            started.set()
            raise
        finally:
            await runner.cleanup()

    thread = threading.Thread(
        target=lambda: loop.run_until_complete(serve()), name="rehearsal-teacher", daemon=True
    )
    thread.start()
    if not started.wait(_STARTUP_SECONDS) or failure:
        cause = failure[0] if failure else None
        raise RuntimeError("The rehearsal teacher could not be started.") from cause
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_STARTUP_SECONDS)
        loop.close()


def _tokens(text: str) -> int:
    # Four characters a token is OpenAI's rule of thumb for English; a rehearsal costs nothing.
    return -(-len(text) // 4)


def _error(status: int, kind: str, message: str) -> web.Response:
    return web.json_response(
        {"error": {"message": message, "type": kind, "param": None, "code": None}}, status=status
    )
