"""The catalogue of evaluation tasks: a folder with one YAML file for each task.

Decontamination and evaluation both read it. Belongs here: reading the folder, with all faults of
all files at once. Does not: the fields of a file (task), reading the items of a task (items), or
the rules of decontamination (curation.contamination).
"""

from dataclasses import dataclass
from pathlib import Path

import pydantic

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.task import EvaluationTask, TaskFile
from bioinstruct_dagster.input_files import fault_of_folder, shown
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.yaml_files import Identifier, read_yaml

EVALUATION_TASKS = INPUTS / "evaluation_tasks"
FIXTURES = "fixtures"  # the folder of small original items, beside the task files
_ENDING = ".yaml"
_SETTING = "BIOINSTRUCT_EVALUATION_TASKS"
_NAME = pydantic.TypeAdapter(Identifier)


class EvaluationTasksError(StatedError):
    """Task files are malformed; the message lists every fault with file, line and field."""


@dataclass(frozen=True)
class Catalogue:
    """The tasks of a folder.

    Attributes:
        tasks: by their places, then by name.
        folder: that holds their files.
    """

    tasks: tuple[EvaluationTask, ...]
    folder: Path

    @property
    def fixtures(self) -> Path:
        """The folder of the tasks' fixtures."""
        return self.folder / FIXTURES

    def task(self, name: str) -> EvaluationTask:
        """The task of a name.

        Raises:
            EvaluationTasksError: there is no such task; the message lists the names.
        """
        found = next((task for task in self.tasks if task.name == name), None)
        if found is None:
            names = ", ".join(task.name for task in self.tasks)
            raise EvaluationTasksError(
                f"{shown(self.folder)}: there is no evaluation task {name!r}. Use one of: {names}; "
                f"or add {name}{_ENDING} to the folder."
            )
        return found


def read_tasks(folder: Path = EVALUATION_TASKS) -> Catalogue:
    """Read and check the task files of a folder.

    Raises:
        EvaluationTasksError: lists every fault of every file, with file, line, field and what to
            do.
    """
    if fault := fault_of_folder(folder):
        raise EvaluationTasksError(
            f"{shown(folder)} {fault}. Set {_SETTING} to a folder with one YAML file for each "
            "evaluation task."
        )
    tasks: list[EvaluationTask] = []
    faults: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in {".yml", ".yaml"}:
            try:
                tasks.append(_read_task(path))
            except EvaluationTasksError as error:
                faults.append(str(error))
    if not tasks and not faults:
        faults.append(
            f"{shown(folder)} holds no {_ENDING} file. Set {_SETTING} to a folder with one YAML "
            "file for each evaluation task."
        )
    names = {task.name for task in tasks}
    faults += [
        f"{folder / task.name}{_ENDING}: stands_in_for: there is no task {task.stands_in_for!r}; "
        "name a task of this folder"
        for task in tasks
        if not faults and task.stands_in_for and task.stands_in_for not in names
    ]
    if faults:
        raise EvaluationTasksError("\n".join(faults))
    return Catalogue(tuple(sorted(tasks, key=lambda task: (task.place, task.name))), folder)


def _read_task(path: Path) -> EvaluationTask:
    try:
        name = _NAME.validate_python(path.stem)
        if path.suffix != _ENDING:
            raise ValueError
    except ValueError:
        raise EvaluationTasksError(
            f"{shown(path)}: the file's name is no task's name. Rename it to small letters, digits "
            f"and _, beginning with a letter, and the ending {_ENDING}."
        ) from None
    read = read_yaml(path, TaskFile, EvaluationTasksError, setting=_SETTING)
    return EvaluationTask.model_construct(name=name, **dict(read))
