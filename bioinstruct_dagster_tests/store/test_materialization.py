"""What the UI shows of a table, and how a stated error ends a step."""

import dagster as dg
import pytest

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store import materialization
from bioinstruct_dagster.store.materialization import (
    PREVIEW_CHARACTERS,
    markdown_table,
    stating_errors,
)


@pytest.fixture
def last_words(monkeypatch):
    """The messages that are printed when the process ends."""
    messages = []
    monkeypatch.setattr(
        materialization.atexit, "register", lambda _, message: messages.append(message)
    )
    return messages


def test_a_table_has_a_header_and_a_line_per_row():
    text = markdown_table([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    assert text.splitlines() == ["| a | b |", "| --- | --- |", "| 1 | x |", "| 2 | y |"]


def test_a_cell_is_one_line_without_column_breaks_and_not_long():
    *_, line = markdown_table([{"a": "one\ntwo|three " + "x" * PREVIEW_CHARACTERS}]).splitlines()
    assert line.startswith("| one two\\|three ")
    assert len(line) == PREVIEW_CHARACTERS + len("|  |")
    assert line.endswith("… |")


def test_a_table_without_rows_says_so():
    assert markdown_table([]) == "no rows"


def test_a_stated_error_fails_the_step_without_retries(last_words):
    @stating_errors
    def compute():
        raise StatedError("Set the key.")

    with pytest.raises(dg.Failure, match="Set the key") as failure:
        compute()
    assert not failure.value.allow_retries
    assert last_words == ["Set the key."]


def test_a_stated_error_of_a_generator_fails_the_step_too(last_words):
    @stating_errors
    def compute():
        yield 1
        raise StatedError("Set the key.")

    steps = compute()
    assert next(steps) == 1
    with pytest.raises(dg.Failure, match="Set the key"):
        next(steps)
    assert last_words == ["Set the key."]


def test_any_other_error_is_left_as_it_is(last_words):
    @stating_errors
    def compute():
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        compute()
    assert last_words == []
