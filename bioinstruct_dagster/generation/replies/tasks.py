"""The tasks of a reply: its sound tasks, and the number of broken ones.

Belongs here: what makes a task sound, and the count. Does not: finding tasks in a text (json_tasks,
numbered_tasks), or checking rows (curation).
"""

from collections.abc import Mapping

from bioinstruct_dagster.store.storable_text import is_storable

TASK_FIELDS = ("instruction", "input", "output")
INCOMPLETE_FAULT = "task {} is not complete"
NO_OBJECT_FAULT = "task {} is not an object"


class TaskList:
    """The tasks of a reply, in order. Broken tasks are counted, so that others keep their places.

    Attributes:
        tasks: the sound tasks; their fields have no outer blanks.
        positions: the place of each sound task among all tasks of the reply.
        count: the number of all tasks, including the broken ones.
        is_recognized: whether the name of a field or of a list shows that these are tasks.
        first_fault: place and fault of the first broken task.
    """

    def __init__(self, *, is_recognized: bool = False) -> None:
        self.tasks: list[dict[str, str]] = []
        self.positions: list[int] = []
        self.count = 0
        self.is_recognized = is_recognized
        self.first_fault: tuple[int, str] | None = None

    @property
    def dropped(self) -> int:
        """The number of broken tasks."""
        return self.count - len(self.tasks)

    @property
    def fault(self) -> str:
        """The fault of the first broken task, as a text; empty if no task is broken."""
        return self.first_fault[1].format(self.first_fault[0]) if self.first_fault else ""

    def add(self, fields: Mapping[str, str | None]) -> None:
        """Add the next task, or count it as broken if a field is missing, no text or unstorable."""
        self.is_recognized = self.is_recognized or bool(fields)
        fault = _fault_of(fields)
        if fault:
            self.drop(fault)
            return
        self.tasks.append({name: (fields[name] or "").strip() for name in TASK_FIELDS})
        self.positions.append(self.count)
        self.count += 1

    def drop(self, fault: str) -> None:
        """Count a broken task; `fault` says what is wrong, with {} for the task's place."""
        self.first_fault = self.first_fault or (self.count, fault)
        self.count += 1

    def drop_last(self) -> None:
        """Count the last task as broken, because it may be truncated."""
        if self.positions and self.positions[-1] == self.count - 1:
            self.tasks.pop()
            cut = (self.positions.pop(), INCOMPLETE_FAULT)
            self.first_fault = self.first_fault or cut

    def extend(self, other: "TaskList") -> None:
        """Append the tasks of a later part of the same reply."""
        self.tasks += other.tasks
        self.positions += [self.count + position for position in other.positions]
        if other.first_fault and not self.first_fault:
            self.first_fault = (self.count + other.first_fault[0], other.first_fault[1])
        self.count += other.count
        self.is_recognized = self.is_recognized or other.is_recognized


def is_sound(fields: Mapping[str, str | None]) -> bool:
    """Whether a task has all fields, and all are storable text."""
    return not _fault_of(fields)


def _fault_of(fields: Mapping[str, str | None]) -> str:
    for name in TASK_FIELDS:
        text = fields.get(name)
        if text is None:
            return f"task {{}}: {name} is missing or not text"
        if not is_storable(text):
            return f"task {{}}: {name} holds a character that is no text"
    return ""
