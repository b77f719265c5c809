"""The Files endpoints that batches need.

Belongs here: uploading, describing, reading and deleting files. Does not: reading a batch's input
(batch_input), or writing its output (batches).
"""

import time
import uuid
from typing import Any

from aiohttp import BodyPartReader, web

from bioinstruct_dagster.rehearsal.api_server.openai_format import error_body
from bioinstruct_dagster.rehearsal.api_server.storage import RecordStorage
from bioinstruct_dagster.rehearsal.api_server.transport import respond

_MAX_UPLOAD_BYTES = 512 * 10**6  # OpenAI's limit of a single file
_CHUNK_BYTES = 2**20
BATCH_PURPOSE = "batch"


class Files:
    """Uploaded files, and files that batches wrote."""

    def __init__(self, storage: RecordStorage) -> None:
        self._storage = storage

    def routes(self) -> list[tuple[str, str, Any]]:
        """Method, path and handler of each endpoint."""
        return [
            ("POST", "/v1/files", self._upload),
            ("GET", "/v1/files/{id}", self._retrieve),
            ("GET", "/v1/files/{id}/content", self._content),
            ("DELETE", "/v1/files/{id}", self._delete),
        ]

    def add(self, content: bytes, filename: str, purpose: str) -> dict[str, Any]:
        """Store a file; returns the API's file object."""
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
        self._storage.put(file_id, record, content)
        return record

    def purpose(self, file_id: str) -> str | None:
        """The purpose of a file; None if the id is unknown."""
        record = self._storage.record(file_id)
        return record["purpose"] if record else None

    def content(self, file_id: str) -> bytes | None:
        """The bytes of a file; None if the id is unknown."""
        return self._storage.content(file_id)

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
                    while chunk := await part.read_chunk(_CHUNK_BYTES):
                        content += chunk
                        if len(content) > _MAX_UPLOAD_BYTES:
                            return _refusal(413, "The file is larger than 512 MB.", "file")
        except (ValueError, AssertionError):
            return _refusal(400, "The body is not a multipart form.", None)
        if content is None:
            return _refusal(400, "Missing required parameter: 'file'.", "file")
        if purpose != BATCH_PURPOSE:
            return _refusal(
                400, f"'{purpose}' is not one of ['{BATCH_PURPOSE}'] - 'purpose'", "purpose"
            )
        return web.json_response(self.add(bytes(content), filename, purpose))

    async def _retrieve(self, request: web.Request) -> web.StreamResponse:
        record = self._storage.record(request.match_info["id"])
        return _unknown_file(request) if record is None else web.json_response(record)

    async def _content(self, request: web.Request) -> web.StreamResponse:
        content = self._storage.content(request.match_info["id"])
        if content is None:
            return _unknown_file(request)
        return web.Response(body=content, content_type="application/octet-stream")

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        file_id = request.match_info["id"]
        if not self._storage.remove(file_id):
            return _unknown_file(request)
        return web.json_response({"id": file_id, "object": "file", "deleted": True})


def _unknown_file(request: web.Request) -> web.Response:
    return _refusal(404, f"No such File object: {request.match_info['id']}", "id")


def _refusal(status: int, message: str, param: str | None) -> web.Response:
    return respond(status, error_body(message, "invalid_request_error", None, param))
