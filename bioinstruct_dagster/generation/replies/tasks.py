"""Tasks as a reply wrote them: the sound ones, and how many more there were.

Belongs here: what makes a written task sound, and the count. Does not: finding tasks in a text
(salvage, numbered) or checking them (curation).
"""

from collections.abc import Mapping

from bioinstruct_dagster.store.storable_text import is_storable

TASK_FIELDS = ("instruction", "input", "output")
INCOMPLETE = "task {} is not complete"
NO_OBJECT = "task {} is not an object"


class TaskList:
    """The tasks of a reply in their order; a broken one is counted, so that the rest keep places.

    Attributes:
        tasks: the sound ones, their fields without outer blanks.
        positions: the place of each of them among all that were written.
        count: how many were written, the broken ones included.
        named: whether something said that here are tasks: a field's name, or a list's.
        broken: place and fault of the first that is broken.
    """

    def __init__(self, *, named: bool = False) -> None:
        self.tasks: list[dict[str, str]] = []
        self.positions: list[int] = []
        self.count = 0
        self.named = named
        self.broken: tuple[int, str] | None = None

    @property
    def dropped(self) -> int:
        """How many were written and are not among the tasks."""
        return self.count - len(self.tasks)

    @property
    def fault(self) -> str:
        """What is wrong with the first broken task; empty where none is."""
        return self.broken[1].format(self.broken[0]) if self.broken else ""

    def add(self, fields: Mapping[str, str | None]) -> None:
        """Take the next task, or count it where a field is missing, no text or not storable."""
        self.named = self.named or bool(fields)
        fault = _fault_of(fields)
        if fault:
            self.drop(fault)
            return
        self.tasks.append({name: (fields[name] or "").strip() for name in TASK_FIELDS})
        self.positions.append(self.count)
        self.count += 1

    def drop(self, fault: str) -> None:
        """Count a task that can't be read; the fault says why, with {} for its place."""
        self.broken = self.broken or (self.count, fault)
        self.count += 1

    def drop_last(self) -> None:
        """Take the last task back where it was sound: it may be cut."""
        if self.positions and self.positions[-1] == self.count - 1:
            self.tasks.pop()
            cut = (self.positions.pop(), INCOMPLETE)
            self.broken = self.broken or cut

    def extend(self, other: "TaskList") -> None:
        """Append the tasks of a later part of the same reply."""
        self.tasks += other.tasks
        self.positions += [self.count + position for position in other.positions]
        if other.broken and not self.broken:
            self.broken = (self.count + other.broken[0], other.broken[1])
        self.count += other.count
        self.named = self.named or other.named


def is_sound(fields: Mapping[str, str | None]) -> bool:
    """Whether a task's fields are all there, all text, and all storable."""
    return not _fault_of(fields)


def _fault_of(fields: Mapping[str, str | None]) -> str:
    for name in TASK_FIELDS:
        text = fields.get(name)
        if text is None:
            return f"task {{}}: {name} is missing or not text"
        if not is_storable(text):
            return f"task {{}}: {name} holds a character that is no text"
    return ""
