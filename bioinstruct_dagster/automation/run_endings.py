"""The last line of a run: what came out of it, and where to look.

Belongs here: the words of the line. Does not: writing it (executors), or summaries of failed runs
(failure_reports).
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

_REPORT = "python -m bioinstruct_dagster.report"
# The entry of an op's output that says what a run did which made no asset, such as a push.
OUTCOME = "outcome"
_MOST_NAMES = 3  # of partitions, checks or folders in the line


class RunEnding:
    """Collects from a run's events what its last line says."""

    def __init__(self) -> None:
        self._assets: dict[str, list[str]] = {}  # partitions by asset, in the order of the run
        self._rows: dict[str, int] = {}
        self._latest: dict[str, Any] = {}  # metadata of the last materialization
        self._paths: dict[str, None] = {}
        self._warnings: list[str] = []
        self._outcomes: list[str] = []
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
        elif event.event_type == dg.DagsterEventType.STEP_OUTPUT and (
            outcome := _value(event.step_output_data.metadata or {}, OUTCOME)
        ):
            self._outcomes.append(str(outcome))

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
        if made:
            parts.append(f"{kept}: {made}.")
        elif not self._outcomes:
            parts.append("Nothing new came out of this run.")
        parts += self._outcomes
        if summary := _sentence(_value(self._latest, "summary")):
            parts.append(summary if summary.endswith(".") else f"{summary}.")
        if self._failed_checks:
            parts.append(f"Failed checks: {_some(self._failed_checks)}.")
        if self._warnings:
            parts.append(f"Checks that warn: {_some(self._warnings)}.")
        if made:
            places = [*list(self._paths)[:_MOST_NAMES], "the assets' pages", _REPORT]
            parts.append(f"Look at: {', '.join(places)}")
        return " ".join(parts)

    def cancelled(self, told: str) -> str:
        """What a cancelled run leaves.

        Args:
            told: what the step said that was cancelled; empty if it said nothing.
        """
        made = "; ".join(self._made(name) for name in self._assets)
        parts = [told if told.startswith("Cancelled") else "Cancelled."]
        parts += [f"Kept: {made}."] if made else []
        parts.append("To go on, start the same command again.")
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


def _sentence(markdown: Any) -> str:
    """What a summary says above its drawing, in one line and without marks of Markdown.

    Args:
        markdown: as figures.sheet makes it. A backslash ends each line that is broken.
    """
    above, *_ = str(markdown or "").strip().partition("\n\n")
    lines = (line.strip().removesuffix("\\").rstrip() for line in above.splitlines())
    joined = " ".join(line for line in lines if not line.startswith("!["))
    return joined.replace("**", "").replace("`", "").strip()
