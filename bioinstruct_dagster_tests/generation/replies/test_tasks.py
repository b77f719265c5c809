"""The list of a reply's tasks: sound tasks keep their places, and broken ones are counted."""

import pytest

from bioinstruct_dagster.generation.replies.tasks import INCOMPLETE_FAULT, TaskList, is_sound

TASK = {"instruction": "Name it.", "input": "", "output": "A"}


def list_of(*added) -> TaskList:
    """A list of tasks; None stands for a broken task."""
    tasks = TaskList()
    for fields in added:
        if fields is None:
            tasks.drop(INCOMPLETE_FAULT)
        else:
            tasks.add(fields)
    return tasks


@pytest.mark.parametrize(
    ("change", "sound"),
    [
        ({}, True),
        ({"output": ""}, True),
        ({"output": None}, False),
        ({"input": "a\0b"}, False),
        ({"instruction": "\ud800"}, False),
    ],
)
def test_a_sound_task_has_three_storable_texts(change, sound):
    assert is_sound({**TASK, **change}) is sound
    assert bool(list_of({**TASK, **change}).tasks) is sound


def test_a_missing_field_is_a_fault():
    assert not is_sound({"instruction": "Name it.", "output": "A"})


def test_fields_lose_their_outer_blanks():
    assert list_of({**TASK, "output": " A\n"}).tasks == [TASK]


def test_a_broken_task_keeps_the_places_of_the_others():
    tasks = list_of(TASK, None, TASK, {**TASK, "input": None})
    assert (tasks.positions, tasks.count, tasks.dropped) == ([0, 2], 4, 2)
    assert tasks.fault == "task 1 is not complete"  # the first of two


def test_a_list_without_broken_tasks_has_no_fault():
    assert list_of(TASK).fault == ""


def test_places_go_on_in_a_later_part_of_a_reply():
    tasks = list_of(TASK)
    tasks.extend(list_of(None, TASK))
    assert (tasks.positions, tasks.count) == ([0, 2], 3)
    assert tasks.fault == "task 1 is not complete"
    assert tasks.is_recognized


def test_the_last_task_of_a_cut_text_becomes_a_broken_task():
    tasks = list_of(TASK, TASK)
    tasks.drop_last()
    assert (tasks.positions, tasks.count) == ([0], 2)
    assert tasks.fault == "task 1 is not complete"


def test_a_last_task_that_is_broken_is_counted_once():
    tasks = list_of(TASK, None)
    tasks.drop_last()
    assert (tasks.positions, tasks.count) == ([0], 2)
