"""Portions: how many prompt tokens the next batch may hold.

A server limits the prompt tokens that wait in open batches of a model. OpenAI does not tell the
limit before it refuses a batch, and the refusal comes when the batch is created, or minutes later
as a failed batch. So the limit is a setting, or learned from refusals, which the store keeps:

- If the server names its limit, the next portion holds a share of it. The rest is a margin, because
  the tokens of a prompt are estimated.
- If it names none, or refuses less than it named, as with other batches of the same organization in
  its queue, the next portion holds half of the refused tokens.
- After a portion that brought replies, the next one may be twice as large.

Belongs here: reading a refusal, and the size of a portion. Does not: submitting a portion
(submission), or the estimate of the tokens (money.tokens).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

QUEUE_SHARE = 0.8  # of the limit; the other fifth is a margin for the estimate of the tokens
# Refusals of less than this share of the limit show a full queue. Smaller portions would not help.
LEAST_SHARE = 1 / 16
# An estimate that is this many times the limit is certainly above it.
_CERTAINTY = 2.0

BATCHES_OF_MODEL = """
    select state, requests, prompt_tokens, token_limit
    from batches
    where teacher = $teacher and model = $model
      and (teacher = 'rehearsal' or endpoint = $endpoint)
    order by submitted_at
"""

_SIZE_CODES = frozenset(
    {"token_limit_exceeded", "file_too_large", "too_many_tasks", "request_limit_exceeded"}
)
_TOO_LARGE_STATUS = 413
# OpenAI: "Enqueued token limit reached …", "Enqueued request limit reached …", "File is too large."
# Azure: "The number of enqueued tokens has surpassed the configured limit of 30K …".
# And LiteLLM: "Batch contains 9000 tokens but only 2000 tokens remaining out of 4000 TPM limit."
_SIZE_WORDS = re.compile(
    r"enqueued|too many requests: \d"
    r"|\b(?:file|batch|entity|payload|body)\b.{0,60}"
    r"(?:too (?:large|big)\b|exceeds? the (?:configured )?max)"
    r"|batch (?:contains|requires) [\d,]+ (?:tokens|requests)",
    re.IGNORECASE,
)
_NUMBER = r"(\d[\d,._]*)\s*(k|m|b|thousand|million|billion)?\b"
_NAMED_LIMITS = (
    re.compile(rf"limit(?:\s+of|\s+is)?\s*[:=]?\s*{_NUMBER}", re.IGNORECASE),
    re.compile(rf"out of {_NUMBER}\s*(?:tpm|tokens?)\b", re.IGNORECASE),
)
_FACTORS = {"k": 10**3, "m": 10**6, "b": 10**9}


def size_refusal(message: str, code: str | None = None, status: int | None = None) -> int | None:
    """The limit of tokens that a server names as it refuses a batch for its size.

    Args:
        message: the server's words.
        code: the server's code, if it has one.
        status: the HTTP status, if the answer to a request is the refusal.

    Returns:
        The limit; 0 if the server names none; None if the size is not the cause.
    """
    if not (code in _SIZE_CODES or status == _TOO_LARGE_STATUS or _SIZE_WORDS.search(message)):
        return None
    if "token" in f"{code} {message}".lower() and "enqueued requests" not in message.lower():
        for pattern in _NAMED_LIMITS:
            if found := pattern.search(message):
                return _number(found[1], found[2])
    return 0


def _number(digits: str, unit: str | None) -> int:
    digits = digits.rstrip(",._")
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+", digits):
        digits = digits.replace(".", "")
    whole = re.sub("[,_]", "", digits)
    number = float(whole) if whole.count(".") <= 1 else 0.0
    return int(number * _FACTORS[unit[0].lower()] if unit else number)


@dataclass(frozen=True)
class BatchQueue:
    """The server's queue of batches of one model.

    Attributes:
        largest: the most tokens of the next portion; None if no limit is known.
        ceiling: the most tokens of any portion; None if no limit is known.
        waiting: tokens in our open batches.
    """

    largest: float | None = None
    ceiling: float | None = None
    waiting: int = 0

    @property
    def room(self) -> float | None:
        """The tokens that fit beside our open batches; None if no limit is known."""
        return None if self.largest is None else self.largest - self.waiting

    def fitting(self, tokens: Sequence[int]) -> int:
        """How many of these requests, in order, the next portion may hold.

        If nothing is open, it holds one request at least, unless the limit is smaller than that.
        """
        room = self.room
        if room is None:
            return len(tokens)
        total = 0
        for number, one in enumerate(tokens):
            total += one
            if total > room:
                alone = not self.waiting and not self.is_too_large(one)
                return max(number, 1) if alone else number
        return len(tokens)

    def is_too_large(self, tokens: int) -> bool:
        """Whether one request certainly has more tokens than any batch may hold."""
        if self.ceiling is None:
            return False
        return tokens > _CERTAINTY * self.ceiling / QUEUE_SHARE

    def is_full(self, tokens: int) -> bool:
        """Whether a refusal of so few tokens shows that other batches fill the queue."""
        return self.ceiling is not None and tokens <= self.ceiling * LEAST_SHARE


def size_message(endpoint: Endpoint, model: str, tokens: int, words: str) -> str:
    """The message that the server takes not even a small batch now.

    Args:
        endpoint: the server.
        model: of the batch.
        tokens: the estimated prompt tokens of the batch.
        words: the server's words.
    """
    return (
        f"The Batch API at {endpoint.address} refuses even a batch with about {tokens:,} prompt "
        f"tokens for {model!r}: {endpoint.redacted(words)} Nothing was billed for it. Other "
        "batches of your organization may fill its queue, or a single request is larger than its "
        "limit. Run again when they have ended, or set BIOINSTRUCT_SERVICE=online."
    )


def queue_of(
    store: Store, endpoint: Endpoint, teacher: str, model: str, setting: int | None
) -> BatchQueue:
    """The queue of a server, as its earlier batches show it.

    Args:
        store: holds the batches.
        endpoint: the server.
        teacher: the teacher's name in the settings.
        model: of the batches; each has a queue of its own.
        setting: the user's limit of tokens in open batches; it replaces the learned one.
    """
    key = {"teacher": teacher, "model": model, "endpoint": endpoint.address}
    rows = store.rows(BATCHES_OF_MODEL, key) if store.path.exists() else []
    return _learned(rows, setting)


def _learned(rows: Sequence[Mapping[str, Any]], setting: int | None) -> BatchQueue:
    ceiling = setting * QUEUE_SHARE if setting else None
    largest = ceiling
    for row in rows:
        tokens = row["prompt_tokens"] or 0
        if row["token_limit"] is not None:
            named = row["token_limit"] * QUEUE_SHARE or None
            if named and not setting:
                ceiling = named
            if named and (not tokens or tokens > named):
                largest = named
            elif tokens:  # an earlier version did not note them
                largest = max(tokens / 2, (ceiling or 0.0) * LEAST_SHARE)
        elif row["state"] == "harvested" and largest is not None:
            if setting:
                largest = ceiling
            else:
                largest = max(largest, 2.0 * tokens)
                largest = largest if ceiling is None else min(largest, ceiling)
    waiting = sum(
        row["prompt_tokens"] or 0 for row in rows if row["state"] in {"submitting", "open"}
    )
    return BatchQueue(largest, ceiling, waiting)
