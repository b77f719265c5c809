"""The budget: the caps of a round, and how much of each is reserved and spent.

A reservation is the most that a request can cost, so the sum of settled and reserved amounts never
passes a cap, whatever the replies say. Dollars are counted in whole picodollars, since sums of
floating-point prices drift. Belongs here: caps and arithmetic. Does not: when an amount is reserved
or settled (settling, the only caller), what a request can cost at most (tokens), or what was spent
before (teacher.terms).
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

    def reached(self, most: Amount) -> str:
        """The message that the cap leaves no room for a request of at most this amount."""
        return (
            f"{self.setting} is reached: {self.shown(self.spent)} of {self.shown(self.limit)} are "
            f"spent, and the next request may take up to {self.shown(most.in_unit(self.unit))}. "
            "What was asked so far is kept. Raise it and run again to go on: nothing stored is "
            "paid for again."
        )


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
        """Set aside the most that a request can cost. Call `refusal` first."""
        self.in_flight += 1
        for cap in self.caps:
            cap.reserved += most.in_unit(cap.unit)

    def release(self, most: Amount) -> None:
        """Free a reservation: the request was certainly not billed."""
        self.in_flight -= 1
        for cap in self.caps:
            cap.reserved -= most.in_unit(cap.unit)

    def settle(self, most: Amount, actual: Amount) -> None:
        """Turn a reservation into what the reply says that it cost."""
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
        """Turn a reservation into spent money: the request may have been billed, at most that."""
        self.settle(most, most)


def picodollars(usd: float) -> int:
    """Whole picodollars, rounded up."""
    return -int(-usd * PICODOLLARS // 1)
