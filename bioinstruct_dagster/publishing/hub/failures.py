"""What went wrong on the hub, in words that say what to do. No message holds the token.

Belongs here: the words. Does not: the requests (hub.push).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.publishing.hub.repository import HubRepository, hub_endpoint

NOT_LOGGED_IN = (
    "There is no token for the Hugging Face hub. Make one with the right to write at "
    "{endpoint}/settings/tokens. Then set HF_TOKEN to it, or run: hf auth login"
)
_BAD_CHARACTER = (
    "HF_TOKEN holds a character that no token has: a blank, a control character or a letter with "
    "an accent. If HF_TOKEN is not set, this is about the token of `hf auth login`. Nothing was "
    "sent. Copy the token anew from {endpoint}/settings/tokens."
)
_VISIBLE = re.compile(r"[!-~]+")  # visible ASCII, as a header of a request may hold
_QUOTED = re.compile(r"(?i)(?<=bearer )\S+")  # a request's header in a client's message
_LONGEST = 400  # characters of the hub's own message
_UNAUTHORIZED, _PAYMENT, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _CHANGED = 401, 402, 403, 404, 409, 412
_TOO_MANY, _SERVER_FAULT = 429, 500
_AGAIN = "Start the run again: what the hub has received is not sent again."


def refuse_bad_characters(token: str) -> None:
    """Refuse a token that no request can carry: a client's message about it would quote it.

    Raises:
        StatedError: without the token.
    """
    if not _VISIBLE.fullmatch(token):
        raise StatedError(_BAD_CHARACTER.format(endpoint=hub_endpoint()))


@contextmanager
def stating_failures(to: HubRepository, token: str) -> Iterator[None]:
    """State what the hub answered, and what to do about it.

    Args:
        to: the repository that the requests are about.
        token: that no message may hold.

    Raises:
        StatedError: a request failed.
    """
    try:
        yield
    except StatedError:
        raise
    except Exception as error:  # noqa: BLE001  # the library's clients below raise their own errors
        raise StatedError(_masked(_words(error, to, token), token)) from None


def _masked(message: str, token: str) -> str:
    """The message without the token, in whatever form it is quoted."""
    for form in (token, repr(token)[1:-1], repr(token.encode())[2:-1]):
        message = message.replace(form, "<token>")
    return _QUOTED.sub("<token>", message)


def _words(error: Exception, to: HubRepository, token: str) -> str:
    status, said = _status(error), _said(error, token)
    known = {
        _UNAUTHORIZED: (
            f"{hub_endpoint()} does not accept the token. Set HF_TOKEN to a valid one, or run: "
            "hf auth login"
        ),
        _PAYMENT: f"The hub asks for a payment before it takes the {to.in_words}.",
        _FORBIDDEN: (
            f"The token may not write to the {to.in_words}. Use a token with the right to write "
            f"there, or correct `repo_id`: {to.id.partition('/')[0]} must be your account or your "
            "organization."
        ),
        _NOT_FOUND: (
            f"The hub shows no {to.in_words} to this token. Correct `repo_id` or `revision`, or "
            "use a token with the right to read and write there."
        ),
        _CONFLICT: (
            f"The hub reports a conflict about the {to.in_words}. Somebody may write to it now. "
            f"{_AGAIN}"
        ),
        _CHANGED: f"Somebody else wrote to the {to.in_words} during the push. {_AGAIN}",
        _TOO_MANY: f"The hub takes no more requests of this account now. Wait, then {_AGAIN}",
    }.get(status)
    if known:
        return f"{known} The hub said: {said}"
    if status >= _SERVER_FAULT:
        return f"The hub has a fault of its own (status {status}). {_AGAIN} The hub said: {said}"
    if status:
        return f"The hub refuses the {to.in_words} (status {status}). It said: {said}"
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "The hub is switched off by HF_HUB_OFFLINE. Remove that variable to publish."
    if isinstance(error, FileNotFoundError):
        return f"A file was removed during the push: {error}. Start the run again."
    return (
        f"The push to {hub_endpoint()} ended early ({type(error).__name__}: {said}). Check the "
        f"network and HF_ENDPOINT. {_AGAIN}"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what caused it: the library wraps failures of uploads."""
    while error is not None:
        yield error
        error = error.__cause__


def _status(error: BaseException) -> int:
    """The status of the hub's answer; 0 if there was no answer.

    The hub answers 401 about a repository that the token may not see. Here that is 404.
    """
    for one in _chain(error):
        if type(one).__name__ == "RepositoryNotFoundError":
            return _NOT_FOUND
        answer = getattr(one, "response", None)
        if status := getattr(answer, "status_code", None):
            return int(status)
    return 0


def _said(error: BaseException, token: str) -> str:
    """The hub's own words on one line, masked before they are cut; without requests' addresses."""
    for one in _chain(error):
        if own := getattr(one, "server_message", None):
            return _masked(" ".join(str(own).split()), token)[:_LONGEST]
    last = list(_chain(error))[-1]
    return _masked(" ".join(str(last).split()), token)[:_LONGEST] or type(last).__name__
