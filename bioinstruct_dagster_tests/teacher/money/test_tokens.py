"""Tokens of a request: a bound that no reply passes, and an expectation that replies teach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.money.tokens import (
    BYTES_PER_TOKEN,
    FIRST_OUTPUT_SHARE,
    RequestSize,
    TokenForecast,
    size_of,
)
from bioinstruct_dagster.teacher.requests import TeacherRequest

PRICE = Price(input=2.0, output=8.0, cached_input=0.5, batch=0.5, flex=0.5)


def request(*texts: str, limit: int = 100, **parameters) -> TeacherRequest:
    return TeacherRequest(
        purpose="generation",
        teacher="openai",
        model="gpt-4.1",
        parameters={"max_completion_tokens": limit, **parameters},
        messages=[{"role": "user", "content": text} for text in texts],
        template_id="t/1",
        template_sha256="0" * 64,
    )


@given(st.lists(st.text(), min_size=1, max_size=4), st.integers(0, 5_000))
def test_no_byte_level_tokenizer_passes_the_token_bound(texts, limit):
    # The worst that such a tokenizer can do is a token for each byte; a chat format adds its own.
    size = size_of(request(*texts, limit=limit))
    each_byte = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    assert size.max_tokens >= each_byte + 4 * len(texts) + 3 + limit


def test_a_response_format_counts_as_prompt():
    form = {"type": "json_schema", "json_schema": {"name": "x" * 1_000}}
    plain, formed = size_of(request("a")), size_of(request("a", response_format=form))
    assert formed.max_tokens - plain.max_tokens >= 1_000
    # Measured anew where it is another object, even one that took a dead one's place in memory.
    for length in range(1, 200):
        other = {"type": "json_schema", "json_schema": {"name": "x" * length}}
        size = size_of(request("a", response_format=other))
        assert size.prompt_bytes - plain.prompt_bytes == len(str(other))


@given(st.integers(0, 10**6), st.integers(0, 10**5), st.floats(0, 1), st.floats(0, 1))
def test_no_reply_within_its_limit_passes_the_maximum_cost(prompt, output, one, other):
    size = RequestSize(prompt, 48, output)
    tokens = (int((prompt + 48) * one), int(output * other))
    for service in ("online", "flex", "batch"):
        max_cost = size.max_cost(PRICE, service)
        # Flex may be answered, and billed, as the standard tier.
        for billed in {service, "online"} if service == "flex" else {service}:
            cost = PRICE.usd(*tokens, service=billed)
            assert cost <= max_cost.usd
        assert sum(tokens) <= max_cost.tokens


def test_batch_is_reserved_at_its_price_flex_at_the_standard():
    size = RequestSize(1_000, 0, 1_000)
    online, flex, batch = (size.max_cost(PRICE, s).usd for s in ("online", "flex", "batch"))
    assert (online, flex, batch) == (0.010, 0.010, 0.005)


def test_without_a_price_only_the_tokens_are_known():
    max_cost = RequestSize(10, 0, 5).max_cost(None, "online")
    assert (max_cost.usd, max_cost.tokens) == (None, 15)


def test_before_any_reply_the_expectation_is_the_rule_of_thumb():
    size = RequestSize(4_000, 48, 3_000)
    model = TokenForecast()
    assert model.prompt(size) == 4_000 / BYTES_PER_TOKEN
    assert model.output(size) == 3_000 * FIRST_OUTPUT_SHARE
    assert model.total(size) == model.prompt(size) + model.output(size)


def test_replies_replace_the_rule_of_thumb_and_refine_it():
    size, model = RequestSize(4_000, 0, 3_000), TokenForecast()
    model.learn(size, 800, 600)
    assert model.total(size) == pytest.approx(1_400)
    for _ in range(200):
        model.learn(size, 1_000, 300)
    assert model.total(size) == pytest.approx(1_300, rel=0.01)


def test_a_forecast_follows_replies_and_not_their_limit():
    size, model = RequestSize(400, 0, 30_000), TokenForecast()
    for _ in range(5):
        model.learn(size, 100, 10)
    assert model.output(size) == pytest.approx(10)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=50))
def test_a_forecast_stays_above_zero_for_any_usage(reports):
    size, model = RequestSize(1_000, 0, 500), TokenForecast()
    for prompt, output in reports:
        model.learn(size, prompt, output)
        assert 0 < model.prompt(size) < float("inf")
        assert 0 <= model.output(size) < float("inf")


def test_replies_without_usage_or_output_teach_nothing():
    model = TokenForecast()
    before = model.total(RequestSize(1_000, 0, 500))
    model.learn(RequestSize(1_000, 0, 0), 0, 0)
    assert model.total(RequestSize(1_000, 0, 500)) == before
