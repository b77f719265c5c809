"""The Files endpoints, as far as batches need them.

Belongs here: uploading, describing, reading and deleting files. Does not: what batches make of them
(batches).
"""

import time
import uuid
from typing import Any

from aiohttp import BodyPartReader, web

from bioinstruct_dagster.rehearsal.api_server.openai_format import error_body
from bioinstruct_dagster.rehearsal.api_server.storage import RecordStorage
from bioinstruct_dagster.rehearsal.api_server.transport import respond

_MAX_UPLOAD = 512 * 10**6  # OpenAI's limit of a single file
_CHUNK = 2**20
PURPOSE = "batch"


class Files:
    """The files that were uploaded, and those that batches wrote."""

    def __init__(self, shelf: RecordStorage) -> None:
        self._shelf = shelf

    def routes(self) -> list[tuple[str, str, Any]]:
        """Method, path and handler of each endpoint."""
        return [
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files/{id}", self._retrieve),
            ("GET", "/v1/files/{id}/content", self._content),
            ("DELETE", "/v1/files/{id}", self._delete),
        ]

    def add(self, content: bytes, filename: str, purpose: str) -> dict[str, Any]:
        """Store a file; its record is the API's file object."""
        file_id = f"file-{uuid.uuid4().hex}"
        record = {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        self._shelf.put(file_id, record, content)
        return record

    def purpose(self, file_id: str) -> str | None:
        """What a file is for; None where there is none of this id."""
        record = self._shelf.record(file_id)
        return record["purpose"] if record else None

    def content(self, file_id: str) -> bytes | None:
        """A file's bytes; None where there is none of this id."""
        return self._shelf.content(file_id)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        content: bytearray | None = None
        filename, purpose = "", ""
        try:
            async for part in await request.multipart():
                if not isinstance(part, BodyPartReader):
                    continue
                if part.name == "purpose":
                    purpose = await part.text()
                if part.name == "file":
                    filename, content = part.filename or "file", bytearray()
                    while chunk := await part.read_chunk(_CHUNK):
                        content += chunk
                        if len(content) > _MAX_UPLOAD:
                            return _refused(413, "The file is larger than 512 MB.", "file")
        except (ValueError, AssertionError):
            return _refused(400, "The body is not a multipart form.", None)
        if content is None:
            return _refused(400, "Missing required parameter: 'file'.", "file")
        if purpose != PURPOSE:
            return _refused(400, f"'{purpose}' is not one of ['{PURPOSE}'] - 'purpose'", "purpose")
        return web.json_response(self.add(bytes(content), filename, purpose))

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        record = self._shelf.record(request.match_info["id"])
        return _unknown(request) if record is None else web.json_response(record)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        content = self._shelf.content(request.match_info["id"])
        if content is None:
            return _unknown(request)
        return web.Response(body=content, content_type="application/octet-stream")

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["id"]
        if not self._shelf.remove(file_id):
            return _unknown(request)
        return web.json_response({"id": file_id, "object": "file", "deleted": True})


def _unknown(request: web.Request) -> web.Response:
    return _refused(404, f"No such File object: {request.match_info['id']}", "id")


def _refused(status: int, message: str, param: str | None) -> web.Response:
    return respond(status, error_body(message, "invalid_request_error", None, param))
