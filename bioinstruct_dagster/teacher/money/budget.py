"""The budget: what may still be spent, by reservation before a request and settlement after it.

A reservation is the most that a request can cost, so the sum of what is settled and reserved never
passes a cap, whatever the replies turn out to be. Dollars are counted in whole picodollars, since
sums of floating-point prices drift. Belongs here: caps and arithmetic. Does not: what a request can
cost at most (usage), or what was spent before (the store).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bioinstruct_dagster.errors import StatedError

PICODOLLARS = 10**12
Unit = Literal["usd", "tokens"]


class BudgetError(StatedError):
    """A cap can't be held as things are; the message names the setting and what to do."""


@dataclass(frozen=True)
class Amount:
    """Dollars and tokens of one request. Dollars are None where the model has no price."""

    usd: float | None
    tokens: int

    def in_unit(self, unit: Unit) -> int:
        """Picodollars, rounded up, or tokens."""
        if unit == "tokens":
            return self.tokens
        if self.usd is None:
            raise BudgetError("A dollar cap was set for a model without a price.")
        return picodollars(self.usd)


@dataclass
class Cap:
    """One limit: of a run or of the whole project, in dollars or tokens.

    Args:
        setting: what the user set, to be named in messages.
        unit: of `limit` and `spent`.
        limit: picodollars or tokens.
        spent: settled or presumed so far, earlier rounds included.
    """

    setting: str
    unit: Unit
    limit: int
    spent: int = 0
    reserved: int = 0

    def left(self) -> int:
        """What can still be reserved; negative where more was spent before the cap was set."""
        return self.limit - self.spent - self.reserved

    def shown(self, amount: int) -> str:
        """An amount in the cap's unit, as people write it."""
        if self.unit == "usd":
            return f"${amount / PICODOLLARS:,.4f}".rstrip("0").rstrip(".")
        return f"{amount:,} tokens"


@dataclass
class Budget:
    """The caps of one round. Without caps it only counts."""

    caps: Sequence[Cap] = ()
    in_flight: int = 0
    broken: str | None = field(default=None)

    def refusal(self, most: Amount) -> Cap | None:
        """The cap that a request of at most this amount would pass, or None."""
        for cap in self.caps:
            if most.in_unit(cap.unit) > cap.left():
                return cap
        return None

    def reserve(self, most: Amount) -> None:
        """Set aside the most that a request can cost. Ask `refusal` first."""
        self.in_flight += 1
        for cap in self.caps:
            cap.reserved += most.in_unit(cap.unit)

    def release(self, most: Amount) -> None:
        """The request was certainly not billed."""
        self.in_flight -= 1
        for cap in self.caps:
            cap.reserved -= most.in_unit(cap.unit)

    def settle(self, most: Amount, actual: Amount) -> None:
        """The reply came, and says what it cost."""
        self.release(most)
        for cap in self.caps:
            cost = actual.in_unit(cap.unit)
            cap.spent += cost
            if cost > most.in_unit(cap.unit):
                # A server that ignores the token limit: no reservation can hold a cap with it.
                self.broken = (
                    f"A reply cost {cap.shown(cost)}, more than the "
                    f"{cap.shown(most.in_unit(cap.unit))} that its token limit allows, so "
                    f"{cap.setting} can't be held: the server ignores the limit. Nothing more was "
                    "sent. Cap the spending at the server, or unset the cap."
                )

    def presume(self, most: Amount) -> None:
        """No reply came, and the request may have been billed: it counts at its most."""
        self.settle(most, most)


def picodollars(usd: float) -> int:
    """Whole picodollars, rounded up."""
    return -int(-usd * PICODOLLARS // 1)


def reached(cap: Cap, most: Amount) -> str:
    """A cap leaves no room for the next request."""
    return (
        f"{cap.setting} is reached: {cap.shown(cap.spent)} of {cap.shown(cap.limit)} are spent, "
        f"and the next request may take up to {cap.shown(most.in_unit(cap.unit))}. What was asked "
        "so far is kept. Raise it and run again to go on: nothing stored is paid for again."
    )
