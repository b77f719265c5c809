"""Executors whose runs end with a line that says what came out.

Dagster's executors end with "Finished steps". These do the same work and add one line, so that it
stands in the run's log whoever started the run, also without the daemon. Belongs here: the
executors. Does not: the words of the line (run_endings).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData

from bioinstruct_dagster.automation.command_line import runs_here
from bioinstruct_dagster.automation.run_endings import RunEnding
from bioinstruct_dagster.store.step_failures import say_last


class _EndingExecutor(dg.Executor):
    """An executor that does the work of another one, and then writes the run's last line."""

    def __init__(self, inner: dg.Executor) -> None:
        self._inner = inner

    @property
    def retries(self) -> Any:
        """Dagster's mode of retries."""
        return self._inner.retries

    @property
    def step_dependency_config(self) -> Any:
        """Dagster's rule for when a step may begin."""
        return self._inner.step_dependency_config

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        """Execute the plan, and add one event."""
        ending = RunEnding()
        try:
            for event in self._inner.execute(plan_context, execution_plan):
                ending.note(event)
                yield event
        except dg.DagsterExecutionInterruptedError as error:
            # Dagster prints the step's words above a trace of a page, and calls the run failed.
            if runs_here():
                say_last(ending.cancelled(str(error)))
            raise
        line = ending.line()
        yield dg.DagsterEvent.engine_event(plan_context, line, EngineEventData())
        if runs_here() and not ending.failed:  # after a failure, its own message is the last line
            say_last(line)


def _with_ending(definition: dg.ExecutorDefinition) -> dg.ExecutorDefinition:
    """The executor definition, with the same name and configuration, whose runs end with a line."""
    create = definition.executor_creation_fn
    if create is None:
        raise TypeError(f"The executor {definition.name} can't be created.")

    def created(init_context: dg.InitExecutorContext) -> dg.Executor:
        return _EndingExecutor(create(init_context))

    schema: Any = definition.config_schema  # already in Dagster's own form
    return dg.ExecutorDefinition(
        name=definition.name,
        config_schema=schema,
        requirements=definition.get_requirements,
        executor_creation_fn=created,
        description=definition.description,
    )


in_process = _with_ending(dg.in_process_executor)
multiprocess = _with_ending(dg.multiprocess_executor)
