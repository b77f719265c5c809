"""The files of the Batch API: requests as the lines of an input file, output lines as completions.

Belongs here: lines, and the limits of a file. Does not: the course of a batch (batches), or what a
request and a reply look like (client).
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.teacher.completions import completion_of, cost_of
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.wire.client import PATHS, Dialect, Endpoint, read_body

MOST_LINES = 50_000  # OpenAI's limits for one input file
MOST_BYTES = 200 * 10**6
_OK = 200


@dataclass
class BatchOutput:
    """What the output and error files of a batch hold.

    Attributes:
        completions: rows of `completions`, but for what only the batch knows (its id, its times).
        uncertain: what may have been billed beyond that, by completion id, at its most: lines that
            were answered and can't be read, replies that do not say what they took.
        troubles: what lines say in place of a reply, as received.
    """

    completions: dict[str, dict[str, Any]] = field(default_factory=dict)
    uncertain: dict[str, Amount] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class BatchOrigin:
    """Who answered, on whose behalf, at what price."""

    endpoint: Endpoint
    price: Price | None
    run_id: str | None


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
        if lines and (len(lines) == MOST_LINES or size + len(line) + 1 > MOST_BYTES):
            yield start, number, b"\n".join(lines)
            start, lines, size = number, [], 0
        lines.append(line)
        size += len(line) + 1
    if lines:
        yield start, len(requests), b"\n".join(lines)


def read_output(
    files: Iterable[bytes], requests: Mapping[str, TeacherRequest], origin: BatchOrigin
) -> BatchOutput:
    """Read what a batch answered to these requests; lines of others are passed over."""
    output = BatchOutput()
    for content in files:
        # Not splitlines(), nor the SDK's iter_lines(): they split at U+2028 and U+0085 too, which
        # JSON may hold as they are, and the reply would be lost.
        for line in io.BytesIO(content):
            entry = _entry(line)
            custom_id = entry.get("custom_id")
            request = requests.get(custom_id) if isinstance(custom_id, str) else None
            if request is not None:
                _take(output, entry, request, origin)
    return output


def _take(
    output: BatchOutput, entry: Mapping[str, Any], request: TeacherRequest, origin: BatchOrigin
) -> None:
    response = entry.get("response")
    if not isinstance(response, dict) or response.get("status_code", _OK) != _OK:
        output.troubles.append(_trouble(entry))
        return
    most = size_of(request).most(origin.price, "batch")
    try:
        reply = read_body(response["body"], _headers(response))
    except (LookupError, TypeError, AttributeError):
        output.uncertain[request.completion_id] = most
        output.troubles.append(f"this is no completion: {json.dumps(response.get('body'))}")
        return
    cost = cost_of(reply, origin.price, "batch")
    if cost is None:
        output.uncertain[request.completion_id] = most
    else:
        output.uncertain.pop(request.completion_id, None)
    output.completions[request.completion_id] = completion_of(
        request, reply, origin.endpoint, cost=cost, service="batch", run_id=origin.run_id
    )


def _headers(response: Mapping[str, Any]) -> dict[str, str]:
    identity = response.get("request_id")
    return {"x-request-id": identity} if isinstance(identity, str) else {}


def _entry(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _trouble(entry: Mapping[str, Any]) -> str:
    response = entry.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    return json.dumps(entry.get("error") or body or entry)
