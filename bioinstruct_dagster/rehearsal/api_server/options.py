"""The options of the rehearsal server: its limits, faults, formats and batches.

Belongs here: the options, and what makes them valid. Does not: serving (app), or reading options
from a command line (cli).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bioinstruct_dagster.errors import StatedError

FORMATS = frozenset({"json_schema", "json_object"})
SERVICE_TIERS = frozenset({"default", "flex"})

# Faults that refuse a request before it is processed; nothing is billed.
LIMIT_FAULTS = ("rate_limited", "rate_limited_bare")
# Faults that answer with an error status after the request was admitted; nothing is billed.
STATUS_FAULTS = {"server_error": 500, "unavailable": 503}
# Faults of the transport; the server has computed the answer, so it is billed.
TRANSPORT_FAULTS = ("reset", "slow", "truncated_json")
# Faults of the answer's content, in a reply that is otherwise correct.
CONTENT_FAULTS = ("refusal", "length", "wrong_schema", "empty", "malformed")
FAULTS = (*LIMIT_FAULTS, *STATUS_FAULTS, *TRANSPORT_FAULTS, *CONTENT_FAULTS)
# A batch has no rate limit and no connection to break.
BATCH_FAULTS = ("server_error", *CONTENT_FAULTS)

MINUTE = 60.0


class OptionsError(StatedError):
    """An option is invalid or unknown, or options contradict each other; lists all faults."""


@dataclass(frozen=True)
class ServerOptions:
    """The options of a rehearsal server. With the defaults it answers every request at once.

    Attributes:
        latency: seconds that every answer takes.
        rpm: requests admitted a minute; None means no limit.
        tpm: tokens, of prompt and answer, admitted a minute; None means no limit.
        burst_seconds: seconds of the limit that may be spent at once.
        faults: share of requests that meet each fault, by the fault's name.
        fault_seed: seed of the choice of requests that meet a fault.
        fault_attempts: most faults that one request meets; None means no limit.
        key: the only accepted API key; None accepts every request, also one without a key.
        quota_requests: answers after which the quota is used up; None means no quota.
        formats: the structured response formats accepted.
        service_tiers: the service tiers that can be asked for.
        batch_seconds: seconds from a batch's creation to its completion.
        batch_expire_share: share of a batch's lines, its last ones, that expire unanswered.
        batch_max_lines: lines that a batch may have.
        batch_max_bytes: bytes that a batch's input file may have.
        batch_token_limit: prompt tokens that open batches may hold together; None means no limit.
        state_dir: folder of files and batches; None keeps them in memory.
        answer_tokens: tokens that every answer counts; None estimates them from its length.
        prompt_tokens: tokens that every prompt counts; None estimates them from its length.
        slow_seconds: seconds over which the fault `slow` spreads a reply's body.
    """

    latency: float = 0.0
    rpm: float | None = None
    tpm: float | None = None
    burst_seconds: float = 1.0
    faults: Mapping[str, float] = field(default_factory=dict)
    fault_seed: int = 0
    fault_attempts: int | None = None
    key: str | None = field(default=None, repr=False)
    quota_requests: int | None = None
    formats: frozenset[str] = FORMATS
    service_tiers: frozenset[str] = SERVICE_TIERS
    batch_seconds: float = 0.0
    batch_expire_share: float = 0.0
    batch_max_lines: int = 50_000
    batch_max_bytes: int = 200 * 10**6
    batch_token_limit: int | None = None
    state_dir: Path | None = None
    answer_tokens: int | None = None
    prompt_tokens: int | None = None
    slow_seconds: float = 30.0

    def __post_init__(self) -> None:
        mistakes = [*self._wrong_numbers(), *self._wrong_faults(), *self._wrong_choices()]
        if mistakes:
            raise OptionsError(
                "The rehearsal server's options are wrong: " + "; ".join(mistakes) + "."
            )

    def _wrong_numbers(self) -> Iterator[str]:
        for name in ("rpm", "tpm"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                yield f"{name} is {value}, and must be above 0 (leave it out for no limit)"
        if not 0 < self.burst_seconds <= MINUTE:
            yield f"burst_seconds is {self.burst_seconds}, and must be above 0 and at most 60"
        for name in ("latency", "batch_seconds", "slow_seconds"):
            if not 0 <= getattr(self, name) < float("inf"):
                yield f"{name} is {getattr(self, name)}, and must be 0 or more seconds"
        for name in ("fault_attempts", "quota_requests", "answer_tokens", "prompt_tokens"):
            value = getattr(self, name)
            if value is not None and value < 0:
                yield f"{name} is {value}, and must be 0 or more"
        for name in ("batch_max_lines", "batch_max_bytes", "batch_token_limit"):
            value = getattr(self, name)
            if value is not None and value < 1:
                yield f"{name} is {value}, and must be 1 or more"

    def _wrong_faults(self) -> Iterator[str]:
        for name, share in self.faults.items():
            if name not in FAULTS:
                yield f"there is no fault {name!r} (there are {', '.join(FAULTS)})"
            if not 0 <= share <= 1:
                yield f"the share of fault {name!r} is {share}, and must be between 0 and 1"
        if sum(self.faults.values()) > 1 + 1e-9:
            yield f"the shares of the faults add up to {sum(self.faults.values()):g}, above 1"
        if not 0 <= self.batch_expire_share <= 1:
            yield f"batch_expire_share is {self.batch_expire_share}, and must be between 0 and 1"

    def _wrong_choices(self) -> Iterator[str]:
        for name, known in (("formats", FORMATS), ("service_tiers", SERVICE_TIERS)):
            for value in sorted(getattr(self, name) - known):
                yield f"{name} names {value!r} (there are {', '.join(sorted(known))})"
