"""A teacher for the tests of the goal: a real server whose texts depend on a request's seed.

Belongs here: its answers, delays and faults, which depend on the request alone. Does not:
assertions (the test modules).
"""

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PROBE_LIMIT = 64  # no other request has so low a limit
VERBS = ["Explain", "Rank", "List", "Classify", "Extract", "Rewrite", "Summarize", "Compare"]


def tasks_of(number: int, tasks: int = 5, repeats: float = 0.25) -> list[dict[str, str]]:
    """The tasks of a reply; about this share of them repeat earlier tasks."""
    drawn = random.Random(number)
    written = []
    for _ in range(tasks):
        topic = drawn.randrange(7) if drawn.random() < repeats else drawn.randrange(10**9)
        words = " ".join(f"w{topic}x{place}" for place in range(8))
        verb = VERBS[topic % len(VERBS)]
        written.append(
            {"instruction": f"{verb} the finding {words}.", "input": "", "output": f"It is {words}"}
        )
    return written


@dataclass
class Writer:
    """Answers by the request's sampling seed. `contents` gives other answers for single seeds."""

    tasks: int = 5
    repeats: float = 0.25
    delay: float = 0.0  # at most, in seconds
    shuffle: int = 0  # other numbers give other delays
    lost: float = 0.0  # share of first sends that meet a 500
    contents: dict[int, str] = field(default_factory=dict)
    late: set[int] = field(default_factory=set)  # seeds that are answered long after the others
    refused: set[int] = field(default_factory=set)  # seeds that meet a 400, always
    asked: Counter[int] = field(default_factory=Counter)  # answered, by seed
    usage: dict[str, int] = field(
        default_factory=lambda: {
            "prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500
        }
    )  # fmt: skip
    reasoning: int = 0  # tokens that the model reasons before it writes; with effort low a tenth
    bodies: list[dict[str, Any]] = field(default_factory=list)
    _met: Counter[int] = field(default_factory=Counter)

    async def __call__(self, body: dict[str, Any]) -> web.Response:
        """Answer one request."""
        seed = body["seed"]
        limit = body.get("max_completion_tokens", 10**9)
        if limit <= PROBE_LIMIT:  # the probe finds out whether the server heeds a limit
            return self._reply(seed, {"role": "assistant", "content": "{"}, limit, "length")
        drawn = random.Random(seed * 31 + self.shuffle)
        if self.delay:
            await asyncio.sleep(drawn.random() * self.delay)
        if seed in self.late:
            await asyncio.sleep(1)
        self._met[seed] += 1
        if seed in self.refused:
            return _error(400)
        if drawn.random() < self.lost and self._met[seed] == 1:
            return _error(500)
        self.asked[seed] += 1
        self.bodies.append(body)
        reasoned = self.reasoning // (10 if body.get("reasoning_effort") == "low" else 1)
        if reasoned and reasoned + self.usage["completion_tokens"] > limit:
            return self._reply(seed, {"role": "assistant", "content": ""}, limit, "length")
        content = self.contents.get(seed)
        if content is None:
            content = json.dumps({"tasks": tasks_of(seed, self.tasks, self.repeats)})
        message = {"role": "assistant", "content": content, "refusal": None}
        if content == "refuse":
            message |= {"content": None, "refusal": "I can't help with that."}
        return self._reply(seed, message, self.usage["completion_tokens"] + reasoned, "stop")

    def _reply(self, seed: int, message: dict[str, Any], written: int, end: str) -> web.Response:
        choice = {"index": 0, "message": message, "finish_reason": end}
        reply = {"id": "c", "object": "chat.completion", "created": 0, "model": "writer"}
        total = self.usage["prompt_tokens"] + written
        usage = self.usage | {"completion_tokens": written, "total_tokens": total}
        return web.json_response(
            {**reply, "choices": [choice], "usage": usage},
            headers={"x-request-id": f"req-{seed}"},
        )


def _error(status: int) -> web.Response:
    error = {"message": "No.", "type": "error", "param": None, "code": None}
    return web.json_response({"error": error}, status=status, headers={"retry-after-ms": "1"})
