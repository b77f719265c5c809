"""The budget: the caps of a round, and how much of each cap is reserved and spent.

A reservation is the most that a request can cost. So the sum of spent and reserved amounts never
passes a cap, for any reply. Dollars are counted in whole picodollars, because sums of
floating-point prices drift. Belongs here: caps and their arithmetic. Does not: when an amount is
reserved or settled (settling), the most that a request can cost (tokens), or what earlier rounds
spent (teacher.terms).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.teacher.money.prices import REHEARSAL_DOLLARS

PICODOLLARS = 10**12
Unit = Literal["usd", "tokens"]


class BudgetError(StatedError):
    """A cap can't be held. The message names the setting and says what to do."""


@dataclass(frozen=True)
class Amount:
    """Dollars and tokens of one request. Dollars are None if the model has no price."""

    usd: float | None
    tokens: int

    def in_unit(self, unit: Unit) -> int:
        """The amount in picodollars (rounded up) or in tokens."""
        if unit == "tokens":
            return self.tokens
        if self.usd is None:
            raise BudgetError("A dollar cap was set for a model without a price.")
        return picodollars(self.usd)


@dataclass
class Cap:
    """A limit on the spending of a run or of the whole project, in dollars or tokens.

    Attributes:
        setting: the name of the user's setting, for messages.
        unit: of the amounts.
        limit: the most that may be spent, in picodollars or tokens.
        spent: the amount settled or presumed so far, earlier rounds included.
        reserved: the amount set aside for requests in flight.
        over_limit: earlier replies that the server billed above the limit of their request.
        pretended: whether the dollars are a rehearsal's, which nobody bills.
    """

    setting: str
    unit: Unit
    limit: int
    spent: int = 0
    reserved: int = 0
    over_limit: int = 0
    pretended: bool = False

    def remaining(self) -> int:
        """What can still be reserved. It is negative if more was spent before the cap was set."""
        return self.limit - self.spent - self.reserved

    def formatted(self, amount: int) -> str:
        """An amount in the cap's unit, as text for a message."""
        if self.unit == "usd":
            return f"${amount / PICODOLLARS:,.4f}".rstrip("0").rstrip(".")
        return f"{amount:,} tokens"

    def reached_message(self, max_cost: Amount) -> str:
        """The message that the cap leaves no room for a request of at most this cost."""
        told = self.spent_of_limit()
        kept = f"not {'asked' if self.pretended else 'paid'} for again"
        if self.over_limit:
            return (
                f"{self.setting} is {'passed' if self.spent > self.limit else 'reached'}: {told}, "
                f"and the server ignores the limit of output tokens. For "
                f"{self.over_limit:,} replies, it billed more than the limit of the request, so "
                f"any cap may be passed. All replies so far are stored, and they are {kept}. "
                "To go on, use a server or a model that heeds the limit (OPENAI_BASE_URL, "
                "BIOINSTRUCT_TEACHER_MODEL), or cap "
                f"the spending at the server and unset {self.setting}."
            )
        return (
            f"{self.setting} is reached: {told}, and the next request may "
            f"take up to {self.formatted(max_cost.in_unit(self.unit))}. All replies so far are "
            f"stored. To go on, raise {self.setting} and run again: stored replies are "
            f"{kept}."
        )

    def spent_of_limit(self) -> str:
        """How much of the limit is spent, as text for a message."""
        told = f"{self.formatted(self.spent)} of {self.formatted(self.limit)} are spent"
        if self.pretended and self.unit == "usd":
            return f"{told} in {REHEARSAL_DOLLARS}, which nobody bills"
        return told


@dataclass
class Budget:
    """The caps of one round. Without caps, the budget only counts requests.

    Attributes:
        caps: the caps.
        in_flight: requests with a reservation.
        failure: why no cap can be held any more; None while all can.
        over_limit: replies that were billed more tokens than their reservation.
    """

    caps: Sequence[Cap] = ()
    in_flight: int = 0
    failure: str | None = field(default=None)
    over_limit: int = 0
    _farthest: tuple[int, int] = field(default=(0, 0), repr=False)  # billed and reserved tokens

    @property
    def over_limit_message(self) -> str | None:
        """That replies were billed above their limit, with numbers; None if none was."""
        if not self.over_limit:
            return None
        billed, reserved = self._farthest
        return (
            "The server ignores the limit of output tokens: replies billed above the most that "
            f"their request allows: {self.over_limit:,}. One of them took {billed:,} tokens, and "
            f"its request allows {reserved:,}."
        )

    def cap_without_room(self, max_cost: Amount) -> Cap | None:
        """The first cap that has no room for a request of at most this cost, or None."""
        for cap in self.caps:
            if max_cost.in_unit(cap.unit) > cap.remaining():
                return cap
        return None

    def reserve(self, max_cost: Amount) -> None:
        """Set aside the most that a request can cost. Call `cap_without_room` first."""
        self.in_flight += 1
        for cap in self.caps:
            cap.reserved += max_cost.in_unit(cap.unit)

    def release(self, max_cost: Amount) -> None:
        """Free the reservation of a request that was certainly not billed."""
        self.in_flight -= 1
        for cap in self.caps:
            cap.reserved -= max_cost.in_unit(cap.unit)

    def settle(self, max_cost: Amount, actual: Amount) -> None:
        """Replace a reservation by the cost that the reply states."""
        self.spend(max_cost, actual)
        self.free_rest(max_cost, actual)

    def spend(self, max_cost: Amount, actual: Amount) -> None:
        """Count the cost that the reply states, and keep the rest of its reservation."""
        if actual.tokens > max_cost.tokens:
            self.over_limit += 1
            self._farthest = max(self._farthest, (actual.tokens, max_cost.tokens))
        for cap in self.caps:
            cost, most = actual.in_unit(cap.unit), max_cost.in_unit(cap.unit)
            cap.spent += cost
            cap.reserved -= min(cost, most)
            if cost > most:
                # The server ignores the token limit, so no reservation can hold a cap.
                self.failure = (
                    f"A reply cost {cap.formatted(cost)}, more than the "
                    f"{cap.formatted(most)} that its token limit allows, so "
                    f"{cap.setting} can't be held: the server ignores the limit of output tokens. "
                    f"{cap.spent_of_limit()}. Nothing more "
                    "was sent. Use a server or a model that heeds the limit. Or cap the "
                    "spending at the server, or unset the cap."
                )

    def free_rest(self, max_cost: Amount, actual: Amount) -> None:
        """Free what a reply left of its reservation. Call `spend` first."""
        self.in_flight -= 1
        for cap in self.caps:
            cap.reserved -= max(0, max_cost.in_unit(cap.unit) - actual.in_unit(cap.unit))

    def presume(self, max_cost: Amount) -> None:
        """Count a reservation as spent, because the request may have been billed."""
        self.settle(max_cost, max_cost)


def picodollars(usd: float) -> int:
    """Whole picodollars, rounded up."""
    return -int(-usd * PICODOLLARS // 1)
