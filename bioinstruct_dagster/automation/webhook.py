"""Sends a message to the address that BIOINSTRUCT_WEBHOOK_URL names.

Belongs here: one POST request with JSON, and what became of it in words. Does not: the message
(failure_reports). The address is a secret: whoever has it can write to the channel behind it.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

TIMEOUT_SECONDS = 10.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the message goes only to the address that the user has set."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def post_json(url: str, message: Mapping[str, Any], timeout: float = TIMEOUT_SECONDS) -> str | None:
    """Send the message; None if the server took it, else the fault in words.

    It never raises, and the words never hold the address.

    Args:
        url: an http or https address.
        message: JSON values.
        timeout: seconds after which a server that does not answer is given up.
    """
    try:
        request = urllib.request.Request(  # noqa: S310  # the setting allows only http and https
            url,
            data=json.dumps(message).encode("utf-8"),
            headers={"Content-Type": "application/json", "User-Agent": "bioinstruct-dagster"},
            method="POST",
        )
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout) as answer:
            status = int(answer.status)
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    except TimeoutError:
        return f"the server gave no answer within {timeout:.0f} seconds"
    except urllib.error.URLError as error:
        # The reason of a failed connection names no address; that of another fault might.
        known = isinstance(error.reason, OSError)
        return f"the server was not reached ({error.reason if known else 'bad address'})"
    except Exception as error:  # noqa: BLE001  # a message about a failure must cause no failure
        return f"the message could not be sent ({type(error).__name__})"
    if HTTPStatus(200) <= status < HTTPStatus(300):
        return None
    return f"the server answered with status {status}"
