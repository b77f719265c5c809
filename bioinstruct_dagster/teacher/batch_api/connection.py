"""The connection to the Batch API: the SDK's client, and its errors in words.

Belongs here: opening the client, and what an error of the API means for the user. Does not: what is
asked of the API (submission, batches).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bioinstruct_dagster.teacher.errors import StatusError, TeacherError, fatal_advice, sentence
from bioinstruct_dagster.teacher.wire.connection_errors import unreached_words
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster.teacher.wire.error_bodies import status_error
from bioinstruct_dagster.teacher.wire.log_redaction import redacted_logs
from bioinstruct_dagster.teacher.wire.sdk import sdk_client

if TYPE_CHECKING:
    from openai import APIError, APIStatusError, OpenAI

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
            raise TeacherError(_message(refusal_in(error), endpoint, model)) from None
        except APIError as error:
            raise TeacherError(
                f"The Batch API at {endpoint.address} can't be used: "
                f"{endpoint.redacted(_words(error))}."
            ) from None


def _words(error: "APIError") -> str:
    """Why no answer can be used, in words and without the names of the libraries' classes."""
    from openai import APIConnectionError

    if not isinstance(error, APIConnectionError):
        return (str(error) or "the answer does not have the form of the Batch API").rstrip(".")
    cause = type(error.__cause__).__name__  # of the HTTP client
    if cause.startswith("Connect"):
        return unreached_words(error.__cause__ or error)
    if "Timeout" in cause:
        return "no reply came in time"
    return "the connection closed before the whole reply had come"


def refusal_in(error: "APIStatusError") -> StatusError:
    """The server's answer in an error of the SDK. It may repeat the key."""
    answer = error.response
    return status_error(answer.status_code, answer.content, dict(answer.headers))


def _message(refused: StatusError, endpoint: Endpoint, model: str) -> str:
    refused.message = endpoint.redacted(refused.message)
    refused.code = endpoint.redacted(refused.code) if refused.code else None
    # A server may refuse the Batch API alone with 403 or 404.
    is_about_batches = refused.status in {_FORBIDDEN, _NOT_FOUND} and not refused.is_billing
    if refused.fatal and not is_about_batches:
        return fatal_advice(refused, model, address=endpoint.address, api="batch")
    said = sentence(f"The Batch API at {endpoint.address} answers {refused.shown}")
    return f"{said} {_advice(refused.status, model)}"


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
