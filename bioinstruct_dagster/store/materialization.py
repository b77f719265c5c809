"""What Dagster shows of a table: row count, column schema, a preview, the content's fingerprint.

The store itself knows nothing of Dagster; this is its face.
"""

import atexit
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.database import Store, condition_of
from bioinstruct_dagster.store.schema import column_notes

P = ParamSpec("P")
R = TypeVar("R")

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 80
OWNERS = ["team:bioinstruct"]
REHEARSAL_NOTE = (
    "rehearsal: made with the embedded teacher or base model; shows that the chain works, "
    "says nothing of medicine, can't be published"
)

COLUMNS = """
    select column_name, data_type, is_nullable = 'YES' as nullable
    from information_schema.columns
    where table_name = $table
    order by ordinal_position
"""


def materialization(
    context: dg.AssetExecutionContext,
    store: Store,
    table: str,
    fingerprint: str,
    *,
    rehearsal: bool | None = None,
    extra: Mapping[str, Any] | None = None,
    part: Mapping[str, Any] | None = None,
    hidden: Sequence[str] = (),
) -> dg.MaterializeResult[None]:
    """The materialization of an asset that is a table.

    Args:
        context: of the step; a run that makes anything rehearsal-made is tagged so.
        store: where the table is.
        table: its name.
        fingerprint: hash of the content, which becomes the data version.
        rehearsal: whether any of it is rehearsal-made; None where it does not apply.
        extra: further metadata; it comes first in the UI.
        part: the column values of an asset's own rows, where it has only part of the table.
        hidden: columns that the preview leaves out.
    """
    condition = condition_of(part)
    columns = store.rows(COLUMNS, {"table": table})
    notes = column_notes(table)
    left_out = f"exclude ({', '.join(hidden)})" if hidden else ""
    preview = store.rows(
        f"select * {left_out} from {table} {condition} limit {PREVIEW_ROWS}", part or {}
    )
    count = store.rows(f"select count(*) as n from {table} {condition}", part or {})[0]["n"]
    metadata: dict[str, Any] = dict(extra or {})
    if rehearsal is not None:
        metadata["rehearsal"] = dg.MetadataValue.bool(rehearsal)
        if rehearsal:
            metadata["rehearsal_note"] = REHEARSAL_NOTE
            context.instance.add_run_tags(context.run.run_id, {"rehearsal": "true"})
    metadata["dagster/row_count"] = count
    metadata["dagster/column_schema"] = dg.TableSchema(
        [
            dg.TableColumn(
                c["column_name"],
                c["data_type"].lower(),
                notes.get(c["column_name"]),
                constraints=dg.TableColumnConstraints(nullable=c["nullable"]),
            )
            for c in columns
        ]
    )
    metadata["preview"] = dg.MetadataValue.md(markdown_table(preview))
    metadata["fingerprint"] = fingerprint
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(fingerprint[:16]))


def stating_errors(compute: Callable[P, R]) -> Callable[P, R]:
    """An asset's function whose stated errors fail the step at once, without retry or traceback.

    A shell shows the message last, below what Dagster prints of the failure.
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
    try:
        yield
    except StatedError as error:
        atexit.register(_say_last, str(error))
        raise dg.Failure(str(error), allow_retries=False) from None


def _say_last(message: str) -> None:
    if sys.__stderr__:
        sys.__stderr__.write(f"\n{message}\n")


def markdown_table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of a few rows, long cells cut."""
    if not rows:
        return "no rows"
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join(_cell(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = str(value).replace("\n", " ").replace("|", "\\|")
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
