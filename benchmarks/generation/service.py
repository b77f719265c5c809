"""The harness's side of the server: starting it, setting its options, reading its ledger."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any


@dataclass(frozen=True)
class Service:
    """A running server."""

    port: int

    @property
    def base_url(self) -> str:
        """The address that a client gets."""
        return f"http://127.0.0.1:{self.port}/v1"

    def reset(self, **options: Any) -> None:
        """Start a measurement with these `server.Options`."""
        self._call("POST", "/reset", json.dumps(options))

    def ledger(self) -> dict[str, Any]:
        """The current counts of the ledger."""
        return self._call("GET", "/ledger")

    def _call(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return answer


@contextmanager
def serving() -> Iterator[Service]:
    """A server in its own process, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.generation.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Service(int(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=30)
