"""The tasks whose answers are free text, and their items as they were scored.

Belongs here: finding them by the settings. Does not: the catalogue and its files (eval_sets), or
which items are scored (evaluation.selection).
"""

from collections.abc import Mapping
from functools import cache

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import TextScoring
from bioinstruct_dagster.evaluation.selection import ChosenTask, chosen_tasks
from bioinstruct_dagster.settings import Settings


class TextTasks:
    """The text tasks of the catalogue, whose items are read at most once.

    Args:
        settings: name the catalogue, the folder of items, and which tasks and items are scored.
    """

    def __init__(self, settings: Settings) -> None:
        catalogue = read_tasks(settings.eval_sets.tasks)
        scored = settings.evaluation.task_names
        self.names = [
            task.name
            for task in catalogue.tasks
            if isinstance(task.scoring, TextScoring) and (not scored or task.name in scored)
        ]
        self._settings = settings
        # As a cache of the instance, because a method's cache would keep the instance.
        self._chosen = cache(self._read)

    def items(
        self, task: str, source: str, fingerprint: str
    ) -> Mapping[str, EvaluationItem] | None:
        """The items of a task by id; None if they are not those of this fingerprint.

        Args:
            task: its name.
            source: where they came from when they were scored: files, hub or fixture.
            fingerprint: of the items that were scored.
        """
        found = self._chosen(source == "fixture").get(task)
        if found is None or found.fingerprint != fingerprint:
            return None
        return {item.id: item for item in found.items}

    def _read(self, fixtures: bool) -> Mapping[str, ChosenTask]:  # noqa: FBT001 - for the cache
        text_only = self._settings.changed(evaluate_tasks=",".join(self.names))
        chosen = chosen_tasks(text_only, (), rehearsal=fixtures)
        return {one.task.name: one for one in chosen.tasks}
