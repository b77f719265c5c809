"""What a round will take, said before the first request: requests, tokens, dollars, hours.

An estimate comes from earlier replies where there are any, or else from rules of thumb. Does not
belong here: the limits that a round can't pass (budget).
"""

from dataclasses import dataclass

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.money.tokens import TokenModel, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest

FIRST_LATENCY = 10.0  # seconds a reply takes, until earlier ones say
BATCH_HOURS = 24.0  # the Batch API's completion window


@dataclass(frozen=True)
class Estimate:
    """What a round will probably take; `usd_most` is its cost if every reply is at its longest.

    Neither is a bound: requests that are lost on the way are sent again. Only caps are bounds.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    usd_most: float | None
    hours: float
    from_replies: int

    def __str__(self) -> str:
        """One line for the log."""
        dollars = (
            "cost unknown (no price for this model)"
            if self.usd is None or self.usd_most is None
            else f"about ${self.usd:,.2f} (${self.usd_most:,.2f} if every reply is at its longest)"
        )
        basis = (
            f"by {self.from_replies:,} earlier replies" if self.from_replies else "by rule of thumb"
        )
        return (
            f"Estimate {basis}: {self.requests:,} requests, {self.prompt_tokens:,} tokens in and "
            f"{self.completion_tokens:,} out, {dollars}, {_time(self.hours)}"
        )


def estimate(
    example: TeacherRequest,
    requests: int,
    usage: TokenModel,
    *,
    price: Price | None,
    service: Service,
    concurrency: int,
    latency: float = FIRST_LATENCY,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    from_replies: int = 0,
) -> Estimate:
    """Estimate so many requests of the example's size."""
    size = size_of(example)
    prompt = round(usage.prompt(size) * requests)
    output = round(usage.output(size) * requests)
    most = size.most(price, service).usd
    hours = max(
        requests * latency / min(concurrency, max(requests, 1)),
        60 * requests / requests_per_minute if requests_per_minute else 0.0,
        60 * (prompt + output) / tokens_per_minute if tokens_per_minute else 0.0,
    ) / 3600  # fmt: skip
    return Estimate(
        requests=requests,
        prompt_tokens=prompt,
        completion_tokens=output,
        usd=price.usd(prompt, output, service=service) if price else None,
        usd_most=most * requests if most is not None else None,
        hours=BATCH_HOURS if service == "batch" and requests else hours,
        from_replies=from_replies,
    )


def _time(hours: float) -> str:
    if hours < 1 / 60:
        return "less than a minute"
    return f"about {hours * 60:.0f} min" if hours < 1 else f"about {hours:.1f} h"
