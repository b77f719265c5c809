"""What the checks of a base model find: faults that refuse it, and faults that were mended.

Belongs here: collecting and reporting them. Does not: the checks (the other modules of this
folder).
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from bioinstruct_dagster.errors import StatedError


class BaseModelError(StatedError):
    """The base model can't be found, loaded or trained. The message lists all its faults."""


@dataclass
class Findings:
    """The faults of one base model. Each check adds what it finds, so all are reported at once."""

    source: str
    path: str
    faults: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)

    def fault(self, text: str) -> None:
        """Add a fault that makes the model unusable. The text says what to do about it."""
        if text not in self.faults:
            self.faults.append(text)

    def mend(self, text: str) -> None:
        """Add a fault that was corrected in memory. The text says what holds now."""
        if text not in self.mended:
            self.mended.append(text)

    def refuse(self, log: Callable[[str], None]) -> None:
        """Log what was mended since the last call.

        Raises:
            BaseModelError: the model has faults. The message lists all of them.
        """
        for text in self.mended:
            log(f"base model {self.source!r}: {text}")
        self.mended.clear()
        if self.faults:
            where = "" if self.path == self.source else f" ({self.path})"
            listed = "\n".join(f"  - {text}" for text in self.faults)
            count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            raise BaseModelError(
                f"Base model {self.source!r}{where} can't be used. It has {count}:\n{listed}\n"
                "Correct them, or name another model as `source` in the experiment file "
                "(BIOINSTRUCT_EXPERIMENTS)."
            )


def some(names: "list[str] | set[str]", most: int = 5) -> str:
    """The first names in order, and how many more there are: for messages."""
    ordered = sorted(names)
    rest = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {rest} more" if rest > 0 else "")
