"""How a step fails on an error that a user can correct, and what is printed last."""

import dagster as dg
import pytest
from pydantic import Field, ValidationError

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store import step_failures
from bioinstruct_dagster.store.step_failures import (
    NOT_RECORDED,
    StatedFailure,
    StepConfig,
    stating_errors,
)


@pytest.fixture(autouse=True)
def last_lines(monkeypatch):
    """The messages that are printed when the process ends."""
    lines = {}
    monkeypatch.setattr(step_failures, "_last_lines", lines)
    monkeypatch.setattr(step_failures.atexit, "register", lambda _: None)
    return lines


class Amounts(StepConfig):
    """A step's configuration with bounds."""

    rows: int = Field(1, ge=1, le=10, description="How many rows.")
    usd: float | None = Field(None, ge=0, description="The cap.")
    again: bool = Field(default=False, description="Whether to do it again.")


@dg.asset
@stating_errors
def amounts(config: Amounts) -> None:
    """Refuses seven rows."""
    if config.rows == 7:
        raise StatedError("Seven rows are too many.")


def run(ops):
    return dg.materialize([amounts], run_config={"ops": ops}, raise_on_error=False)


def shown_error(result):
    [failed] = [event for event in result.all_events if event.is_step_failure]
    return failed.step_failure_data.error


def test_a_stated_error_fails_the_step_without_retries(last_lines):
    @stating_errors
    def compute():
        raise StatedError("Set the key.")

    with pytest.raises(dg.Failure, match="Set the key") as failure:
        compute()
    assert not failure.value.allow_retries
    assert list(last_lines) == ["Set the key."]


def test_a_stated_error_of_a_generator_fails_the_step_too(last_lines):
    @stating_errors
    def compute():
        yield 1
        raise StatedError("Set the key.")

    steps = compute()
    assert next(steps) == 1
    with pytest.raises(dg.Failure, match="Set the key"):
        next(steps)
    assert list(last_lines) == ["Set the key."]


def test_any_other_error_is_left_as_it_is(last_lines):
    @stating_errors
    def compute():
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        compute()
    assert not last_lines


def test_dagster_shows_the_message_of_a_stated_error_and_no_trace():
    error = shown_error(run({"amounts": {"config": {"rows": 7}}}))
    assert error.to_string() == "Seven rows are too many.\n"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"rows": 0}, "rows: must be at least 1, not 0"),
        ({"rows": 11}, "rows: must be at most 10, not 11"),
        ({"usd": -0.5}, "usd: must be at least 0, not -0.5"),
        ({"usd": True}, "usd: true and false are no values of this field; write a number or text"),
    ],
)
def test_a_wrong_value_in_the_launchpad_is_named_with_its_bound_and_no_trace(config, said):
    error = shown_error(run({"amounts": {"config": config}}))
    assert error.to_string() == f"Bad run config (ops: amounts: config):\n  {said}\n"


def test_a_field_of_true_or_false_takes_them():
    assert run({"amounts": {"config": {"again": True}}}).success


def test_all_wrong_values_are_named_at_once():
    message = shown_error(run({"amounts": {"config": {"rows": 0, "usd": -1}}})).message
    assert "rows:" in message
    assert "usd:" in message


def test_outside_a_step_pydantic_reports_a_wrong_value():
    with pytest.raises(ValidationError, match="rows"):
        Amounts(rows=0)


def test_a_failure_is_one_of_dagster_with_its_description():
    failure = StatedFailure("Set the key.")
    assert isinstance(failure, dg.Failure)
    assert failure.description == str(failure) == "Set the key."


@pytest.mark.parametrize("home", ["", "/somewhere"])
def test_a_command_without_dagster_home_says_that_the_run_is_not_recorded(
    monkeypatch, last_lines, home
):
    import click

    monkeypatch.setenv("DAGSTER_HOME", home)
    with click.Context(click.Command("materialize")):
        assert run({}).success
    assert list(last_lines) == ([] if home else [NOT_RECORDED])


def test_a_run_that_no_command_starts_says_nothing_of_its_record(last_lines):
    assert run({}).success
    assert not last_lines
