"""The errors of a request to a teacher, and the messages of the errors that end a round.

Each message says which replies are kept and how to go on. No message holds a key, or a server's
text about a key. Belongs here: what an error means for later requests. Does not: whether the failed
request may have been billed (money.settling), or the message of a reached cap (money.budget).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.teacher.refusals import (
    ACCESS_KINDS,
    BILLING_CODES,
    TRANSIENT_KINDS,
    Kind,
    help_for,
    kind_of,
    likeness,
    plain_words,
    without_controls,
)
from bioinstruct_dagster.teacher.wait_headers import reset_of, retry_after


class TeacherError(StatedError):
    """The teacher can't be used with these settings. The message says what to change."""


LONGEST_WAIT_SECONDS = 120.0
FATAL_CODES = BILLING_CODES
_TOO_MANY_REQUESTS = 429
_KEY_STATUSES = frozenset({401, 403})  # their messages may repeat a part of the key
# What a message may show of a key: its beginning, or stars for its middle.
_KEY_MARK = re.compile(
    r"\S*\*{3,}\S*|\b(?:sk|gsk|xai|nvapi|sess)-[^\s'\",]*|\b(?:hf|gsk)_[^\s'\",]*|\beyJ[\w.-]{10,}"
)
# Where a message is about a key, also two stars, a long run of letters and digits, and the word
# after "key".
_KEY_FRAGMENT = re.compile(
    r"\S*\*{2,}\S*|\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}"
    r"|(?<=\bBearer )\S+|(?<=[Kk]ey provided: )\S+|(?<=[Kk]ey: )\S+|(?<=[Kk]ey=)\S+"
    r"|(?<=[Tt]oken: )\S+"
)
# The class name with which a library's error begins.
_CLASS_NAME = re.compile(r"^(?:\w+\.)*\w*(?:Error|Timeout|Exception|Disconnected)(?::\s*|$)")


@dataclass
class StatusError(Exception):
    """The server answered with an error status.

    Attributes:
        status: the HTTP status.
        message: the server's message.
        code: the server's code of the error.
        param: the parameter that the server objects to.
        headers: of the answer, by lower-case name.
        text: the beginning of the whole body, for the probe. It is never shown.
    """

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        """Free the server's texts, which are shown and stored, of what controls a terminal."""
        self.message = without_controls(self.message)
        self.code = without_controls(self.code) if self.code else self.code
        self.param = without_controls(self.param) if self.param else self.param

    def __str__(self) -> str:
        """The status, the code and the server's message, without any part of a key."""
        message = self.words if self._is_about_a_key else _KEY_MARK.sub("[key]", self.message)
        return f"HTTP {self.status} {self.code or ''}: {message}".replace(" :", ":")

    @property
    def kind(self) -> Kind:
        """What the answer means, by its status and its words."""
        return kind_of(self.status, self.code, self.message)

    @property
    def likeness(self) -> tuple[int, str]:
        """What refusals for one reason have in common; see `refusals.likeness`."""
        return likeness(self.status, self.code, self.message)

    @property
    def words(self) -> str:
        """The server's words in one line, without any part of a key."""
        words = _KEY_MARK.sub("[key]", plain_words(self.message))
        return _KEY_FRAGMENT.sub("[key]", words) if self._is_about_a_key else words

    @property
    def shown(self) -> str:
        """The status and the server's words, for a person."""
        return f"HTTP {self.status}: {self.words or self.code or 'without a message'}"

    @property
    def is_billing(self) -> bool:
        """Whether the account has no credit, so that no request can succeed."""
        return self.kind == "billing"

    @property
    def concerns_all(self) -> bool:
        """Whether the answer is about the key, the model or the address, and not the request.

        A server may send it for one request all the same, such as 403 for a moderated prompt.
        """
        return self.kind in ACCESS_KINDS

    @property
    def fatal(self) -> bool:
        """Whether no request can succeed, if no other request has succeeded."""
        return self.is_billing or self.concerns_all

    @property
    def rate_limited(self) -> bool:
        """Whether a rate limit is the cause, so that the request may succeed after a wait."""
        return self.kind == "rate_limit"

    @property
    def asks_for_long_wait(self) -> bool:
        """Whether the server asks for a wait that is too long for this run."""
        return (self.retry_after or 0.0) > LONGEST_WAIT_SECONDS

    @property
    def server_fault(self) -> bool:
        """Whether the server, and not the request, is the cause."""
        return self.kind == "server"

    @property
    def is_transient(self) -> bool:
        """Whether the same request may succeed later."""
        if self.fatal or self._is_too_large:
            return False
        wish = self.headers.get("x-should-retry")
        if wish in {"true", "false"}:
            return wish == "true"
        if self.asks_for_long_wait:
            return False
        return self.kind in TRANSIENT_KINDS

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait, as the server asks.

        Some servers state the wait of a 429 only as the time at which the limit is full again.
        """
        asked = retry_after(self.headers)
        if asked is None and self.status == _TOO_MANY_REQUESTS:
            remaining = self.headers.get("x-ratelimit-remaining", "0")
            return reset_of(self.headers) if remaining in {"0", "0.0"} else None
        return asked

    @property
    def _is_too_large(self) -> bool:
        return self.status == _TOO_MANY_REQUESTS and self.kind == "context"

    @property
    def _is_about_a_key(self) -> bool:
        return self.status in _KEY_STATUSES or self.kind == "key"


@dataclass
class OversizedReplyError(StatusError):
    """The server answered with success, and its body has no end. It may have been billed.

    The same request would bring the same body again, so it counts as refused.
    """

    @property
    def kind(self) -> Kind:
        """It is a refusal for none of the known reasons."""
        return "request"

    @property
    def is_transient(self) -> bool:
        """No other attempt brings a shorter body."""
        return False


_OK = 200
_SHOWN_CHARACTERS = 300  # of a page that has no title


class NoCompletionError(StatusError):
    """The server answered HTTP 200 with something that is no completion, such as a sign-in page.

    Args:
        body: the whole body.
    """

    def __init__(self, body: str) -> None:
        super().__init__(_OK, body)

    @property
    def kind(self) -> Kind:
        """No words of a page say that the key or the account is refused."""
        return "request"

    @property
    def words(self) -> str:
        """The words of the page or its title, without any part of a key."""
        return _KEY_FRAGMENT.sub("[key]", super().words)[:_SHOWN_CHARACTERS]

    @property
    def shown(self) -> str:
        """The status and the words of the page, for a person."""
        return f"HTTP {_OK}: {self.words or 'an empty body'}"


class LostReplyError(Exception):
    """The request was sent, and no complete reply came. It may have been billed."""


class UnreachedServerError(Exception):
    """The request never reached the server."""


def unwritable_error(error: OSError) -> TeacherError:
    """The error that the disk takes no more replies."""
    return TeacherError(
        f"Replies can't be written to disk ({error}), so no more requests were sent. Free some "
        "space, then run again: stored replies are not paid for again."
    )


def long_wait_message(error: StatusError) -> str:
    """The message that the server asks for a wait that is too long for this run."""
    return (
        f"The teacher asks to wait for {error.retry_after or 0.0:,.0f} seconds (HTTP "
        f"{error.status}), as servers do when a limit per day is used up. All replies so far are "
        "stored. Run again after that time: stored replies are not paid for again."
    )


def unsendable_key_error() -> TeacherError:
    """The error that no HTTP header can hold the key."""
    return TeacherError(
        "OPENAI_API_KEY holds a character that no HTTP header can hold (a line break, a space, or "
        "a character that is not ASCII). Copy the key again, without any other characters."
    )


def label_of(error: Exception) -> str:
    """An error in two or three words, to count errors of a kind together."""
    if isinstance(error, StatusError):
        limit = " (rate limit)" if error.rate_limited else ""
        return f"HTTP {error.status}{limit}"
    if isinstance(error, UnreachedServerError):
        return "server not reached"
    return "no complete reply" if isinstance(error, LostReplyError) else "fault of this program"


def described(error: Exception) -> str:
    """An error in words for a person: the server's words, and no class name of a library."""
    if isinstance(error, StatusError):
        return error.shown
    words = str(error)
    while (shorter := _CLASS_NAME.sub("", words, count=1)) != words:
        words = shorter
    if isinstance(error, UnreachedServerError):
        return f"the server was not reached{f': {words}' if words else ''}"
    if isinstance(error, LostReplyError):
        return f"no complete reply came{f': {words}' if words else ' in time'}"
    return words or "an error without a message"


def fatal_advice(error: StatusError, model: str, *, address: str = "", api: str = "") -> str:
    """The message that no request can succeed, with what to do.

    Args:
        error: the server's answer.
        model: the model of the request.
        address: of the server, without credentials.
        api: in use, `chat`, `responses` or `batch`.
    """
    asked = f"model {model!r}"
    asked += f" at {address}" if address else ""
    asked += f" by the API {api!r}" if api else ""
    answer = sentence(f"Asked for: {asked}. The server says: {error.shown}")
    reason = fatal_reason(error, model)
    if error.is_billing:
        return f"{reason} {answer} {help_for('billing')} All replies so far are stored."
    if error.kind == "path":
        reason += " The path may be wrong: at most servers it ends in /v1."
    return (
        f"{reason} {answer} Check OPENAI_API_KEY, OPENAI_BASE_URL, "
        "BIOINSTRUCT_TEACHER_MODEL and BIOINSTRUCT_API. All replies so far are stored."
    )


def fatal_reason(error: StatusError, model: str) -> str:
    """Why no request can succeed, in one sentence."""
    if error.is_billing:
        return f"The teacher refuses further requests: {error.code or f'HTTP {error.status}'}."
    if error.kind == "model":
        return f"The teacher has no model {model!r} (HTTP {error.status})."
    if error.kind == "path":
        return (
            f"No API answers at this path (HTTP {error.status}), or the server has no model "
            f"{model!r}."
        )
    return f"The teacher rejects the key (HTTP {error.status})."


def sentence(text: str) -> str:
    """The text with a full stop at its end, if it has no such mark."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def refused_message(
    error: StatusError, count: int, model: str, *, address: str, api: str, stored: int
) -> str:
    """The message that the server refuses one request after the other, with what to do.

    Args:
        error: the last refusal.
        count: requests refused in a row.
        model: the model of the requests.
        address: of the server, without credentials.
        api: in use, `chat` or `responses`.
        stored: completions that the round stored.
    """
    said = sentence(f"The server says: {error.shown}")
    if isinstance(error, NoCompletionError):
        return (
            f"The server answered {count} different requests with HTTP {_OK} and no completion, "
            f"and it sent no completion in between. {said} A page of a proxy or of a sign-in may "
            "stand before the server. Check OPENAI_BASE_URL, whose path mostly ends in /v1, and "
            f"the network. Asked for: model {model!r} at {address} by the API {api!r}. {stored} "
            "answers of this round are stored, and the column body of the table completions keeps "
            "their text."
        )
    return (
        f"The teacher refused {count} different requests, and it accepted none in between. {said} "
        f"{help_for(error.kind)} Asked for: model {model!r} at {address} by the API {api!r}. "
        f"{stored} completions of this round are stored, and they are not paid for again."
    )


def stalled_message(minutes: float, why: str, last: str | None, stored: int) -> str:
    """The message that the round ended because nothing went on.

    Args:
        minutes: how long no request was answered.
        why: what the round waited for.
        last: the last error in words.
        stored: completions that the round stored.
    """
    said = sentence(f" The last error: {last}") if last else ""
    return (
        f"No request was answered for {minutes:,.3g} minutes (BIOINSTRUCT_STALL_MINUTES): {why}."
        f"{said} {stored} completions of this round are stored. Run again when the server "
        "answers, or when its limit allows: stored completions are not paid for again."
    )
