"""The tasks whose answers are free text, and their items as they were scored.

Belongs here: finding them by the settings. Does not: the catalogue and its files (eval_sets).
"""

from collections.abc import Mapping

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem, items_of
from bioinstruct_dagster.eval_sets.scoring import TextScoring
from bioinstruct_dagster.settings import Settings


class TextTasks:
    """The text tasks of the catalogue that the settings name. Each task's items are read once."""

    def __init__(self, settings: Settings) -> None:
        self._catalogue = read_tasks(settings.eval_sets.tasks)
        self._folder = settings.eval_sets.folder
        self._tasks = {
            task.name: task
            for task in self._catalogue.tasks
            if isinstance(task.scoring, TextScoring)
        }
        self._read: dict[tuple[str, str], tuple[str, Mapping[str, EvaluationItem]]] = {}

    @property
    def names(self) -> list[str]:
        """The names of the tasks."""
        return list(self._tasks)

    def items(
        self, task: str, source: str, fingerprint: str
    ) -> Mapping[str, EvaluationItem] | None:
        """The items of a task by id; None if they are not those of this fingerprint.

        Args:
            task: its name.
            source: where they came from when they were scored: files, hub or fixture.
            fingerprint: of the items that were scored.
        """
        if (task, source) not in self._read:
            fixtures = self._catalogue.fixtures if source == "fixture" else None
            found = items_of(self._tasks[task], self._folder, fixtures=fixtures)
            self._read[task, source] = (found.fingerprint, {item.id: item for item in found.items})
        now, items = self._read[task, source]
        return items if now == fingerprint else None
