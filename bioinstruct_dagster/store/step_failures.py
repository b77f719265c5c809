"""How a step of Dagster fails on an error that a user can correct: one message, and no trace.

Belongs here: stated errors and faults of a run's configuration as failed steps, and what the
command line prints last. Does not: faults that Dagster finds before a run starts
(automation.command_line), or what the UI shows of a table (store.materialization).
"""

import atexit
import difflib
import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn, ParamSpec, TypeVar

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster_shared.check import CheckError
from dagster_shared.error import SerializableErrorInfo
from pydantic import ValidationError, ValidationInfo, field_validator

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.yaml_faults import faults_of

P = ParamSpec("P")
R = TypeVar("R")

# Printed if a command runs without an instance that outlives it.
NOT_RECORDED = (
    "Dagster did not record this run, because DAGSTER_HOME is not set: the UI will not show it. "
    "What the run wrote is kept. To record the next run, first do: "
    "export DAGSTER_HOME=$PWD/.dagster_home"
)
# Above this similarity by difflib, a name is that of the step with one or two wrong letters.
_SAME_NAME = 0.85
_last_lines: dict[str, None] = {}  # in order, each once


class StatedFailure(DagsterUserCodeProcessError, dg.Failure):  # noqa: N818  # Dagster's word
    """A failed step whose message is all that a user needs. Dagster shows no trace with it.

    Dagster shows an error of the first class as the error that it carries, which here has no trace.

    Args:
        message: what is wrong, where, and what to do.
    """

    def __init__(self, message: str) -> None:
        shown = SerializableErrorInfo(message=f"{message}\n", stack=[], cls_name="StatedError")
        super().__init__(message, user_code_process_error_infos=[shown])  # type: ignore[no-untyped-call]
        self.allow_retries = False


class StepConfig(dg.Config):
    """The base class of a step's configuration. In a step, its faults are stated without a trace.

    Elsewhere, such as in Python code that makes a run configuration, pydantic's error is raised.
    """

    def __init__(self, **values: Any) -> None:
        step = _step_context()
        try:
            super().__init__(**{**values, **(_truth_values(step) if step else {})})
        except ValidationError as error:
            if step is None:
                raise
            message = "\n  ".join([_heading(step), *_field_faults(error, self)])
        else:
            return
        _refuse(message)

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:
        # Python counts true as 1, so `max_usd: true` would be a cap of one dollar.
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and field.annotation is not bool:
            message = "true and false are no values of this field; write a number or text"
            raise ValueError(message)  # pydantic would not report a TypeError
        return value


def _heading(step: dg.OpExecutionContext) -> str:
    return f"Bad run config (ops: {step.op.name}: config):"


def _truth_values(step: dg.OpExecutionContext) -> dict[str, bool]:
    """The fields for which the run config says true or false. Dagster hands on true as 1.0."""
    of_step = _ops(step).get(step.op.name, {}).get("config", {})
    return {field: value for field, value in of_step.items() if isinstance(value, bool)}


def _ops(step: dg.OpExecutionContext) -> dict[str, Any]:
    config: Any = step.run.run_config
    return dict(config.get("ops", {}))


def _unknown_step(step: dg.OpExecutionContext) -> str:
    """What is wrong with the names of steps in the run config; empty if nothing is.

    Dagster passes over the configuration of steps that a run does not have, and so over a cap. The
    configuration of a step that the project has and the run leaves out is no fault.
    """
    known = {node.name for node in step.job_def.nodes}
    if not (unknown := [name for name in _ops(step) if name not in known]):
        return ""
    cutoff = 0.0
    try:
        assets = step.repository_def.assets_defs_by_key.values()
    except CheckError:  # the run's assets belong to no project, as in Python code
        cutoff = _SAME_NAME
    else:
        known |= {asset.node_def.name for asset in assets if asset.is_executable}
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
        if name not in known and near:
            return f"ops has no {name!r}; did you mean {near[0]!r}?"
    return ""


def _field_faults(error: ValidationError, config: dg.Config) -> Iterator[str]:
    for fault in faults_of(error, type(config)):
        field = type(config).model_fields.get(str(fault.place[0])) if fault.place else None
        # The description follows in brackets. It is a whole sentence, which the launchpad shows.
        about = f" ({field.description})" if field else ""
        yield f"{'.'.join(map(str, fault.place))}: {fault.message.removesuffix(about)}"


def stating_errors(compute: Callable[P, R]) -> Callable[P, R]:
    """An asset's function that fails its step on a stated error, without retry or trace.

    On the command line, the error's message is printed last, below Dagster's own output.
    """
    if inspect.isgeneratorfunction(compute):

        @functools.wraps(compute)
        def stated_one_by_one(*args: P.args, **kwargs: P.kwargs) -> Any:
            with _stating():
                yield from compute(*args, **kwargs)

        return stated_one_by_one

    @functools.wraps(compute)
    def stated(*args: P.args, **kwargs: P.kwargs) -> R:
        with _stating():
            return compute(*args, **kwargs)

    return stated


@contextmanager
def _stating() -> Iterator[None]:
    _note_a_lost_record()
    if (step := _step_context()) and (fault := _unknown_step(step)):
        _refuse(f"Bad run config: {fault}")
    try:
        yield
    except StatedError as error:
        _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    """Fail the step with the message, and print the message once more as the last line."""
    _note_a_lost_record()
    say_last(message)
    raise StatedFailure(message) from None


def _note_a_lost_record() -> None:
    """Print at the end that the run is not recorded, if a command runs it without DAGSTER_HOME.

    Such a command, as `dagster asset materialize`, makes an instance in a temporary folder. The
    processes that a service or a multiprocess run starts are told their instance, and run no
    command.
    """
    click = sys.modules.get("click")
    is_command = click is not None and click.get_current_context(silent=True) is not None
    if is_command and not os.environ.get("DAGSTER_HOME") and _step_context():
        say_last(NOT_RECORDED)


def _step_context() -> dg.OpExecutionContext | None:
    """The context of the step that runs now; None outside a step."""
    try:
        return dg.OpExecutionContext.get()
    except dg.DagsterInvariantViolationError:
        return None


def say_last(message: str) -> None:
    """Print a message when the process ends, below the messages of earlier calls."""
    if not _last_lines:
        atexit.register(_say)
    _last_lines[message] = None


def _say() -> None:
    if sys.__stderr__:
        sys.__stderr__.write("".join(f"\n{message}\n" for message in _last_lines))
