"""Fixtures of the server's tests: servers with own options, each with a client of the SDK."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from openai import OpenAI

from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings


@dataclass
class Server:
    """A running server: its base URL, its teacher, and a client of the SDK."""

    url: str
    teacher: RehearsalTeacher
    client: OpenAI

    def ask(self, seed: int = 0, prompt: str = "Write five tasks as JSON.", **changed: Any) -> Any:
        """Send a generation request through the SDK; it asks for JSON by default."""
        asked = {
            "model": "m",
            "messages": [{"role": "user", "content": prompt}],
            "seed": seed,
            "response_format": {"type": "json_object"},
            **changed,
        }
        return self.client.chat.completions.create(**asked)

    def get(self, path: str) -> Any:
        """The JSON of a path beside the API."""
        return self._send(path, None, {})[2]

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body of a POST, whatever the status."""
        headers = {"content-type": "application/json", **headers}
        return self._send(path, body, headers)

    def _send(
        self, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], Any]:
        url = f"{self.url.removesuffix('/v1')}{path}"
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - the test's own server
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                return answer.status, dict(answer.headers), json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), json.load(error)


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start a server with the given options; all servers end with the test."""
    with ExitStack() as stack:

        def start(*, client_key: str = "rehearsal", **options: Any) -> Server:
            teacher = RehearsalTeacher(read_recordings(), options=ServerOptions(**options))
            url = stack.enter_context(serve_teacher(teacher))
            client = OpenAI(base_url=url, api_key=client_key, max_retries=0, timeout=60)
            return Server(url, teacher, stack.enter_context(client))

        yield start
