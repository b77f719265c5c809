"""The files of the Batch API: requests as lines of an input file, and the lines of an output file.

Belongs here: lines, and the limits of a file. Does not: the course of a batch (batches), what a
line costs (money.settling), or what a request and a reply look like (wire.client).
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.teacher.errors import LostReplyError, StatusError, UnreachedServerError
from bioinstruct_dagster.teacher.money.settling import BatchSettlement
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import PATHS, Dialect, read_body

MAX_LINES = 50_000  # OpenAI's limits for one input file
MAX_BYTES = 200 * 10**6
_OK = 200
_REDIRECT = 300
# The API's codes of a line that was not sent to the model, and so not billed.
_UNBILLED_CODES = ("batch_expired", "batch_cancelled")


@dataclass
class BatchOutput:
    """What the output and error files of a batch hold.

    Attributes:
        settlement: the replies and the money of the lines.
        troubles: what lines say in place of a reply, as received.
        answered: lines with an answer of the model, whether or not it can be read.
        unreadable: lines that can't be read, or that name none of the batch's requests.
    """

    settlement: BatchSettlement
    troubles: list[str] = field(default_factory=list)
    answered: int = 0
    unreadable: int = 0


def input_files(
    requests: Sequence[TeacherRequest], dialect: Dialect
) -> Iterator[tuple[int, int, bytes]]:
    """Input files within the API's limits, as (first request, end, bytes)."""
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
    """Read what a batch answered to its requests, and settle each line."""
    output = BatchOutput(settlement)
    for content in files:
        # Not splitlines(), nor the SDK's iter_lines(): they split at U+2028 and U+0085 too, which
        # JSON may hold as they are, and the reply would be lost.
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
        output.troubles.append(_line_fault(entry))
        output.settlement.settle_failure(request, _line_error(entry))
        return
    output.answered += 1
    try:
        reply = read_body(response["body"], _line_headers(response))
    except (LookupError, TypeError, AttributeError):
        trouble = f"this is no completion: {json.dumps(response.get('body'))}"
        output.troubles.append(trouble)
        output.settlement.settle_failure(request, LostReplyError(trouble))
    else:
        output.settlement.settle(request, reply)


def _is_success(response: Mapping[str, Any]) -> bool:
    status = response.get("status_code")
    return not isinstance(status, int) or _OK <= status < _REDIRECT


def _line_error(entry: Mapping[str, Any]) -> Exception:
    """The error of a line without a reply, as the error of a request that was sent by itself."""
    response, error = entry.get("response"), entry.get("error")
    if isinstance(response, dict):
        return StatusError(response["status_code"], "")
    code = error.get("code") if isinstance(error, dict) else None
    return (UnreachedServerError if code in _UNBILLED_CODES else LostReplyError)(f"batch line: {code}")


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
