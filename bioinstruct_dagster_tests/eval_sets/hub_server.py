"""A small server with the part of the Hugging Face hub's interface that `datasets` uses.

Belongs here: one data set at one commit. Does not: tests.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlparse


class Hub(ThreadingHTTPServer):
    """The server; `asked` lists the paths of all requests."""

    def __init__(self, name: str, commit: str, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.commit, self.files = name, commit, files
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        """For HF_ENDPOINT."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Write nothing."""

    def do_GET(self) -> None:
        hub, path = self.server, unquote(urlparse(self.path).path)
        hub.asked.append(path)
        about, files = f"/api/datasets/{hub.name}", f"/datasets/{hub.name}/resolve"
        if path == f"{about}/revision/{hub.commit}":
            siblings = [{"rfilename": name} for name in hub.files]
            self._json({"id": hub.name, "sha": hub.commit, "siblings": siblings})
        elif path.startswith(f"{about}/tree/{hub.commit}"):
            folder = path.removeprefix(f"{about}/tree/{hub.commit}").strip("/")
            self._json(self._entries(folder))
        elif path.startswith(f"{files}/{hub.commit}/"):
            self._file(path.removeprefix(f"{files}/{hub.commit}/"))
        elif path.startswith((about, files)):
            self._answer(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        else:
            self._answer(404, b"{}", {})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["paths"]
        self.server.asked.append(self.path)
        found = [*self._entries("", deep=True), {"type": "directory", "path": "data", "oid": "0"}]
        self._json([one for one in found if one["path"] in wanted])

    def _entries(self, folder: str, *, deep: bool = False) -> list[dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = {}
        for name, content in self.server.files.items():
            inner = name.removeprefix(f"{folder}/" if folder else "")
            if folder and inner == name:
                continue
            first, below, _ = inner.partition("/")
            path = name if deep or not below else "/".join(filter(None, [folder, first]))
            kind = "file" if path == name else "directory"
            oid = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            entries[path] = {"type": kind, "path": path, "oid": oid, "size": len(content)}
        return list(entries.values())

    def _file(self, name: str) -> None:
        commit = {"X-Repo-Commit": self.server.commit}
        content = self.server.files.get(name)
        if content is None:
            self._answer(404, b"", {**commit, "X-Error-Code": "EntryNotFound"})
        else:
            tag = hashlib.sha1(content, usedforsecurity=False).hexdigest()
            self._answer(200, content, {**commit, "ETag": f'"{tag}"'})

    def _json(self, content: Any) -> None:
        self._answer(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(name: str, commit: str, files: Mapping[str, bytes]) -> Iterator[Hub]:
    """A hub that holds one data set, while the block runs."""
    with Hub(name, commit, files) as hub:
        thread = threading.Thread(target=hub.serve_forever, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
