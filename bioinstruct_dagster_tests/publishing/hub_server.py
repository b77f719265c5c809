"""A server with the part of the Hugging Face hub's protocol that a push needs, and a download.

It keeps repositories with branches and commits in memory, and large files by their content, as the
hub does. Belongs here: the server. Does not: tests.
"""

import asyncio
import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

TOKEN = "hf_a-token-that-no-message-may-hold"  # noqa: S105  # of this server alone
OWNER = "tester"
LARGE = (".parquet", ".safetensors")  # which the real hub also keeps outside git
_FIRST = ".gitattributes"


@dataclass
class Repository:
    """A repository: the files of each commit, and the commit of each branch."""

    private: bool
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def add(self, branch: str, files: dict[str, bytes], message: str) -> str:
        """Make a commit; return its hash."""
        told = json.dumps([len(self.commits), branch, message, sorted(files)])
        commit = hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()
        self.commits[commit], self.branches[branch] = files, commit
        self.messages.append(message)
        return commit

    def files(self, revision: str) -> dict[str, bytes] | None:
        """The files of a branch or a commit; None if there is none of this name."""
        return self.commits.get(self.branches.get(revision, revision))


class Hub:
    """The server's state.

    Attributes:
        address: for HF_ENDPOINT.
        repositories: by kind and id, such as `datasets/tester/set`.
        objects: large files, by sha256.
        failures: the statuses that the next requests of a kind get, such as {"commit": [500]}.
        asked: the kind of each request.
        uploads: the sha256 of each large file that was sent, in order.
        authorizations: of each request; None where a request has none.
    """

    def __init__(self) -> None:
        self.address = ""
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.failures: dict[str, list[int]] = {}
        self.asked: list[str] = []
        self.uploads: list[str] = []
        self.authorizations: list[str | None] = []

    def make(self, key: str, *, private: bool) -> Repository:
        """A repository with its first commit."""
        made = self.repositories[key] = Repository(private)
        made.add("main", {_FIRST: b"*.parquet filter=lfs\n"}, "initial commit")
        return made


def _oid(path: str, content: bytes) -> str:
    if path.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


class _Handlers:
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def app(self) -> web.Application:
        """The routes. Models have no prefix in the addresses of files."""
        app = web.Application(middlewares=[self._guard], client_max_size=2**30)
        repo = "/{kind:models|datasets}/{owner}/{name}"
        app.router.add_get("/api/whoami-v2", self.whoami, name="whoami")
        app.router.add_post("/api/validate-yaml", self.yaml, name="yaml")
        app.router.add_post("/api/repos/create", self.create, name="create")
        app.router.add_get(f"/api{repo}", self.info, name="info")
        app.router.add_get(f"/api{repo}/revision/{{revision}}", self.info, name="revision")
        app.router.add_get(f"/api{repo}/tree/{{revision}}", self.tree, name="tree")
        app.router.add_post(f"/api{repo}/branch/{{revision}}", self.branch, name="branch")
        app.router.add_post(f"/api{repo}/preupload/{{revision}}", self.preupload, name="preupload")
        app.router.add_post(f"/api{repo}/commit/{{revision}}", self.commit, name="commit")
        app.router.add_put("/objects/{oid}", self.upload, name="upload")
        for prefix, kind in (("/datasets", "datasets"), ("", "models")):
            place = f"{prefix}/{{owner}}/{{name}}"
            app.router.add_post(
                f"{place}.git/info/lfs/objects/batch", self.batch, name=f"batch-{kind}"
            )
            app.router.add_get(
                f"{place}/resolve/{{revision}}/{{path:.+}}", self.file, name=f"file-{kind}"
            )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        kind = (request.match_info.route.name or "unknown").partition("-")[0]
        self.hub.asked.append(kind)
        self.hub.authorizations.append(request.headers.get("Authorization"))
        if statuses := self.hub.failures.get(kind):
            status = statuses.pop(0)
            if status != 200:  # let this one pass
                # The hub says 401 and this of a repository that the token may not see.
                hidden = {"X-Error-Code": "RepoNotFound"} if kind == "info" else {}
                return web.json_response(
                    {"error": f"planted {status}"}, status=status, headers=hidden
                )
        known = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not known and kind != "upload":  # an upload's address is a secret of its own
            return web.json_response({"error": "Invalid username or password."}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    def _found(self, request: web.Request) -> Repository:
        parts = request.match_info
        kind = parts.get("kind") or (request.match_info.route.name or "").partition("-")[2]
        found = self.hub.repositories.get(f"{kind}/{parts['owner']}/{parts['name']}")
        if found is None:
            raise web.HTTPNotFound(
                text='{"error": "Repository not found"}', headers={"X-Error-Code": "RepoNotFound"}
            )
        return found

    def _files(self, request: web.Request) -> dict[str, bytes]:
        files = self._found(request).files(request.match_info.get("revision", "main"))
        if files is None:
            raise web.HTTPNotFound(text="{}", headers={"X-Error-Code": "RevisionNotFound"})
        return files

    def _head(self, request: web.Request) -> str:
        revision = request.match_info.get("revision", "main")
        return self._found(request).branches.get(revision, revision)

    async def whoami(self, _: web.Request) -> web.Response:
        return web.json_response({"name": OWNER, "type": "user", "orgs": []})

    async def yaml(self, _: web.Request) -> web.Response:
        return web.json_response({"errors": [], "warnings": []})

    async def create(self, request: web.Request) -> web.Response:
        asked = await request.json()
        owner, kind = asked["organization"] or OWNER, f"{asked['type']}s"
        if owner != OWNER:
            return web.json_response(
                {"error": f"You don't have the rights to create a repo under {owner}"}, status=403
            )
        key = f"{kind}/{owner}/{asked['name']}"
        path = key.removeprefix("models/")
        if key in self.hub.repositories:
            return web.json_response(
                {"error": "You already created this repo", "url": f"{self.hub.address}/{path}"},
                status=409,
            )
        self.hub.make(key, private=asked.get("visibility") == "private")
        return web.json_response({"url": f"{self.hub.address}/{path}"})

    async def info(self, request: web.Request) -> web.Response:
        files, repository = self._files(request), self._found(request)
        return web.json_response(
            {
                "id": f"{request.match_info['owner']}/{request.match_info['name']}",
                "sha": self._head(request),
                "private": repository.private,
                "siblings": [{"rfilename": path} for path in sorted(files)],
            }
        )

    async def tree(self, request: web.Request) -> web.Response:
        return web.json_response(
            [
                {"type": "file", "path": path, "size": len(content), "oid": _oid(path, content)}
                for path, content in sorted(self._files(request).items())
            ]
        )

    async def branch(self, request: web.Request) -> web.Response:
        repository, name = self._found(request), request.match_info["revision"]
        if name in repository.branches:
            return web.json_response({"error": "Reference already exists"}, status=409)
        repository.branches[name] = repository.branches["main"]
        return web.json_response({})

    async def preupload(self, request: web.Request) -> web.Response:
        present = self._files(request)
        asked = (await request.json())["files"]
        return web.json_response(
            {
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular",
                        "shouldIgnore": False,
                        "oid": (
                            _oid(one["path"], present[one["path"]])
                            if one["path"] in present
                            else None
                        ),
                    }
                    for one in asked
                ]
            }
        )

    async def batch(self, request: web.Request) -> web.Response:
        self._found(request)
        asked = await request.json()
        objects = []
        for one in asked["objects"]:
            actions = {"upload": {"href": f"{self.hub.address}/objects/{one['oid']}"}}
            known = one["oid"] in self.hub.objects
            objects.append(one if known else {**one, "actions": actions})
        return web.json_response({"transfer": "basic", "objects": objects})

    async def upload(self, request: web.Request) -> web.Response:
        content, oid = await request.read(), request.match_info["oid"]
        if hashlib.sha256(content).hexdigest() != oid:
            return web.json_response({"error": "wrong hash"}, status=400)
        self.hub.objects[oid] = content
        self.hub.uploads.append(oid)
        return web.Response()

    async def commit(self, request: web.Request) -> web.Response:
        lines = [json.loads(line) for line in (await request.text()).splitlines() if line]
        repository, branch = self._found(request), request.match_info["revision"]
        files = dict(self._files(request))
        header = next(one["value"] for one in lines if one["key"] == "header")
        if header.get("parentCommit") not in {None, repository.branches[branch]}:
            return web.json_response({"error": "A commit has happened since"}, status=412)
        for one in lines:
            value = one["value"]
            if one["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif one["key"] == "lfsFile":
                if value["oid"] not in self.hub.objects:
                    return web.json_response({"error": "LFS object was not sent"}, status=400)
                files[value["path"]] = self.hub.objects[value["oid"]]
            elif one["key"] == "deletedFile":
                del files[value["path"]]
        oid = repository.add(branch, files, header["summary"])
        prefix = "datasets/" if request.match_info["kind"] == "datasets" else ""
        place = f"{prefix}{request.match_info['owner']}/{request.match_info['name']}"
        page = f"{self.hub.address}/{place}/commit/{oid}"
        return web.json_response({"success": True, "commitOid": oid, "commitUrl": page})

    async def file(self, request: web.Request) -> web.Response:
        path, commit = request.match_info["path"], {"X-Repo-Commit": self._head(request)}
        content = self._files(request).get(path)
        if content is None:
            return web.Response(status=404, headers={**commit, "X-Error-Code": "EntryNotFound"})
        return web.Response(body=content, headers={**commit, "ETag": f'"{_oid(path, content)}"'})


@contextmanager
def hub_serving() -> Iterator[Hub]:
    """A hub without any repository, while the block runs."""
    hub, loop, ready, end = Hub(), asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        runner = web.AppRunner(_Handlers(hub).app(), shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        hub.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        ready.set()
        await end.wait()
        await runner.cleanup()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield hub
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
