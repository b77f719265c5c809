"""Models of the hub: what an HTTP server answers becomes a sentence, after one request."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_checks.findings import BaseModelError
from bioinstruct_dagster.models.experiments import BaseModelSpec


class Hub(ThreadingHTTPServer):
    """A stand-in for the hub: answers every request alike, and counts them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.status, self.headers, self.body = 404, {}, b"{}"
        self.asked = []


class Answer(BaseHTTPRequestHandler):
    """Answers as the server says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch) -> Iterator[Hub]:
    server = Hub()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def refusal(tmp_path, source="owner/name", revision=None):
    with pytest.raises(BaseModelError) as raised:
        base_models.check(BaseModelSpec(source=source, revision=revision), tmp_path, lambda _: None)
    return str(raised.value)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "GatedRepo", "https://huggingface.co/owner/name"),
        (401, "GatedRepo", "HF_TOKEN"),
        (404, "RevisionNotFound", "no revision 'v9'"),
        (404, "RepoNotFound", "does not exist, or is private"),
        (401, "", "does not exist, or is private"),
        (403, "", "does not exist, or is private"),
        (500, "", "not in the cache"),
        (503, "", "not in the cache"),
    ],
)
def test_a_refusal_of_the_hub_is_one_request_and_a_sentence(hub, tmp_path, status, code, words):
    hub.status, hub.headers = status, {"X-Error-Code": code} if code else {}
    message = refusal(tmp_path, revision="v9")
    assert words in message
    assert "'owner/name'" in message
    assert len(hub.asked) == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["config.json", "pytorch_model.bin"], "can run code"),
        (["name-Q4_K_M.gguf"], "GGUF"),
        (["README.md"], "no .safetensors weights"),
    ],
)
def test_other_formats_are_refused_before_any_download(hub, tmp_path, names, words):
    hub.status = 200
    listing = [{"rfilename": name} for name in names]
    hub.body = json.dumps({"id": "owner/name", "sha": "0" * 40, "siblings": listing}).encode()
    assert words in refusal(tmp_path)
    assert len(hub.asked) == 1


def test_a_hub_that_cannot_be_reached_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    message = refusal(tmp_path)
    assert "HF_ENDPOINT" in message
    assert "not in the cache" in message


@pytest.mark.parametrize("source", ["a/b/c", "owner/na me", "owner/..", "x" * 200])
def test_what_is_no_hub_id_is_said(hub, tmp_path, source):
    assert repr(source) in refusal(tmp_path, source)


def test_a_cached_copy_serves_without_the_hub(monkeypatch, tmp_path, whole_model):
    """The cache as huggingface_hub lays it out, without a network."""
    import shutil

    from huggingface_hub import constants

    cache = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    home = cache / "models--owner--name"
    commit = "1" * 40
    shutil.copytree(whole_model, home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    lines = []
    checked = base_models.check(BaseModelSpec(source="owner/name"), tmp_path, lines.append)
    assert checked.fingerprint == f"owner/name@{commit}"
    assert checked.path == "owner/name"
    assert any("the cached copy" in line for line in lines)
    assert checked.load(lines.append).fingerprint == checked.fingerprint
