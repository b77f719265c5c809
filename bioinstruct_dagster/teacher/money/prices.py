"""What a completion cost, from the price list `data/prices.yaml`."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import INPUTS, Service
from bioinstruct_dagster.yaml_files import NonEmptyText, StrictModel, read_yaml

PRICES = INPUTS / "prices.yaml"
# What the API calls the tier it billed; anything else is billed as the standard tier.
_TIERS: dict[str | None, Service] = {"flex": "flex", "batch": "batch"}


Dollars = Annotated[
    float,
    Field(ge=0, allow_inf_nan=False, strict=True, description="in US dollars per million tokens"),
]
Share = Annotated[
    float,
    Field(
        ge=0, allow_inf_nan=False, strict=True, description="a share of the standard tier's price"
    ),
]


class PricesError(StatedError):
    """The price list is malformed; the message lists every fault with line, model and field."""


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


class ModelPrices(StrictModel):
    """What the list says of one model; `batch` and `flex` only where they differ from the rest."""

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    batch: Share | None = None
    flex: Share | None = None


class PriceList(StrictModel):
    """The whole file."""

    as_of: date | None = None
    batch: Share
    flex: Share
    models: dict[NonEmptyText, ModelPrices]


@cache
def read_prices(path: Path = PRICES) -> dict[str, Price]:
    """Prices by model name.

    Raises:
        PricesError: lists every fault with file, line, model, field and what to do.
    """
    found = read_yaml(path, PriceList, PricesError)
    return {
        name: Price(
            input=one.input,
            output=one.output,
            cached_input=one.cached_input,
            batch=found.batch if one.batch is None else one.batch,
            flex=found.flex if one.flex is None else one.flex,
        )
        for name, one in found.models.items()
    }


def price_of(model: str, path: Path = PRICES) -> Price | None:
    """The price of a model as asked, or None where the list has none."""
    return read_prices(path).get(model)
