"""Folders of task files and files of items for the tests of this folder.

Belongs here: writing them. Does not: tests.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.task import EvaluationTask

# The smallest file of each kind of scoring.
SOURCE: dict[str, Any] = {"files": ["quiz/*"], "licence": "ours", "credentialed": False}
CHOICE: dict[str, Any] = {
    "version": 1,
    "what": "A quiz.",
    "category": "question_answering",
    "source": SOURCE,
    "fields": {"question": "q", "options": "o", "gold": {"letter": "key"}},
    "prompt": {
        "instruction": "Choose.",
        "input": "{question}\n\n{options}",
        "prior": "{options}",
    },
    "scoring": {"kind": "choice"},
}
LABELS: dict[str, Any] = {
    **CHOICE,
    "fields": {"question": "q", "context": "c?", "gold": "key"},
    "prompt": {
        "instruction": "Yes or no?",
        "input": "Text: {context}\n\nQuestion: {question}",
        "prior": "Question:",
    },
    "scoring": {"kind": "choice", "options": "texts", "labels": {"1": "yes", "0": "no"}},
}
SPANS: dict[str, Any] = {
    **CHOICE,
    "category": "extraction",
    "fields": {"question": "q", "spans": {"Drug": "drugs?", "Dose": "doses?"}},
    "prompt": {"instruction": "List drugs and doses.", "input": "{question}"},
    "scoring": {"kind": "spans", "labels": ["Drug", "Dose"]},
}
TEXT: dict[str, Any] = {
    **CHOICE,
    "category": "generation",
    "fields": {"question": "q", "answer": "a"},
    "prompt": {"instruction": "Answer.", "input": "{question}"},
    "scoring": {"kind": "text"},
}


def changed(task: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A task with changed parts. A mapping changes the named fields; None removes a field."""
    made = dict(task)
    for name, value in parts.items():
        merged = {**made.get(name, {}), **value} if isinstance(value, dict) else value
        if isinstance(merged, dict):
            merged = {key: one for key, one in merged.items() if one is not None}
        made[name] = merged
    return {name: value for name, value in made.items() if value is not None}


def tasks_folder(tmp_path: Path, **tasks: dict[str, Any]) -> Path:
    """A folder with a file for each task."""
    folder = tmp_path / "tasks"
    folder.mkdir(exist_ok=True)
    for name, task in tasks.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(task, sort_keys=False), "utf-8")
    return folder


def read_task(tmp_path: Path, task: dict[str, Any]) -> EvaluationTask:
    """The task `quiz`, the only one of the folder, as it is read from its file."""
    (read,) = read_tasks(tasks_folder(tmp_path, quiz=task)).tasks
    return read


def put(folder: Path, name: str, content: Any) -> Path:
    """A file of items: a text, or rows that are written as JSON Lines."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str):
        content = "".join(json.dumps(line) + "\n" for line in content)
    path.write_text(content, "utf-8")
    return path
