"""`make reference`: docs/reference/tables.md and assets.md, written from the code.

Belongs here: how tables, assets, checks, jobs, schedules and sensors look on a page. Does not: the
settings' page (bioinstruct_dagster.settings.table), or what the pages say (schema.sql, views.sql,
and the docstrings of the definitions).
"""

import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.schema import schema_sql

FOLDER = Path(__file__).parent / "reference"
COMMAND = "make reference"

_BLOCK = re.compile(
    r"((?:^--[^\n]*\n)*)"
    r"^create (table if not exists|or replace view) (\w+)(?: as)?\b(.*?)(?:;\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_COLUMN = re.compile(r'^ +"?(\w+)"? +(.+?),?(?: +--\s*(.+))?$')
_APPEND_ONLY = "[append-only] "
_MADE = (
    f"This page is made from the code by `{COMMAND}`. Do not edit it: edit {{source}}, and make it "
    "again."
)


class Relation(NamedTuple):
    """A table or a view of the store, as its declaration describes it."""

    name: str
    is_view: bool
    comment: str
    columns: list[tuple[str, str, str]]  # name, type, meaning


def relations(declaration: str) -> Iterator[Relation]:
    """The tables and views of SQL text, in its order. A view has no declared columns."""
    for comment, kind, name, body in _BLOCK.findall(declaration):
        is_view = "view" in kind
        found = [match.groups() for line in body.splitlines() if (match := _COLUMN.match(line))]
        text = " ".join(line.removeprefix("--").strip() for line in comment.splitlines())
        columns = [
            (column, declared.removesuffix(" not null"), note or "")
            for column, declared, note in ([] if is_view else found)
        ]
        yield Relation(name, is_view, text, columns)


def columns_of_views(declaration: str) -> dict[str, list[str]]:
    """The names of each view's columns, which DuckDB knows once the views are made."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(declaration)
        found = connection.execute(
            "select view_name, column_name from duckdb_views() "
            "join duckdb_columns() on table_name = view_name "
            "where not duckdb_views.internal order by view_name, column_index"
        ).fetchall()
    columns = defaultdict(list)
    for view, column in found:
        columns[view].append(column)
    return dict(columns)


def tables_page(declaration: str) -> str:
    """The text of tables.md."""
    found, of_views = list(relations(declaration)), columns_of_views(declaration)
    return "\n".join(_tables_lines(found, of_views)) + "\n"


def _tables_lines(found: list[Relation], columns_of_views: dict[str, list[str]]) -> Iterator[str]:
    yield "# Tables and views of the store"
    yield ""
    yield _MADE.format(source="the comments in `schema.sql` and `views.sql`")
    yield (
        "[store.md](../store.md) says what a row of each table is, names the keys, and shows how "
        "to read them while a run writes."
    )
    yield ""
    yield (
        "An append-only table keeps every row that was ever written. Each other table holds the "
        "last materialization of its asset."
    )
    for relation in found:
        yield ""
        yield f"## {relation.name}"
        yield ""
        kept = relation.comment.startswith(_APPEND_ONLY)
        comment = relation.comment.removeprefix(_APPEND_ONLY)
        kind = "A view." if relation.is_view else "Append-only." if kept else ""
        if said := " ".join(part for part in (kind, comment) if part):
            yield said
        if relation.is_view:
            yield ""
            yield f"Columns: {', '.join(f'`{name}`' for name in columns_of_views[relation.name])}."
        if relation.columns:
            if said:
                yield ""
            yield "| column | type | meaning |"
            yield "| --- | --- | --- |"
        for name, declared, note in relation.columns:
            yield f"| `{name}` | {declared} | {_in_cell(note)} |"


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def assets_page(defs: Any) -> str:
    """The text of assets.md: what Dagster's UI shows of the definitions."""
    return "\n".join(_assets_lines(defs)) + "\n"


def _assets_lines(defs: Any) -> Iterator[str]:
    graph, repository = defs.resolve_asset_graph(), defs.get_repository_def()
    checks: dict[str, list[Any]] = defaultdict(list)
    for key in sorted(graph.asset_check_keys, key=lambda key: key.name):
        checks[key.asset_key.to_user_string()].append(graph.get_check_spec(key))
    yield "# Assets, checks, jobs, schedules and sensors"
    yield ""
    yield _MADE.format(source="the docstrings and descriptions of the definitions")
    yield "A *blocking* check that fails ends the run. The other checks warn."
    for key in graph.toposorted_asset_keys:
        yield from _asset(graph.get(key), checks[key.to_user_string()])
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    yield from _listed("Jobs", "job", jobs, lambda job: _sentence(job.description))
    yield from _listed("Schedules", "schedule", repository.schedule_defs, _schedule)
    yield from _listed("Sensors", "sensor", repository.sensor_defs, _sensor)


def _asset(node: Any, checks: list[Any]) -> Iterator[str]:
    parents = sorted(key.to_user_string() for key in node.parent_keys)
    yield ""
    yield f"## {node.key.to_user_string()}"
    yield ""
    yield f"- group: `{node.group_name}`"
    yield f"- reads: {', '.join(f'`{name}`' for name in parents) or 'no asset'}"
    if node.partitions_def:
        yield "- partitions: base model and recipe, such as `rehearsal-llama|all`"
    yield ""
    yield _described(node.description)
    if checks:
        yield ""
        yield "| check | blocking | what it holds |"
        yield "| --- | --- | --- |"
    for spec in checks:
        yield (
            f"| `{spec.name}` | {'yes' if spec.blocking else 'no'} "
            f"| {_in_cell(_sentence(spec.description))} |"
        )


def _listed(title: str, kind: str, found: Any, said: Callable[[Any], str]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield f"| {kind} | what it does |"
    yield "| --- | --- |"
    for one in sorted(found, key=lambda one: one.name):
        yield f"| `{one.name}` | {_in_cell(said(one))} |"


def _schedule(schedule: Any) -> str:
    zone = schedule.execution_timezone or "UTC"
    return f"{_sensor(schedule)} Cron: `{schedule.cron_schedule}` ({zone})."


def _sensor(sensor: Any) -> str:
    state = {"RUNNING": "on", "STOPPED": "off"}[sensor.default_status.value]
    return f"{_sentence(sensor.description)} Default: {state}.".strip()


def _sentence(text: str | None) -> str:
    """A description on one line."""
    return " ".join((text or "").split())


def _described(text: str | None) -> str:
    """A description with its paragraphs, each on one line."""
    return "\n\n".join(_sentence(part) for part in re.split(r"\n\s*\n", text or ""))


def pages() -> dict[str, str]:
    """The text of each page by the name of its file in docs/reference."""
    with tempfile.TemporaryDirectory() as folder:
        defs = build_defs(Settings.of(data_dir=Path(folder)))
        return {"tables.md": tables_page(schema_sql()), "assets.md": assets_page(defs)}


def main() -> int:
    """Write the pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
