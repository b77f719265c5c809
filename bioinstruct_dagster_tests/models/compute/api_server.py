"""A stand-in of the Kubernetes API server: real HTTP, and each pod is a process of this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: stand-in
contexts: [{{name: stand-in, context: {{cluster: stand-in, user: stand-in}}}}]
clusters: [{{name: stand-in, cluster: {{server: "http://127.0.0.1:{port}"}}}}]
users: [{{name: stand-in, user: {{token: none}}}}]
"""


class Pod:
    """A pod as a process whose output is the log."""

    def __init__(self, body: dict[str, Any], environment: dict[str, str], *, starts: bool) -> None:
        self.body = body
        self.uid = str(uuid.uuid4())
        self.log: list[str] = []
        self.written = threading.Condition()
        container = body["spec"]["containers"][0]
        variables = {entry["name"]: entry["value"] for entry in container["env"]}
        self.process = starts and subprocess.Popen(
            [sys.executable, "-m", *container["args"]],
            env={**environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout if self.process else ():
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + f"{len(self.log):03}Z"
            with self.written:
                self.log.append(f"{stamp} {line}")
                self.written.notify_all()

    @property
    def over(self) -> bool:
        return bool(self.process) and self.process.poll() is not None and not self.reader.is_alive()

    def end(self) -> None:
        """End the process, and as a node does, all that it started."""
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait()
            self.reader.join()

    def as_json(self, reason: str) -> dict[str, Any]:
        """The pod as the API shows it."""
        state: dict[str, Any] = {"running": {"startedAt": "2026-11-30T00:00:00Z"}}
        phase = "Running"
        if not self.process:
            phase = "Pending"
            state = {"waiting": {"reason": reason, "message": "no such image"}}
        elif self.over:
            code = self.process.returncode
            code = 128 - code if code < 0 else code
            phase = "Failed" if code else "Succeeded"
            state = {"terminated": {"exitCode": code, "reason": reason or "Completed"}}
        container = {
            "name": self.body["spec"]["containers"][0]["name"],
            "state": state,
            "ready": phase == "Running",
            "restartCount": 0,
            "image": "image",
            "imageID": "",
        }
        metadata = {**self.body["metadata"], "uid": self.uid}
        status = {"phase": phase, "containerStatuses": [container]}
        return {**self.body, "metadata": metadata, "status": status}


class ApiServer(ThreadingHTTPServer):
    """The pods of one namespace, and what was asked of the server."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.environment = environment
        self.pods: dict[str, Pod] = {}
        self.requests: list[tuple[str, str]] = []
        self.created: list[dict[str, Any]] = []
        self.most_at_once = 0
        self.reason = ""  # why pods wait or ended
        self.starts = True  # whether pods start, or wait for their image
        self.break_log_after: int | None = None  # lines, for the first reading only
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(KUBECONFIG.format(port=self.server_port), "utf-8")
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        for pod in list(self.pods.values()):
            pod.end()
        self.shutdown()
        self.server_close()
        self._thread.join()

    def methods(self) -> list[str]:
        """POST and DELETE requests in their order."""
        return [method for method, _ in self.requests if method != "GET"]


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""

    def _place(self) -> list[str]:
        self.server.requests.append((self.command, self.path))
        return urlsplit(self.path).path.strip("/").split("/")[4:]  # api/v1/namespaces/NAME/…

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _fault(self, status: int, message: str) -> None:
        self._answer(status, {"kind": "Status", "message": message, "code": status})

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")

    def do_POST(self) -> None:
        self._place()
        body = self._body()
        name = body["metadata"]["name"]
        if name in self.server.pods:
            self._fault(409, f'pods "{name}" already exists')
            return
        pod = Pod(body, self.server.environment, starts=self.server.starts)
        self.server.pods[name] = pod
        self.server.created.append(body)
        self.server.most_at_once = max(self.server.most_at_once, len(self.server.pods))
        self._answer(201, pod.as_json(self.server.reason))

    def do_GET(self) -> None:
        _, name, *rest = self._place()
        pod = self.server.pods.get(name)
        if pod is None:
            self._fault(404, f'pods "{name}" not found')
        elif rest == ["log"]:
            self._follow(pod)
        else:
            self._answer(200, pod.as_json(self.server.reason))

    def do_DELETE(self) -> None:
        _, name = self._place()
        options = self._body()
        pod = self.server.pods.get(name)
        if pod is None:
            self._fault(404, f'pods "{name}" not found')
            return
        if (options.get("preconditions") or {}).get("uid", pod.uid) != pod.uid:
            self._fault(409, "the UID in the precondition does not match")
            return
        self._answer(200, pod.as_json(self.server.reason))
        threading.Thread(target=self._remove, args=(name, pod), daemon=True).start()

    def _remove(self, name: str, pod: Pod) -> None:
        time.sleep(0.1)  # a pod is there for a while after its deletion was asked for
        pod.end()
        del self.server.pods[name]

    def _follow(self, pod: Pod) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if {query["timestamps"][0].lower(), query["follow"][0].lower()} != {"true"}:
            self._fault(400, "only a log that is followed, with time stamps, is there")
            return
        limit, self.server.break_log_after = self.server.break_log_after, None
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while True:
            with pod.written:
                if len(pod.log) == sent:
                    pod.written.wait(timeout=0.05)
                lines, over = pod.log[sent:], pod.over
            for line in lines:
                if limit is not None and sent >= limit:
                    self.close_connection = True  # in mid-stream, as a proxy does
                    return
                self._chunk(line.encode())
                sent += 1
            if over and sent == len(pod.log):
                break
        self._chunk(b"")

    def _chunk(self, block: bytes) -> None:
        # Blocks do not end where lines do.
        for part in (block[: len(block) // 2], block[len(block) // 2 :]) if block else (b"",):
            if part or not block:
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
