"""The metadata that Dagster shows of a table.

Dagster's page of an asset shows status, description, column schema, and then metadata. A schema
under Dagster's own key would push all numbers below the first screen, so the table's columns are
shown under a key of ours, behind a button. Belongs here: row count, change since the last
materialization, columns, preview, and fingerprint. Does not: how a stated error ends a step
(store.step_failures), or anything that works without Dagster (store.database).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import change, number_of
from bioinstruct_dagster.store.database import Store, condition_of
from bioinstruct_dagster.store.schema import column_notes

PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 80
OWNERS = ["team:bioinstruct"]
# A key has spaces, because the page breaks lines only there. The longest word decides how much room
# is left for the values.
REHEARSAL_KEY, COLUMNS_KEY = "rehearsal note", "table columns"
REHEARSAL_NOTE = (
    "Rehearsal: {marked} of {total} {things} {because}. It shows that the chain works. It has no "
    "medical meaning and must not be published."
)
_BY_TEACHER = "made with the rehearsal teacher"
_BY_MODEL = "made with the embedded base model or from rehearsal rows"
# What a row of each table with a mark `rehearsal` is, and what can be behind the mark.
REHEARSED = {
    "raw_instructions": ("row", _BY_TEACHER),
    "deduplicated_instructions": ("row", _BY_TEACHER),
    "categorized_instructions": ("row", _BY_TEACHER),
    "review_sample": ("row", _BY_TEACHER),
    "review_results": ("row", _BY_TEACHER),
    "hf_dataset": ("row", _BY_TEACHER),
    "dataset_figures": ("count", f"of a set with rows {_BY_TEACHER}"),
    "lora_adapter": ("adapter", _BY_MODEL),
    "data_worth": ("comparison", _BY_MODEL),
    "eval_scores": ("score", f"made on fixture items, or of an adapter that was {_BY_MODEL}"),
    **dict.fromkeys(
        ("leaderboard", "category_ablation", "data_scaling"),
        ("row", f"made on fixture items, or of adapters that were {_BY_MODEL}"),
    ),
    "judge_scores": (
        "score",
        f"made on fixture items, by a rehearsal's judge, or of an adapter that was {_BY_MODEL}",
    ),
}

COLUMNS = """
    select column_name, data_type, is_nullable = 'YES' as nullable
    from information_schema.columns
    where table_name = $table
    order by ordinal_position
"""


def materialization(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    store: Store,
    table: str,
    fingerprint: str,
    *,
    extra: Mapping[str, Any] | None = None,
    part: Mapping[str, Any] | None = None,
    preview: bool = True,
) -> dg.MaterializeResult[None]:
    """The result of a step that has written a table, with the metadata that the UI shows.

    Whether the table is a rehearsal is counted from its rows.

    Args:
        context: of the step. If a row is rehearsal-made, the run gets the tag `rehearsal`.
        store: the store with the table.
        table: the table's name.
        fingerprint: a hash of the content, which becomes the data version.
        extra: further metadata, which comes first in the UI. Its first entry is `summary`.
        part: the column values of the rows that this step wrote, if it wrote one partition.
        preview: whether to show the first rows. A step leaves them out if it shows rows as cards,
            or if no gate has checked their texts yet.
    """
    condition = condition_of(part)
    columns = store.rows(COLUMNS, {"table": table})
    marked = any(column["column_name"] == "rehearsal" for column in columns)
    marks = "count_if(rehearsal)" if marked else "0"
    [counts] = store.rows(
        f"select count(*) as n, {marks} as rehearsal from {table} {condition}", part or {}
    )
    count, rehearsal = counts["n"], counts["rehearsal"]
    metadata: dict[str, Any] = dict(extra or {})
    if marked:
        metadata["rehearsal"] = dg.MetadataValue.bool(bool(rehearsal))
        if rehearsal:
            note = rehearsal_note(table, rehearsal, count)
            metadata[REHEARSAL_KEY] = dg.MetadataValue.md(summary(note))
            context.instance.add_run_tags(context.run.run_id, {"rehearsal": "true"})
    metadata["dagster/row_count"] = count
    metadata[COLUMNS_KEY] = dg.TableSchema(column_schema(columns, table))
    if preview:
        first = store.rows(f"select * from {table} {condition} limit {PREVIEW_ROWS}", part or {})
        metadata["preview"] = dg.MetadataValue.md(markdown_table(first))
    metadata["fingerprint"] = fingerprint
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(fingerprint[:16]))


def last_metadata(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    asset: str,
    partition: dg.MultiPartitionKey | None = None,
) -> Mapping[str, Any]:
    """The values of the last materialization's metadata by name; empty if there was none.

    Args:
        context: of the step that makes the next materialization.
        asset: the asset's name.
        partition: its partition, if it has some.
    """
    found = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(
            dg.AssetKey(asset), asset_partitions=[partition] if partition else None
        ),
        limit=1,
    ).records
    event = found[0].asset_materialization if found else None
    return {name: one.value for name, one in event.metadata.items()} if event else {}


def rows_and_change(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, asset: str, rows: int, thing: str
) -> str:
    """The number of rows, and the change since the last materialization of an asset.

    Args:
        context: of the step that makes the next materialization.
        asset: the asset's name, which has no partitions.
        rows: the number of rows that it has now.
        thing: what a row is, such as "seed task".

    Returns:
        Such as "443 raw rows (+23 since the last run)".
    """
    before = last_metadata(context, asset).get("dagster/row_count")
    since = f" ({change(rows - before)} since the last run)" if isinstance(before, int) else ""
    return f"{number_of(rows, thing)}{since}"


def rehearsal_note(table: str, marked: int, total: int) -> str:
    """What of a table is a rehearsal, and what can be behind that, in a table of its kind.

    Args:
        table: the table's name.
        marked: how many of its rows are marked.
        total: how many rows it has, or the step wrote.
    """
    thing, because = REHEARSED[table]
    return REHEARSAL_NOTE.format(
        marked=f"{marked:,}",
        total=f"{total:,}",
        things=thing if total == 1 else f"{thing}s",
        because=f"{'was' if marked == 1 else 'were'} {because}",
    )


def column_schema(columns: Sequence[Mapping[str, Any]], table: str) -> list[dg.TableColumn]:
    """The columns of a table as the UI shows them, each with its comment in the declaration.

    Args:
        columns: the rows of the query COLUMNS.
        table: the table's name.
    """
    notes = column_notes(table)
    return [
        dg.TableColumn(
            column["column_name"],
            column["data_type"].lower(),
            notes.get(column["column_name"]),
            constraints=dg.TableColumnConstraints(nullable=column["nullable"]),
        )
        for column in columns
    ]


def partition_materialization(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    asset: str,
    partition: dg.MultiPartitionKey,
    result: dg.MaterializeResult[None],
    *,
    code_version: str,
    upstream: Mapping[str, dg.MultiPartitionKey | None],
) -> dg.AssetMaterialization:
    """The event of one partition, which Dagster stores as soon as a step yields it.

    A step that materializes several partitions would otherwise get its events at its end, all with
    the same metadata, and also for partitions that it did not make. The event has the tags by
    which Dagster tells whether the partition is up to date with its inputs.

    Args:
        context: of the step, which may be the step of another asset or of no asset.
        asset: the asset's name.
        partition: the partition's key.
        result: metadata and data version, from `materialization`.
        code_version: of the asset.
        upstream: the assets that it was made from, each with the partition, or None if it has no
            partitions.
    """
    tags = {"dagster/code_version": code_version, "dagster/data_version_is_user_provided": "true"}
    for dimension, key_of_dimension in partition.keys_by_dimension.items():
        tags[f"dagster/partition/{dimension}"] = key_of_dimension
    if result.data_version:
        tags["dagster/data_version"] = result.data_version.value
    for name, of_partition in upstream.items():
        key = dg.AssetKey(name)
        found = context.instance.fetch_materializations(
            dg.AssetRecordsFilter(key, asset_partitions=[of_partition] if of_partition else None),
            limit=1,
        ).records
        if found and (event := found[0].asset_materialization):
            version = (event.tags or {}).get("dagster/data_version", found[0].run_id)
            tags[f"dagster/input_data_version/{name}"] = version
            tags[f"dagster/input_event_pointer/{name}"] = str(found[0].storage_id)
    if backfill := context.run.tags.get("dagster/backfill"):
        tags["dagster/backfill"] = backfill
    return dg.AssetMaterialization(
        dg.AssetKey(asset), partition=partition, metadata=result.metadata, tags=tags
    )


def materialized_before() -> dg.MaterializeResult[None]:
    """The result of a step that has yielded an event for each partition that it made.

    It lets the checks and the downstream steps run, and adds no event: Dagster would add one for
    each partition of the run, with equal metadata. The key of the metadata is how Dagster itself
    says so, of a step that has logged its events. It is not documented; the test of this module
    counts the events.
    """
    return dg.MaterializeResult(metadata={SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True})


def markdown_table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of the rows. Long cells are shortened."""
    if not rows:
        return "no rows"
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join(_cell(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, float):  # more digits would be noise
        value = round(value, 4) if abs(value) >= 1 else float(f"{value:.4g}")
    text = str(value).replace("\n", " ").replace("|", "\\|")
    return text if len(text) <= PREVIEW_CHARACTERS else text[: PREVIEW_CHARACTERS - 1] + "…"
