"""Which rows of the data set a refresh added.

A row belongs to the run that paid for its completion. Belongs here: the rows of one refresh, by the
completions. Does not: which of them are trained on (findings.worth.arms).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.database import Store

# The statement by which a reader finds the rows of a refresh: each row with its completion's run.
ROWS_BY_RUN = """
    select dataset.row_id, completion.run_id, completion.completed_at
    from hf_dataset as dataset
    join raw_instructions as raw using (row_id)
    left join completions as completion using (completion_id)
    order by dataset.row_id
"""
_SHOWN = 8  # digits of a run's id, as Dagster's UI shows them


class RefreshError(StatedError):
    """No refresh can be told from the rows before it. The message says why, and what to do."""


@dataclass(frozen=True)
class Refresh:
    """A refresh, and the rows of the present data set that it added.

    Attributes:
        name: in words, such as `run 1a2b3c4d` or `all rows since 2026-11-30`.
        at: when its first reply was there.
        added: the names of its rows, of all splits.
        before: the names of the rows that were there before it. Rows of later runs are in neither.
    """

    name: str
    at: datetime
    added: frozenset[str]
    before: frozenset[str]


def refresh_of(store: Store, run_id: str = "", since: str = "") -> Refresh:
    """The refresh that is tested: by default, the last run that added rows.

    Args:
        store: with the data set and the completions behind it.
        run_id: the run, or the first digits of its id; empty for the last one.
        since: a date or time. All rows whose reply came then or later are one refresh.

    Raises:
        RefreshError: there is no such refresh, or no row is older than it.
    """
    rows = store.rows(ROWS_BY_RUN)
    if not rows:
        raise RefreshError("There is no data set yet. Materialize key:hf_dataset first.")
    dated = [row for row in rows if row["completed_at"] is not None]
    if not dated:
        raise RefreshError(
            "All rows of the data set were imported, so no run of a teacher added any. A refresh "
            "can be tested only if its rows come from completions."
        )
    if since:
        start = _time(since)
        added = [row for row in dated if row["completed_at"] >= start]
        name = f"all rows since {since}"
    else:
        run = _run(dated, run_id)
        added = [row for row in dated if row["run_id"] == run]
        name = f"run {run[:_SHOWN]}" if run else "the rows that no run of Dagster paid for"
    if not added:
        raise RefreshError(
            f"No reply came since {since}. Its latest row is of "
            f"{max(row['completed_at'] for row in dated):%Y-%m-%d %H:%M}. Choose an earlier time."
        )
    first = min(row["completed_at"] for row in added)
    of_refresh = frozenset(row["row_id"] for row in added)
    before = frozenset(
        row["row_id"]
        for row in rows
        if row["row_id"] not in of_refresh
        and (row["completed_at"] is None or row["completed_at"] < first)
    )
    if not before:
        raise RefreshError(
            f"No row of the data set is older than {name}, so there is nothing to compare its "
            "rows with. Test the next refresh."
        )
    return Refresh(name, first, of_refresh, before)


def _run(rows: Sequence[Mapping[str, Any]], run_id: str) -> str | None:
    """The id of the chosen run, or of the run with the newest reply."""
    if not run_id:
        newest = max(rows, key=lambda row: (row["completed_at"], row["run_id"] or ""))
        found: str | None = newest["run_id"]
        return found
    runs = {row["run_id"] for row in rows if row["run_id"]}
    matching = sorted(run for run in runs if run.startswith(run_id))
    if len(matching) != 1:
        listed = ", ".join(run[:_SHOWN] for run in (matching or sorted(runs)))
        many = "several runs begin" if matching else "no run that added rows begins"
        raise RefreshError(
            f"refresh: {many} with {run_id!r}. The runs behind the data set are {listed}."
        )
    return str(matching[0])


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RefreshError(
            f"since: {text!r} is not a date or time. Write it as 2026-11-30 or 2026-11-30T06:00."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
