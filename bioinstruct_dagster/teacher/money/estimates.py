"""The estimate of a round, shown before the first request: requests, tokens, dollars, hours.

An estimate comes from earlier replies if there are any, or else from rules of thumb. Belongs here:
estimates and their text. Does not: reading earlier replies (experience), or limits that a round
can't pass (budget).
"""

from dataclasses import dataclass

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.teacher.money.prices import REHEARSAL_DOLLARS, Price
from bioinstruct_dagster.teacher.money.tokens import TokenForecast, size_of
from bioinstruct_dagster.teacher.requests import TeacherRequest

FIRST_LATENCY = 10.0  # seconds that a reply takes, until replies show it
BATCH_HOURS = 24.0  # the Batch API's completion window


@dataclass(frozen=True)
class Estimate:
    """The amounts that a round will probably take.

    No amount is a bound, because lost requests are sent again. Only caps are bounds.

    Attributes:
        requests: requests to send.
        prompt_tokens: their prompt tokens.
        completion_tokens: their completion tokens.
        usd: their dollars; None if the model has no price.
        usd_most: their dollars if every reply has its full length.
        hours: the time that they take.
        from_replies: earlier replies that the estimate comes from.
        reasoning_tokens: the part of the completion tokens that is reasoning.
        pretended: whether the dollars are a rehearsal's, which nobody bills.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    usd: float | None
    usd_most: float | None
    hours: float
    from_replies: int
    reasoning_tokens: int = 0
    pretended: bool = False

    def __str__(self) -> str:
        """One line for the log."""
        dollars = (
            "cost unknown (no price for this model)"
            if self.usd is None or self.usd_most is None
            else f"about ${self.usd:,.2f} (${self.usd_most:,.2f} if every reply has full length)"
            + f" in {REHEARSAL_DOLLARS}" * self.pretended
        )
        basis = (
            f"by {self.from_replies:,} earlier replies" if self.from_replies else "by rule of thumb"
        )
        reasoning = (
            f" (of these {self.reasoning_tokens:,} for reasoning)" if self.reasoning_tokens else ""
        )
        return (
            f"Estimate {basis}: {self.requests:,} requests, {self.prompt_tokens:,} tokens in and "
            f"{self.completion_tokens:,} out{reasoning}, {dollars}, {_shown_time(self.hours)}"
        )


def estimate(
    example: TeacherRequest,
    requests: int,
    forecast: TokenForecast,
    *,
    price: Price | None,
    service: Service,
    concurrency: int,
    latency: float = FIRST_LATENCY,
    requests_per_minute: float | None = None,
    tokens_per_minute: float | None = None,
    from_replies: int = 0,
    reasoning_tokens: float = 0.0,
) -> Estimate:
    """The estimate of a number of requests.

    Args:
        example: a request of the usual size.
        requests: the number of requests.
        forecast: the expected tokens of a request.
        price: of the model.
        service: of the requests.
        concurrency: the most requests in flight.
        latency: seconds that a reply takes.
        requests_per_minute: the limit of the user or the server, if known.
        tokens_per_minute: the limit of the user or the server, if known.
        from_replies: earlier replies that `forecast` and `latency` come from.
        reasoning_tokens: the part of a reply's expected tokens that is reasoning.
    """
    size = size_of(example)
    prompt = round(forecast.prompt(size) * requests)
    output = round(forecast.output(size) * requests)
    max_cost = size.max_cost(price, service).usd
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
        usd_most=max_cost * requests if max_cost is not None else None,
        hours=BATCH_HOURS if service == "batch" and requests else hours,
        from_replies=from_replies,
        reasoning_tokens=round(reasoning_tokens * requests),
        pretended=price is not None and price.pretended,
    )


def _shown_time(hours: float) -> str:
    if hours < 1 / 60:
        return "less than a minute"
    return f"about {hours * 60:.0f} min" if hours < 1 else f"about {hours:.1f} h"
