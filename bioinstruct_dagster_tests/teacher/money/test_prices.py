"""Prices: dollars from tokens, and no guess where the list has no price."""

import pytest

from bioinstruct_dagster.settings import DEFAULT_MODELS
from bioinstruct_dagster.teacher.money.prices import price_of, read_prices


def test_a_completion_costs_what_its_tokens_cost():
    price = price_of("gpt-4.1")
    assert price.usd(1_000_000, 0) == price.input == pytest.approx(2.0)
    assert price.usd(0, 1_000_000) == price.output == pytest.approx(8.0)
    assert price.usd(1_200, 3_000) == pytest.approx(0.0024 + 0.024)


@pytest.mark.parametrize("model", ["gpt-4.1-2025-04-14", "GPT-4.1", "", "a-local-model"])
def test_a_model_that_is_not_listed_has_no_price(model):
    assert price_of(model) is None


def test_the_default_models_are_listed_and_the_rehearsal_is_free():
    assert all(price_of(model) for model in DEFAULT_MODELS.values())
    assert price_of("rehearsal-teacher").usd(10**9, 10**9) == 0


def test_output_never_costs_less_than_input():
    assert [name for name, price in read_prices().items() if price.output < price.input] == []


def test_prices_are_read_from_the_file_that_is_named(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("batch: 0.5\nflex: 0.25\nmodels:\n  mine: {input: 1, output: 2.5}\n", "utf-8")
    (name,) = read_prices(path)
    assert name == "mine"
    assert read_prices(path)[name].usd(2_000_000, 2_000_000) == pytest.approx(7.0)
