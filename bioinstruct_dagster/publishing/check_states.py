"""The last results of the blocking checks, as Dagster holds them, and what they refuse.

Belongs here: such a result as plain values, and the refusals. Does not: reading Dagster's instance
(automation.publish_jobs), or what a check compares (each stage's module `checks`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# The job makes no asset and asks no teacher.
CHECKS_COMMAND = "dagster job execute -m bioinstruct_dagster -j checks"
_AGAIN = f"Run the checks: {CHECKS_COMMAND}"


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
    def only_older(self) -> bool:
        """Whether nothing speaks against it but that its asset was materialized later."""
        fault = not self.judged and self.applies
        return self.passed is not None and not self.present and not (fault or self._failed)

    @property
    def _failed(self) -> bool:
        return self.judged and not self.passed

    @property
    def refusal(self) -> str | None:
        """Why nothing may be published over a result that the check has; None if it allows it."""
        check = f"The blocking check {self.name} of {self.asset}"
        if not self.judged and self.applies:
            return f"{check} has not judged. {self.said or _AGAIN}"
        if self._failed:
            return f"{check} failed. {self.said or 'Its page says what to do.'}"
        return None


def check_refusals(states: Iterable[CheckState]) -> list[str]:
    """A sentence for each reason why checks forbid publishing, with the checks that it is about.

    A check that failed or has not judged has its own advice, so it has a sentence of its own.
    """
    states = list(states)
    without = [one for one in states if one.passed is None]
    older = [one for one in states if one.only_older]
    alone = [one for one in states if one not in without and one not in older]
    refusals = [one.refusal for one in alone if one.refusal]
    if states and len(without) == len(states):
        refusals.append(
            f"This instance of Dagster holds no result of any of the {len(states)} blocking "
            "checks. Set DAGSTER_HOME to the instance with which the assets were made, or run "
            f"the checks with this one: {CHECKS_COMMAND}"
        )
    elif without:
        verb = "has" if len(without) == 1 else "have"
        refusals.append(f"{_listed(without)} {verb} no result. {_AGAIN}")
    if older:
        refusals.append(f"{_listed(older)} ran before the asset was last materialized. {_AGAIN}")
    return refusals


def _listed(states: Sequence[CheckState]) -> str:
    """The checks by asset, as the subject of a sentence."""
    by_asset: dict[str, list[str]] = {}
    for one in states:
        by_asset.setdefault(one.asset, []).append(one.name)
    named = "; ".join(f"{', '.join(names)} of {asset}" for asset, names in by_asset.items())
    subject = "1 blocking check" if len(states) == 1 else f"{len(states)} blocking checks"
    return f"{subject} ({named})"
