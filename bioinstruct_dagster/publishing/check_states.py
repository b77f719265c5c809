"""The last results of the blocking checks, as Dagster holds them, and what they refuse.

Belongs here: such a result as plain values, and the refusals. Does not: reading Dagster's instance
(automation.publish_jobs), or what a check compares (each stage's module `checks`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

_AGAIN = (
    "Materialize key:{asset} again, or execute the check on the tab Checks of the asset's page."
)


@dataclass(frozen=True)
class CheckState:
    """The last result of a blocking check.

    Attributes:
        asset: that the check belongs to.
        name: of the check.
        passed: whether it found no fault; None if this instance of Dagster holds no result.
        judged: whether it compared anything.
        applies: whether the data has anything that the check is about.
        present: whether it ran after the asset was last materialized.
        said: the check's own sentence; empty if it has none.
    """

    asset: str
    name: str
    passed: bool | None
    judged: bool = True
    applies: bool = True
    present: bool = True
    said: str = ""

    @property
    def refusal(self) -> str | None:
        """Why nothing may be published over this result; None if it allows it."""
        check = f"The blocking check {self.name} of {self.asset}"
        again = _AGAIN.format(asset=self.asset)
        if self.passed is None:
            return f"{check} has no result. {again}"
        if not self.judged and self.applies:
            return f"{check} has not judged. {self.said or again}"
        if not self.passed and self.judged:
            return f"{check} failed. {self.said or 'Its page says what to do.'}"
        if not self.present:
            return f"{check} ran before the asset was last materialized. {again}"
        return None


def check_refusals(states: Iterable[CheckState]) -> list[str]:
    """A sentence for each check that forbids publishing; one for all that have no result."""
    states = list(states)
    without = [one for one in states if one.passed is None]
    refusals = [one.refusal for one in states if one not in without and one.refusal]
    if len(without) == len(states) and states:
        refusals.append(
            f"This instance of Dagster holds no result of any of the {len(states)} blocking "
            "checks. Set DAGSTER_HOME to the instance with which the assets were made, or "
            "materialize them with this one."
        )
    else:
        refusals += [one.refusal for one in without if one.refusal]
    return refusals
