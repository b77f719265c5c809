"""The price of a model, from the price list `data/prices.yaml`.

Belongs here: reading the list, and the dollars of one completion. Does not: which completions are
billed (settling), or caps (budget).
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import DEFAULT_MODELS, INPUTS, Service
from bioinstruct_dagster.yaml_files import ExactName, StrictModel, read_yaml

PRICES = INPUTS / "prices.yaml"
# The names of tiers that cost no more than the standard tier. A cheaper tier counts only if it was
# asked for. `scale` is paid in advance. `on_demand` is Groq's name of the standard tier.
_STANDARD_TIERS = frozenset(
    {None, "", "auto", "batch", "default", "flex", "on_demand", "scale", "standard"}
)
# The price of a tier that is dearer or not known, as a share of the standard price. OpenAI's
# priority tier costs 1.7 to 2.5 times the standard price. The most is counted, so that no cap is
# passed.
DEARER_TIER = 2.5
# The one name, wherever they are told, of the dollars of replies that nobody bills.
REHEARSAL_DOLLARS = "list-price dollars of a rehearsal"

Dollars = Annotated[
    float,
    Field(ge=0, description="in US dollars per million tokens"),
]
Share = Annotated[
    float,
    Field(ge=0, description="a share of the standard tier's price"),
]


class PricesError(StatedError):
    """The price list has faults. The message lists each with line, model and field."""


@dataclass(frozen=True)
class Price:
    """The price of a model.

    Attributes:
        input: US dollars per million prompt tokens.
        output: US dollars per million completion tokens.
        cached_input: US dollars per million cached prompt tokens; None if they cost the same.
        batch: the price of the Batch API as a share of the standard price.
        flex: the price of flex processing as a share of the standard price.
        dearer: the price of a dearer tier, such as OpenAI's priority tier, as a share of the
            standard price.
        pretended: whether it is the rehearsal's, whose replies nobody bills.
    """

    input: float
    output: float
    cached_input: float | None = None
    batch: float = 1.0
    flex: float = 1.0
    dearer: float = DEARER_TIER
    pretended: bool = False

    def usd(
        self,
        prompt_tokens: int,
        completion_tokens: int,
        *,
        cached_tokens: int = 0,
        service: Service = "online",
        tier: str | None = None,
    ) -> float:
        """The dollars of one completion.

        Args:
            prompt_tokens: the tokens of the prompt.
            completion_tokens: the tokens of the completion.
            cached_tokens: the tokens of the prompt that the server had in its cache.
            service: that was billed.
            tier: that the reply names, if it was billed online.
        """
        cached = self.input if self.cached_input is None else self.cached_input
        full = (
            (prompt_tokens - cached_tokens) * self.input
            + cached_tokens * cached
            + completion_tokens * self.output
        )
        return full * self.factor(service) * self.tier_factor(tier, service) / 1e6

    def factor(self, service: Service) -> float:
        """The price of a service as a share of the standard price."""
        return {"online": 1.0, "flex": self.flex, "batch": self.batch}[service]

    def tier_factor(self, tier: str | None, service: Service) -> float:
        """How many times the standard price a tier costs; 1 unless the tier is a dearer one."""
        return 1.0 if service != "online" or tier in _STANDARD_TIERS else self.dearer


def billed_service(tier: str | None, asked: Service) -> Service:
    """The service that was billed.

    A request for flex may get the standard tier, so the tier in the reply counts. The replies of a
    batch name no tier. A request that asked for no cheaper tier is billed at no cheaper tier,
    whatever its reply says.

    Args:
        tier: that the reply names.
        asked: the service that the request asked for.
    """
    return asked if asked == "batch" or (asked == "flex" and tier == "flex") else "online"


class ModelPrices(StrictModel):
    """The list's entry of one model; it names a share only if it differs."""

    input: Dollars
    output: Dollars
    cached_input: Dollars | None = None
    batch: Share | None = None
    flex: Share | None = None
    dearer: Share | None = None


class PriceList(StrictModel):
    """The whole price list."""

    as_of: date | None = None
    batch: Share
    flex: Share
    dearer: Share = DEARER_TIER
    models: dict[ExactName, ModelPrices]


@cache
def read_prices(path: Path = PRICES) -> dict[str, Price]:
    """The prices by model name.

    Raises:
        PricesError: the list has faults.
    """
    found = read_yaml(path, PriceList, PricesError)
    return {
        name: Price(
            input=one.input,
            output=one.output,
            cached_input=one.cached_input,
            batch=found.batch if one.batch is None else one.batch,
            flex=found.flex if one.flex is None else one.flex,
            dearer=found.dearer if one.dearer is None else one.dearer,
            pretended=name == DEFAULT_MODELS["rehearsal"],
        )
        for name, one in found.models.items()
    }


def price_of(model: str, path: Path = PRICES) -> Price | None:
    """The price of a model by its requested name, or None if the list has none."""
    return read_prices(path).get(model)
