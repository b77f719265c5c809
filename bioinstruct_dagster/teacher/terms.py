"""The terms of a round: its pace, caps, service and dialect; and its budget.

Belongs here: making `Terms` from the settings, and a `Budget` from the terms and the store. Does
not: sending requests (flow.sending), or what one request reserves and costs (money.settling).
"""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from bioinstruct_dagster.settings import DEFAULT_MODELS, Service, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.budget import (
    PICODOLLARS,
    Budget,
    BudgetError,
    Cap,
    Unit,
    picodollars,
)
from bioinstruct_dagster.teacher.money.prices import Price, price_of
from bioinstruct_dagster.teacher.output_limits import OutputLimits
from bioinstruct_dagster.teacher.wire.client import FLEX_TIMEOUT_SECONDS
from bioinstruct_dagster.teacher.wire.dialect import Dialect

_SECONDS_PER_MINUTE = 60.0
_REHEARSAL_MODEL = DEFAULT_MODELS["rehearsal"]

# Completions that were stored without a price are priced now, if the price list has their model.
SETTLED_SPEND = """
    select
        model_asked,
        sum(usd) as usd,
        sum(coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0))::bigint as tokens,
        coalesce(sum(prompt_tokens) filter (where usd is null), 0)::bigint
            as unpriced_prompt_tokens,
        coalesce(sum(completion_tokens) filter (where usd is null), 0)::bigint
            as unpriced_completion_tokens
    from completions
    where ($run_id is null or run_id = $run_id) and ($purpose is null or purpose = $purpose)
    group by all
"""

# A request that was sent but never answered has no purpose in the store, so it counts for each.
UNSETTLED_SPEND = """
    select
        sum(usd) as usd,
        coalesce(sum(tokens), 0)::bigint as tokens,
        count(*) filter (where usd is null) as unpriced
    from spend
    where kind != 'settled'
      and ($run_id is null or run_id = $run_id)
      and ($purpose is null or purpose is null or purpose = $purpose)
"""


# Replies that the server billed above the limit of output tokens. The probe finds out whether a
# server heeds the limit, so its replies don't count.
REPLIES_OVER_LIMIT = """
    select count(*) as replies
    from completions
    where purpose != 'probe'
      and ($run_id is null or run_id = $run_id)
      and ($purpose is null or purpose = $purpose)
      and completion_tokens > (parameters ->> 'max_completion_tokens')::bigint
"""


@dataclass(frozen=True)
class PurposeCap:
    """A cap on what one run may spend on requests with one purpose, beside the other caps.

    Attributes:
        purpose: of the requests.
        setting: the setting of the cap in dollars, such as BIOINSTRUCT_JUDGE_MAX_USD. That of the
            cap in tokens has TOKENS in place of USD.
        max_usd: in dollars; None for no cap.
        max_tokens: in tokens; None for no cap.
    """

    purpose: str
    setting: str
    max_usd: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Terms:
    """How a round sends its requests.

    Attributes:
        concurrency: the most requests in flight.
        requests_per_minute: the user's own limit.
        tokens_per_minute: the user's own limit.
        known_limits: the server's limits per minute (requests, tokens), from its probe.
        max_usd: the project's cap in dollars; None for no cap.
        max_tokens: the project's cap in tokens; None for no cap.
        run_max_usd: the run's cap in dollars; None for no cap.
        run_max_tokens: the run's cap in tokens; None for no cap.
        service: online, flex or batch.
        dialect: the form in which the server takes requests.
        run_id: the run whose caps the requests count towards.
        output_limits: the user's limits of output, and the effort of reasoning.
        batch_tokens: the most prompt tokens in open batches; None if only the server knows.
        stall_minutes: how long the round waits without any reply before it ends.
        purpose_cap: a cap of the requests' purpose; None for no cap.
    """

    concurrency: int = 16
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    known_limits: tuple[float | None, float | None] = (None, None)
    max_usd: float | None = None
    max_tokens: int | None = None
    run_max_usd: float | None = None
    run_max_tokens: int | None = None
    service: Service = "online"
    dialect: Dialect = field(default_factory=Dialect)
    run_id: str | None = None
    output_limits: OutputLimits = field(default_factory=OutputLimits)
    batch_tokens: int | None = None
    stall_minutes: float = 10.0
    purpose_cap: PurposeCap | None = None

    @property
    def stall_seconds(self) -> float:
        """Seconds without any reply after which it ends. A reply of flex may take longer."""
        seconds = self.stall_minutes * _SECONDS_PER_MINUTE
        return max(seconds, FLEX_TIMEOUT_SECONDS) if self.service == "flex" else seconds


def terms_of(settings: Settings, run_id: str | None = None, **changed: Any) -> Terms:
    """The terms of the settings, with the changes of one run."""
    terms = Terms(
        concurrency=settings.teacher.concurrency,
        requests_per_minute=settings.teacher.requests_per_minute,
        tokens_per_minute=settings.teacher.tokens_per_minute,
        max_usd=settings.caps.max_usd,
        max_tokens=settings.caps.max_tokens,
        run_max_usd=settings.caps.run_max_usd,
        run_max_tokens=settings.caps.run_max_tokens,
        service=settings.teacher.service,
        run_id=run_id,
        output_limits=OutputLimits(
            settings.teacher.output_tokens_per_task,
            settings.teacher.reasoning_tokens,
            settings.teacher.reasoning_effort,
        ),
        batch_tokens=settings.teacher.batch_tokens,
        stall_minutes=settings.teacher.stall_minutes,
    )
    return replace(terms, **{name: v for name, v in changed.items() if v is not None})


def budget_of(terms: Terms, store: Store, model: str) -> Budget:
    """The caps of a round, with the spending in the store.

    Raises:
        BudgetError: a dollar cap is set, and the model or an earlier request has no price.
    """
    price = price_of(model)
    # The dollars of a rehearsal are those of a pretended price. They count in a rehearsal, so that
    # a cap can be watched at work, but never towards the cap of a teacher that is paid.
    pretends = model == _REHEARSAL_MODEL
    project = _Spending(store, None, pretends=pretends)
    # A run without an id has no earlier spending.
    run = _Spending(store, terms.run_id, pretends=pretends) if terms.run_id else None
    limits: list[tuple[str, float | None, Unit, _Spending | None]] = [
        ("BIOINSTRUCT_MAX_USD", terms.max_usd, "usd", project),
        ("BIOINSTRUCT_MAX_TOKENS", terms.max_tokens, "tokens", project),
        ("BIOINSTRUCT_RUN_MAX_USD", terms.run_max_usd, "usd", run),
        ("BIOINSTRUCT_RUN_MAX_TOKENS", terms.run_max_tokens, "tokens", run),
    ]
    if cap := terms.purpose_cap:
        own = None
        if terms.run_id:
            own = _Spending(store, terms.run_id, cap.purpose, pretends=pretends)
        limits += [
            (cap.setting, cap.max_usd, "usd", own),
            (cap.setting.replace("USD", "TOKENS"), cap.max_tokens, "tokens", own),
        ]
    caps = []
    for setting, limit, unit, spending in limits:
        if limit is None or limit == float("inf"):
            continue
        if unit == "usd" and price is None:
            raise BudgetError(
                f"{setting} is set, but data/prices.yaml has no price for {model!r}: a cap in "
                "dollars can't be held. Add the model with its price, or cap tokens instead "
                f"({setting.replace('USD', 'TOKENS')})."
            )
        spent = spending.in_unit(unit, setting) if spending else 0
        whole = int(limit * PICODOLLARS) if unit == "usd" else int(limit)
        over_limit = spending.replies_over_limit if spending and spent else 0
        caps.append(Cap(setting, unit, whole, spent, over_limit=over_limit, pretended=pretends))
    return Budget(caps)


class _Spending:
    """The spending of a run or of the whole project, for all purposes or for one.

    The store is read once, at the first use.
    """

    def __init__(
        self, store: Store, run_id: str | None, purpose: str | None = None, *, pretends: bool
    ) -> None:
        self._store = store
        self._pretends = pretends
        self._key = {"run_id": run_id, "purpose": purpose}

    @cached_property
    def _rows(self) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """The settled spending by model, and the presumed and reserved spending."""
        unsettled = self._store.rows(UNSETTLED_SPEND, self._key)[0]
        return self._store.rows(SETTLED_SPEND, self._key), unsettled

    @cached_property
    def replies_over_limit(self) -> int:
        """The number of replies that the server billed above their limit."""
        return int(self._store.rows(REPLIES_OVER_LIMIT, self._key)[0]["replies"])

    def in_unit(self, unit: Unit, setting: str) -> int:
        """The spending in picodollars or in tokens."""
        if not self._store.path.exists():
            return 0
        settled, unsettled = self._rows
        if unit == "tokens":
            return int(unsettled["tokens"] + sum(row["tokens"] for row in settled))
        if unsettled["unpriced"]:
            raise _unpriced(setting, "requests without a reply")
        usd = unsettled["usd"] or 0.0
        for row in settled:
            if row["model_asked"] == _REHEARSAL_MODEL and not self._pretends:
                continue
            usd += (row["usd"] or 0.0) + _priced_now(row, setting)
        return picodollars(usd)


def _priced_now(row: dict[str, Any], setting: str) -> float:
    prompt, output = row["unpriced_prompt_tokens"], row["unpriced_completion_tokens"]
    if not prompt and not output:
        return 0.0
    price: Price | None = price_of(row["model_asked"])
    if price is None:
        raise _unpriced(setting, f"completions of {row['model_asked']!r}")
    return price.usd(prompt, output)


def _unpriced(setting: str, what: str) -> BudgetError:
    return BudgetError(
        f"{setting} is set, but the store holds {what} of unknown price, so the rest of the cap is "
        "unknown. Add the model to data/prices.yaml, cap tokens or single runs instead, or use a "
        "new BIOINSTRUCT_DATA_DIR."
    )
