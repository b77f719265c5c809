"""What the blocking checks say of what is to be published, and what they refuse.

Belongs here: such a result as plain values, and the refusals. Does not: running the checks
(automation.publish_jobs), or what a check compares (each stage's module `checks`).
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class CheckState:
    """What a blocking check says of the store and the data folder that are published.

    Attributes:
        asset: that the check belongs to.
        name: of the check.
        passed: whether it found no fault.
        judged: whether it compared anything.
        applies: whether the data has anything that the check is about.
        said: the check's own sentence; empty if it has none.
        stopped: the error that ended the check before it could judge; empty if none did.
    """

    asset: str
    name: str
    passed: bool
    judged: bool = True
    applies: bool = True
    said: str = ""
    stopped: str = ""

    @property
    def refusal(self) -> str | None:
        """Why nothing may be published over this result; None if it allows it."""
        check = f"The blocking check {self.name} of {self.asset}"
        if self.stopped:
            return f"{check} could not judge ({self.stopped}). Put that right and start this again."
        if not self.judged and self.applies:
            return f"{check} has not judged. {self.said or 'Its page says what it needs.'}"
        if self.judged and not self.passed:
            return f"{check} failed. {self.said or 'Its page says what to do.'}"
        return None


def check_refusals(states: Iterable[CheckState]) -> list[str]:
    """A sentence for each check that forbids publishing."""
    return [one.refusal for one in states if one.refusal]
