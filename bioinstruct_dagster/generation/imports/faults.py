"""The error of an import, and the faults of many rows said in few lines.

Belongs here: collecting faults by what they say. Does not: finding them (csv_rows, json_rows,
chats, columns).
"""

from collections.abc import Sequence

from bioinstruct_dagster.errors import StatedError

SHOWN_PLACES = 5
_SHOWN_FAULTS = 20


class ImportedSetError(StatedError):
    """The instruction set can't be imported; the message names file, line and column."""


class RowFaults:
    """Faults of rows. A fault that many rows have is said once, with the first of their places."""

    def __init__(self) -> None:
        self._places: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._advice = ""

    def add(self, place: str, message: str) -> None:
        """Note that the row at the place has the fault.

        Args:
            place: such as `line 3`.
            message: what is wrong with the row, equal for all rows with this fault.
        """
        self._counts[message] = self._counts.get(message, 0) + 1
        places = self._places.setdefault(message, [])
        if len(places) < SHOWN_PLACES:
            places.append(place)

    def advise(self, advice: str) -> None:
        """Say below the faults what to do about them."""
        self._advice = advice

    def __len__(self) -> int:
        return sum(self._counts.values())

    def lines(self) -> list[str]:
        """One line for each fault: its places, then the message."""
        found = [
            f"{shown_places(places, self._counts[message])}: {message}"
            for message, places in self._places.items()
        ]
        if len(found) > _SHOWN_FAULTS:
            found[_SHOWN_FAULTS:] = [f"… and {len(found) - _SHOWN_FAULTS} more kinds of faults"]
        return found

    def refuse(self, heading: str) -> None:
        """Raise an error with all faults, if there are any."""
        if self._counts:
            advice = [self._advice] if self._advice else []
            raise ImportedSetError("\n".join([heading, *self.lines(), *advice]))


def shown_places(places: Sequence[str], count: int) -> str:
    """The first places of many: `line 3, 4, 5, 6, 7 and 35 more`.

    Args:
        places: the first places, such as `line 3`.
        count: how many places there are in all.
    """
    kind = places[0].rpartition(" ")[0]
    numbers = [
        place.rpartition(" ")[2] if at and place.startswith(f"{kind} ") else place
        for at, place in enumerate(places[:SHOWN_PLACES])
    ]
    more = f" and {count - len(numbers)} more" if count > len(numbers) else ""
    return ", ".join(numbers) + more
