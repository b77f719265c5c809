"""What a completion cost, from the price list `data/prices.yaml`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import INPUTS, Service

PRICES = INPUTS / "prices.yaml"
# What the API calls the tier it billed; anything else is billed as the standard tier.
_TIERS: dict[str | None, Service] = {"flex": "flex", "batch": "batch"}


class PricesError(StatedError):
    """The price list is malformed; the message names the model and the field."""


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens, and what batch and flex cost as a share of that."""

    input: float
    output: float
    cached_input: float | None = None
    batch: float = 1.0
    flex: float = 1.0

    def usd(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        *,
        cached_tokens: int = 0,
        service: Service = "online",
    ) -> float:
        """Dollars for one completion."""
        cached = self.input if self.cached_input is None else self.cached_input
        full = (
            (prompt_tokens - cached_tokens) * self.input
            + cached_tokens * cached
            + completion_tokens * self.output
        )
        return full * self.factor(service) / 1e6

    def factor(self, service: Service) -> float:
        """What a service costs as a share of the standard price."""
        return {"online": 1.0, "flex": self.flex, "batch": self.batch}[service]


def billed_service(tier: str | None, asked: Service) -> Service:
    """The service that was billed: by the tier that the reply names, since flex may not be given.

    A batch's replies name no tier of their own.
    """
    return "batch" if asked == "batch" else _TIERS.get(tier, "online")


@cache
def read_prices(path: Path = PRICES) -> dict[str, Price]:
    """Prices by model name.

    Raises:
        PricesError: an entry lacks a price, or holds one that is no price.
    """
    document = yaml.safe_load(path.read_text("utf-8"))
    shares = {name: _number(path, document, name, "") for name in ("batch", "flex")}
    prices = {}
    for model, entry in document["models"].items():
        cached = _number(path, entry, "cached_input", model) if "cached_input" in entry else None
        prices[model] = Price(
            _number(path, entry, "input", model),
            _number(path, entry, "output", model),
            cached,
            **{name: float(entry.get(name, share)) for name, share in shares.items()},
        )
    return prices


def price_of(model: str, path: Path = PRICES) -> Price | None:
    """The price of a model as asked, or None where the list has none."""
    return read_prices(path).get(model)


def _number(path: Path, entry: dict[str, Any], field: str, model: str) -> float:
    value = entry.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        where = f"models.{model}.{field}" if model else field
        raise PricesError(
            f"{path}: {where} is {value!r}; it must be a number, in US dollars per million tokens "
            "(or, for batch and flex, a share of the standard price)."
        )
    return float(value)
