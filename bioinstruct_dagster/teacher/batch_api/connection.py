"""The connection to the Batch API: the SDK's client, and its errors in words.

Belongs here: opening the client, and what an error of the API means for the user. Does not: what is
asked of the API (submission, batches).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bioinstruct_dagster.teacher.errors import StatusError, TeacherError, fatal_advice
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.log_redaction import redacted_logs
from bioinstruct_dagster.teacher.wire.sdk import sdk_client

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_FORBIDDEN = 403
_NOT_FOUND = 404
_TOO_MANY_REQUESTS = 429


@contextmanager
def batch_client(endpoint: Endpoint, model: str) -> Iterator["OpenAI"]:
    """The SDK's client. Each of its errors becomes a `TeacherError` without the key."""
    from openai import APIError, APIStatusError

    with (
        sdk_client(endpoint) as client,
        redacted_logs(endpoint.secret),
    ):
        try:
            yield client
        except APIStatusError as error:
            refused = StatusError(error.status_code, "", error.code)
            # A server may refuse the Batch API alone with 403 or 404.
            if refused.fatal and error.status_code not in {_FORBIDDEN, _NOT_FOUND}:
                raise TeacherError(fatal_advice(refused, model)) from None
            raise TeacherError(
                f"The Batch API at {endpoint.address} answers HTTP {error.status_code}: "
                f"{endpoint.redacted(words_of(error)).rstrip('.')}. "
                f"{_advice(error.status_code, model)}"
            ) from None
        except APIError as error:
            raise TeacherError(
                f"The Batch API at {endpoint.address} can't be used: "
                f"{endpoint.redacted(f'{type(error).__name__}: {error}')}"
            ) from None


def words_of(error: "APIStatusError") -> str:
    """The server's words in an error of the SDK, which may be of any form."""
    body = error.body
    if isinstance(body, dict):
        named = [body.get(name) for name in ("message", "detail", "error")]
        body = next((words for words in named if isinstance(words, str)), json.dumps(body))
    return body if isinstance(body, str) and body else str(error)


def _advice(status: int, model: str) -> str:
    if status == _TOO_MANY_REQUESTS:
        return (
            "The server takes no more batches now. Run again when earlier batches have ended, or "
            "set BIOINSTRUCT_SERVICE=online."
        )
    if status == _FORBIDDEN:
        return (
            f"Check that OPENAI_API_KEY may use the Batch API with {model!r}, or set "
            "BIOINSTRUCT_SERVICE=online."
        )
    return f"If the server has no Batch API, or none for {model!r}, set BIOINSTRUCT_SERVICE=online."
