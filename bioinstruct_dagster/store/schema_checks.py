"""One blocking check per table, made from `schema.sql`: columns, types, nulls and a unique key.

Belongs here: the form of a table. Does not: the meaning of its rows, which each stage checks in its
own module `checks`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from bioinstruct_dagster.store.check_results import judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import COLUMNS, markdown_table
from bioinstruct_dagster.store.schema import schema_sql


def schema_check(
    table: str, key: tuple[str, ...], asset: str | None = None
) -> dg.AssetChecksDefinition:
    """A check that a table has its declared form, and that no two rows have the same `key`.

    Args:
        table: the table.
        key: the columns whose values no two rows share.
        asset: that writes the table; by default, the asset of the table's name.
    """

    @dg.asset_check(
        asset=asset or table,
        name=f"{table}_schema",
        blocking=True,
        description=(
            "The table has the columns, types and not-null constraints that schema.sql declares, "
            f"and no two rows have the same {', '.join(key)}."
        ),
    )
    def check(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
        found = {c["column_name"]: c for c in store.rows(COLUMNS, {"table": table})}
        expected = _declared_columns(table)
        wrong = [
            {"column": name, "expected": str(expected.get(name)), "found": str(found.get(name))}
            for name in {**expected, **found}
            if expected.get(name) != found.get(name)
        ]
        keys = ", ".join(key)
        repeated = store.rows(
            f"select {keys}, count(*) as times from {table} "
            f"group by {keys} having count(*) > 1 limit 10"
        )
        return judged(
            not wrong and not repeated,
            {
                "columns": ", ".join(expected),
                "unexpected_columns": dg.MetadataValue.md(markdown_table(wrong)),
                "repeated_keys": dg.MetadataValue.md(markdown_table(repeated)),
            },
            warns=False,
            description=_said(table, key, wrong, repeated),
        )

    return check


def _said(
    table: str,
    key: tuple[str, ...],
    wrong: Sequence[Mapping[str, Any]],
    repeated: Sequence[Mapping[str, Any]],
) -> str:
    """What the check found, and what to do."""
    said = []
    if wrong:
        names = ", ".join(column["column"] for column in wrong)
        said.append(
            f"The table {table} differs from schema.sql in these columns: {names}. Another program "
            "or another version of the project changed it: restore the store from a backup."
        )
    if repeated:
        values = ", ".join(str(repeated[0][name]) for name in key)
        said.append(
            f"Several rows of {table} have the same {', '.join(key)}, such as {values}. "
            "Materialize the asset again. If the fault stays, its input holds the row twice."
        )
    return " ".join(said) or (
        f"The table {table} has its declared columns, and no two rows have the same "
        f"{', '.join(key)}."
    )


def _declared_columns(table: str) -> dict[str, dict[str, object]]:
    # The declaration is executed, not parsed, because only DuckDB reads its own dialect reliably.
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.execute(schema_sql())
        rows = connection.execute(COLUMNS, {"table": table})
        names = [column[0] for column in rows.description or ()]
        return {row[0]: dict(zip(names, row, strict=True)) for row in rows.fetchall()}
