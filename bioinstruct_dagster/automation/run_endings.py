"""The last line of a run: what came out of it, and where to look.

Dagster's executors end with "Finished steps". These do the same work and add one line, so that it
stands in the run's log whoever started the run, also without the daemon. Belongs here: this line,
and the executors that write it. Does not: summaries of failed runs (failure_sensor).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from dagster._core.events import EngineEventData

from bioinstruct_dagster.automation.command_line import runs_here
from bioinstruct_dagster.store.step_failures import say_last

_REPORT = "python -m bioinstruct_dagster.report"
_MOST_NAMES = 3  # of partitions, checks or folders in the line


class RunEnding:
    """Collects from a run's events what its last line says."""

    def __init__(self) -> None:
        self._assets: dict[str, list[str]] = {}  # partitions by asset, in the order of the run
        self._rows: dict[str, int] = {}
        self._latest: dict[str, Any] = {}  # metadata of the last materialization
        self._paths: dict[str, None] = {}
        self._warnings: list[str] = []
        self._failed: list[str] = []
        self._failed_checks: list[str] = []

    def note(self, event: dg.DagsterEvent) -> None:
        """Take in an event of the run."""
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._note_asset(event.step_materialization_data.materialization)
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            check = event.asset_check_evaluation_data
            if not check.passed:
                blocking = check.severity == dg.AssetCheckSeverity.ERROR
                listed = self._failed_checks if blocking else self._warnings
                listed.append(f"{check.asset_key.to_user_string()}/{check.check_name}")
        elif event.event_type == dg.DagsterEventType.STEP_FAILURE and event.step_key:
            self._failed.append(event.step_key)

    def _note_asset(self, event: dg.AssetMaterialization) -> None:
        name = event.asset_key.to_user_string()
        partitions = self._assets.setdefault(name, [])
        if event.partition:
            partitions.append(event.partition)
        self._latest = dict(event.metadata)
        if isinstance(rows := _value(event.metadata, "dagster/row_count"), int):
            self._rows[name] = self._rows.get(name, 0) + rows
        if isinstance(path := _value(event.metadata, "path"), str):
            self._paths[path] = None

    @property
    def failed(self) -> bool:
        """Whether a step failed."""
        return bool(self._failed)

    def line(self) -> str:
        """What came out, and where to look."""
        parts = []
        if self._failed:
            parts.append(f"Failed: {', '.join(self._failed)}. Its message is above.")
        made = "; ".join(self._made(name) for name in self._assets)
        kept = "Kept" if self._failed else "Came out"
        parts.append(f"{kept}: {made}." if made else "Nothing new came out of this run.")
        if summary := _first_line(_value(self._latest, "summary")):
            parts.append(summary if summary.endswith(".") else f"{summary}.")
        if self._failed_checks:
            parts.append(f"Failed checks: {_some(self._failed_checks)}.")
        if self._warnings:
            parts.append(f"Checks that warn: {_some(self._warnings)}.")
        if made:
            places = [*list(self._paths)[:_MOST_NAMES], "the assets' pages", _REPORT]
            parts.append(f"Look at: {', '.join(places)}")
        return " ".join(parts)

    def _made(self, name: str) -> str:
        partitions = self._assets[name]
        rows = f"{self._rows[name]:,} rows" if name in self._rows else "done"
        if not partitions:
            return f"{name} {rows}"
        return f"{name} {rows} ({_some(partitions)})"


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _value(metadata: Any, name: str) -> Any:
    entry = metadata.get(name)
    return entry.value if isinstance(entry, dg.MetadataValue) else entry


def _first_line(markdown: Any) -> str:
    """The first sentence of a summary, without marks of Markdown."""
    lines = str(markdown or "").strip().splitlines()
    return lines[0].replace("**", "").replace("`", "").strip() if lines else ""


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
        for event in self._inner.execute(plan_context, execution_plan):
            ending.note(event)
            yield event
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
