"""The error that refuses an adapter, and its words.

Belongs here: how a fault is told. Does not: finding faults (the other modules of this folder).
"""

from pathlib import Path

from bioinstruct_dagster.errors import StatedError

TRAIN_AGAIN = (
    "Materialize key:lora_adapter for this partition again, or put the original folder back."
)


class AdapterFaultError(StatedError):
    """An adapter is refused.

    Attributes:
        fault: the name of the fault, such as `zero weights`. A fault has one name in all messages.
    """

    def __init__(self, fault: str, place: Path | str, what: str, advice: str = TRAIN_AGAIN) -> None:
        """Tell the fault's name, where it is, what is wrong, and what to do."""
        super().__init__(f"The adapter is refused ({fault}): {place}: {what} {advice}")
        self.fault = fault


def some(names: list[str], most: int = 3) -> str:
    """The first names of a list in words, and how many more there are."""
    shown = ", ".join(name[:120] for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
