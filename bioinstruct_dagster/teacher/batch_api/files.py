"""The files of the Batch API: writes requests into input files, and reads output files.

Belongs here: the lines and the limits of a file. Does not: creating and harvesting a batch
(batches), the cost of a line (money.settling), or the bodies of a request and a reply
(wire.client).
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.teacher.errors import LostReplyError, StatusError, UnreachedServerError
from bioinstruct_dagster.teacher.money.settling import BatchSettlement
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import SUCCESS_STATUSES
from bioinstruct_dagster.teacher.wire.dialect import PATHS, Dialect
from bioinstruct_dagster.teacher.wire.error_bodies import error_of_body
from bioinstruct_dagster.teacher.wire.reply import TeacherReply
from bioinstruct_dagster.teacher.wire.reply_body import read_body, read_reply

MAX_LINES = 50_000  # OpenAI's limits for one input file
MAX_BYTES = 200 * 10**6
# The API's codes of a line that was not sent to the model, and so not billed.
_UNBILLED_CODES = ("batch_expired", "batch_cancelled")


@dataclass
class BatchOutput:
    """The content of a batch's output and error files.

    Attributes:
        settlement: the replies and the money of the lines.
        faults: the server's texts in lines without a reply.
        answered: the number of lines with an answer of the model, readable or not.
        unreadable: the number of lines that can't be read, or that name no request of the batch.
    """

    settlement: BatchSettlement
    faults: list[str] = field(default_factory=list)
    answered: int = 0
    unreadable: int = 0


def input_files(
    requests: Sequence[TeacherRequest], dialect: Dialect
) -> Iterator[tuple[int, int, bytes]]:
    """The input files for these requests, each within the API's limits.

    Yields:
        The number of a file's first request, the number after its last request, and its bytes.
    """
    start, size = 0, 0
    lines: list[bytes] = []
    for number, request in enumerate(requests):
        line = json.dumps(
            {
                "custom_id": request.completion_id,
                "method": "POST",
                "url": f"/v1{PATHS[dialect.api]}",
                "body": dialect.body(request, "batch"),
            }
        ).encode()
        if lines and (len(lines) == MAX_LINES or size + len(line) + 1 > MAX_BYTES):
            yield start, number, b"\n".join(lines)
            start, lines, size = number, [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield start, len(requests), b"\n".join(lines)


def read_output(files: Iterable[bytes], settlement: BatchSettlement) -> BatchOutput:
    """Read the output files of a batch, and settle each line."""
    output = BatchOutput(settlement)
    for content in files:
        # Not `splitlines`, nor the SDK's `iter_lines`. They also split at U+2028 and U+0085, which
        # may stand inside JSON, and the reply would be lost.
        for line in io.BytesIO(content):
            if not line.strip():
                continue
            entry = _line_entry(line)
            custom_id = entry.get("custom_id")
            request = settlement.requests.get(custom_id) if isinstance(custom_id, str) else None
            if request is None:
                output.unreadable += 1
            else:
                _settle_entry(output, entry, request)
    return output


def _settle_entry(output: BatchOutput, entry: Mapping[str, Any], request: TeacherRequest) -> None:
    response = entry.get("response")
    if not isinstance(response, dict) or not _is_success(response):
        output.faults.append(_line_fault(entry))
        output.settlement.settle_failure(request, _line_error(entry))
        return
    output.answered += 1
    try:
        reply = _read(response).cut_at(request.parameters.get("max_completion_tokens"))
    except (StatusError, LostReplyError) as error:
        output.faults.append(str(error))
        output.settlement.settle_failure(request, error)
    else:
        output.settlement.settle(request, reply)


def _read(response: Mapping[str, Any]) -> TeacherReply:
    """The reply of a line, read as the client reads a single reply."""
    body, headers = response.get("body"), _line_headers(response)
    if isinstance(body, str) and body.strip():
        return read_reply(body.encode("utf-8", "surrogatepass"), headers)
    if not body:
        raise LostReplyError("a batch line without a body")
    return read_body(body, headers)


def _status(response: Mapping[str, Any]) -> int | None:
    status = response.get("status_code")
    if isinstance(status, str) and status.isdecimal():
        return int(status)
    return status if isinstance(status, int) else None


def _is_success(response: Mapping[str, Any]) -> bool:
    status = _status(response)
    return status is None or status in SUCCESS_STATUSES


def _line_error(entry: Mapping[str, Any]) -> Exception:
    """The error of a line without a reply, as the client would raise it for a single request."""
    response, error = entry.get("response"), entry.get("error")
    if isinstance(response, dict):
        found = error_of_body(response.get("body"), "")
        return StatusError(_status(response) or 0, found.message, found.code, found.param)
    code = error.get("code") if isinstance(error, dict) else None
    error_class = UnreachedServerError if code in _UNBILLED_CODES else LostReplyError
    return error_class(f"batch line: {code}")


def _line_headers(response: Mapping[str, Any]) -> dict[str, str]:
    identity = response.get("request_id")
    return {"x-request-id": identity} if isinstance(identity, str) else {}


def _line_entry(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _line_fault(entry: Mapping[str, Any]) -> str:
    response = entry.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    return json.dumps(entry.get("error") or body or entry)
