"""Fixtures of the tests of evaluation sets: an item from one row.

Belongs here: what several test files of this folder need. Does not: tests.
"""

import pytest

from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, put, read_task


@pytest.fixture
def scored(tmp_path):
    def make(row, task=CHOICE):
        put(tmp_path / "eval", "quiz/a.jsonl", [row])
        read = read_task(tmp_path, task)
        return items_of(read, tmp_path / "eval").items[0]

    return make
