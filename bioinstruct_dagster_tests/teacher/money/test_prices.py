"""Prices: dollars from tokens, and no guess where the list has no price."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.settings import DEFAULT_MODELS
from bioinstruct_dagster.teacher.money.prices import (
    PricesError,
    billed_service,
    price_of,
    read_prices,
)


def test_a_completion_costs_what_its_tokens_cost():
    price = price_of("gpt-4.1")
    assert price.usd(1_000_000, 0) == price.input == pytest.approx(2.0)
    assert price.usd(0, 1_000_000) == price.output == pytest.approx(8.0)
    assert price.usd(1_200, 3_000) == pytest.approx(0.0024 + 0.024)


@pytest.mark.parametrize("model", ["gpt-4.1-2025-04-14", "GPT-4.1", "", "a-local-model"])
def test_a_model_that_is_not_listed_has_no_price(model):
    assert price_of(model) is None


def test_the_default_models_are_listed_and_the_rehearsal_pretends_a_price():
    assert all(price_of(model) for model in DEFAULT_MODELS.values())
    pretended, real = price_of("rehearsal-teacher"), price_of("gpt-4.1")
    assert pretended == replace(real, pretended=True)
    assert not real.pretended


def test_output_never_costs_less_than_input():
    assert [name for name, price in read_prices().items() if price.output < price.input] == []


def test_prices_are_read_from_the_file_that_is_named(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text("batch: 0.5\nflex: 0.25\nmodels:\n  mine: {input: 1, output: 2.5}\n", "utf-8")
    (name,) = read_prices(path)
    assert name == "mine"
    assert read_prices(path)[name].usd(2_000_000, 2_000_000) == pytest.approx(7.0)


SOUND = """\
batch: 0.5
flex: 0.25
models:
  mine: {input: 1, output: 2.5, cached_input: 0, flex: 0.75}
  other: {input: 3, output: 4}
"""


def test_a_model_may_have_shares_and_a_cached_price_of_its_own(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text(SOUND, "utf-8")
    mine, other = read_prices(path).values()
    assert (mine.cached_input, mine.batch, mine.flex) == (0, 0.5, 0.75)
    assert (other.cached_input, other.batch, other.flex) == (None, 0.5, 0.25)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("input: 3, ", "", "5: models.other.input: missing; add it"),
        ("output: 4", "output: -4", "5: models.other.output: must be at least 0, not -4 (in US"),
        ("output: 4", "output: four", "5: models.other.output: must be a number, not 'four'"),
        ("output: 4", "output: '4'", "5: models.other.output: must be a number, not '4'; write"),
        ("output: 4", "output: yes", "5: models.other.output: must be a number, not true"),
        ("output: 4", "output: ", "5: models.other.output: has no value; it must be a number"),
        ("output: 4", "output: .nan", "5: models.other.output: must be a finite number, not nan"),
        ("output: 4", "output: .inf", "5: models.other.output: must be a finite number, not inf"),
        ("output: 4", "ouput: 4", "5: models.other.ouput: unknown key 'ouput'; did you mean 'ou"),
        ("cached_input: 0", "cached_input: -1", "4: models.mine.cached_input: must be at least 0"),
        ("flex: 0.75", "flex: half", "4: models.mine.flex: must be a number, not 'half'"),
        ("output: 4", "output: 1:30", "5: models.other.output: must be a number, not '1:30'; wr"),
        ("output: 4", "output: 010", "5: models.other.output: must be a number, not '010'; write"),
        ("  other:", "  ' mine ':", "5: models.' mine ': ' mine ' has blanks around it"),
        ("  other:", "  '':", "5: models.'': is empty"),
        ("batch: 0.5", "as_of: 2026\nbatch: 0.5", "1: as_of: must be a date, such as 2026-10-14"),
        ("batch: 0.5\n", "", "1: batch: missing; add it"),
        ("flex: 0.25", "flex: -1", "2: flex: must be at least 0, not -1 (a share of"),
        ("models:", "model:", "1: models: missing; add it"),
        ("  other: {input: 3, output: 4}", "  other: 3", "5: models.other: must be names with"),
        ("  other:", "  4:", "5: models: YAML reads the key 4 as a number, not as text; put it in"),
        ("  other:", "  mine:", "5: models.mine: given twice, first in line 4; keep one"),
    ],
)
def test_a_malformed_price_list_is_a_stated_error(tmp_path, old, new, said):
    path = tmp_path / "prices.yaml"
    assert SOUND.count(old) == 1
    path.write_text(SOUND.replace(old, new), "utf-8")
    with pytest.raises(PricesError) as raised:
        price_of("mine", path)
    assert f"{path}:{said}" in str(raised.value)


@pytest.mark.parametrize(
    ("tier", "asked", "factor"),
    [
        (None, "online", 1), ("default", "online", 1), ("auto", "online", 1), ("", "online", 1),
        ("on_demand", "online", 1), ("scale", "online", 1),
        # A cheaper tier that nobody asked for does not make a reply cheaper.
        ("batch", "online", 1), ("flex", "online", 1), ("batch", "flex", 1),
        ("flex", "flex", 0.5), ("default", "flex", 1),
        (None, "batch", 0.5), ("priority", "batch", 0.5),
        # A dearer tier, and one that is not known, count at the most.
        ("priority", "online", 2.5), ("priority", "flex", 2.5), ("turbo", "online", 2.5),
    ],
)  # fmt: skip
def test_a_tier_is_never_counted_below_its_price(tier, asked, factor):
    price = price_of("gpt-4.1")
    service = billed_service(tier, asked)
    assert price.usd(100, 10, service=service, tier=tier) == pytest.approx(
        price.usd(100, 10) * factor
    )


def test_a_list_may_state_the_price_of_a_dearer_tier(tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text(SOUND.replace("cached_input: 0", "cached_input: 0, dearer: 1.75"), "utf-8")
    mine, other = read_prices(path).values()
    assert (mine.dearer, other.dearer) == (1.75, 2.5)
