"""The estimate before a round: requests, tokens, dollars, hours."""

import pytest

from bioinstruct_dagster.teacher.money.estimates import BATCH_HOURS, FIRST_LATENCY, estimate
from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.money.tokens import FIRST_OUTPUT_SHARE, TokenForecast, size_of

PRICE = Price(input=2.0, output=8.0, batch=0.5, flex=0.5)


@pytest.fixture
def of(requests_of):
    """An estimate for requests of the usual kind."""
    (example,) = requests_of(1)

    def make(requests=1_000, usage=None, **changed):
        usual = {"price": PRICE, "service": "online", "concurrency": 100}
        return estimate(example, requests, usage or TokenForecast(), **{**usual, **changed})

    return make


def test_tokens_and_dollars_follow_from_the_size_of_a_request(of, requests_of):
    size = size_of(requests_of(1)[0])
    found = of(requests=1_000)
    assert found.prompt_tokens == pytest.approx(250 * size.prompt_bytes, rel=1e-3)
    assert found.completion_tokens == pytest.approx(1_000 * size.max_output * FIRST_OUTPUT_SHARE)
    assert found.usd == pytest.approx(PRICE.usd(found.prompt_tokens, found.completion_tokens))
    assert found.usd_most == pytest.approx(1_000 * size.max_cost(PRICE, "online").usd)
    assert found.usd < found.usd_most


def test_half_the_price_is_half_the_dollars_by_batch_and_flex(of):
    online = of()
    assert of(service="batch").usd == of(service="flex").usd == online.usd / 2
    # Flex may be billed as the standard tier.
    assert of(service="flex").usd_most == online.usd_most
    assert of(service="batch").usd_most == online.usd_most / 2


def test_an_estimate_without_a_price_says_unknown_cost(of):
    found = of(price=None)
    assert (found.usd, found.usd_most) == (None, None)
    assert "cost unknown" in str(found)
    assert "$" not in str(found)


@pytest.mark.parametrize(
    ("changed", "hours"),
    [
        ({}, 10 * FIRST_LATENCY / 3600),
        ({"latency": 36.0}, 0.1),
        ({"concurrency": 1, "latency": 3.6}, 1.0),
        ({"concurrency": 10_000, "latency": 36.0}, 0.01),  # no more in flight than there are
        ({"requests_per_minute": 10}, 100 / 60),
        ({"requests_per_minute": 10**9, "tokens_per_minute": 10**9}, 10 * FIRST_LATENCY / 3600),
        ({"service": "batch", "requests_per_minute": 10}, BATCH_HOURS),
    ],
)
def test_the_hours_are_those_of_the_tightest_limit(of, changed, hours):
    assert of(**changed).hours == pytest.approx(hours)


def test_the_tightest_limit_sets_the_estimated_hours(of):
    found = of(tokens_per_minute=10_000)
    tokens = found.prompt_tokens + found.completion_tokens
    assert found.hours == pytest.approx(tokens / 10_000 / 60)


def test_nothing_to_ask_takes_nothing(of):
    for service in ("online", "batch"):
        found = of(requests=0, service=service)
        assert (found.requests, found.usd, found.usd_most, found.hours) == (0, 0, 0, 0)


def test_the_log_line_names_every_estimate_and_its_basis(of):
    line = str(of(requests=12_345, latency=40.0))
    assert line.startswith("Estimate by rule of thumb: 12,345 requests, ")
    for part in ("tokens in", "out", "about $", "if every reply has full length", "about 1.4 h"):
        assert part in line
    assert "by 300 earlier replies" in str(of(from_replies=300))
    assert "less than a minute" in str(of(requests=1))
    assert "about 2 min" in str(of(latency=12.0))


def test_the_line_says_how_many_tokens_are_for_reasoning(of):
    assert "reasoning" not in str(of())
    assert "out (of these 4,000,000 for reasoning), about $" in str(of(reasoning_tokens=4_000.0))
