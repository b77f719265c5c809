"""What a completion cost, from the price list `data/prices.yaml`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from bioinstruct_dagster.settings import INPUTS

PRICES = INPUTS / "prices.yaml"


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Dollars for one completion."""
        return (prompt_tokens * self.input + completion_tokens * self.output) / 1e6


@cache
def read_prices(path: Path = PRICES) -> dict[str, Price]:
    """Prices by model name."""
    models = yaml.safe_load(path.read_text("utf-8"))["models"]
    return {name: Price(float(p["input"]), float(p["output"])) for name, p in models.items()}


def price_of(model: str) -> Price | None:
    """The price of a model as asked, or None where the list has none."""
    return read_prices().get(model)
