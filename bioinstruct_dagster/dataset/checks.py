"""Asset checks of `hf_dataset`, and the result of each check that looks for older results.

Belongs here: the table's schema, the folder against the table, and what the checks of adapters and
scores say of an older data set. Does not: finding older results (older_results).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import dagster as dg

from bioinstruct_dagster.dataset.card_faults import faults_of_card
from bioinstruct_dagster.dataset.older_results import (
    OLDER_RESULT_CHECKS,
    MadeResult,
    advice_of,
    made_results,
    older_experiments,
)
from bioinstruct_dagster.dataset.split_rule import stored_rule
from bioinstruct_dagster.dataset.splits import SPLITS, shared_tasks, split_of_row
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

PLACED_ROWS = """
    select row_id, split, instruction, input
    from hf_dataset
    join categorized_instructions using (row_id)
    order by ordinal
"""

hf_dataset_schema = schema_check("hf_dataset", key=("row_id",))
dataset_figures_schema = schema_check("dataset_figures", key=("figure", "part", "label"))

FIGURES_OF = "select any_value(dataset_fingerprint) as fingerprint from {table}"


@dg.asset_check(asset="dataset_figures")
def figures_show_the_present_set(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """The figures were drawn of the present version of `hf_dataset`. Warns otherwise."""
    drawn, present = (
        store.rows(FIGURES_OF.format(table=table))[0]["fingerprint"]
        for table in ("dataset_figures", "hf_dataset")
    )
    if drawn is None:
        return not_judged("There are no figures. Materialize key:dataset_figures first.")
    advice = "The data set was rebuilt. Materialize key:dataset_figures again."
    return judged(
        drawn == present,
        {"drawn_of": drawn[:16], "present": (present or "none")[:16]},
        description="" if drawn == present else advice,
    )


@dg.asset_check(asset="hf_dataset", blocking=True)
def folder_holds_the_table(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The Parquet files hold exactly the table's rows, each in the split of its texts."""
    import pyarrow.parquet as pq

    folder = settings.store.data_dir / "hf_dataset" / "data"
    rule = stored_rule(store)
    found = {
        row["row_id"]: (split, split_of_row(row, rule))
        for split in SPLITS
        for path in sorted(folder.glob(f"{split}-*.parquet"))
        for row in pq.read_table(path, columns=["row_id", "instruction", "input"]).to_pylist()
    }
    table = {
        row["row_id"]: row["split"] for row in store.rows("select row_id, split from hf_dataset")
    }
    misplaced = [row_id for row_id, (split, expected) in found.items() if split != expected]
    same = {row_id: split for row_id, (split, _) in found.items()} == table
    empty = [split for split in SPLITS if split not in table.values()]
    said = []
    if not same:
        said.append(
            f"The Parquet files hold {len(found):,} rows and the table {len(table):,}, or their "
            "splits differ. A file was changed or the build was interrupted."
        )
    if misplaced:
        said.append(
            f"{len(misplaced):,} rows are in another split than their texts say, such as "
            f"{misplaced[0]}."
        )
    if said:
        said.append("Materialize key:hf_dataset again.")
    return judged(
        same and not misplaced,
        {
            "rows_in_folder": len(found),
            "rows_in_table": len(table),
            "misplaced": len(misplaced),
            "split_by": rule,
            "empty_splits": ", ".join(empty) or "none",
        },
        warns=False,
        description=" ".join(said)
        or f"The Parquet files hold exactly the table's {len(table):,} rows."
        + (f" There is no {' and no '.join(empty)} split: the set is small." if empty else ""),
    )


@dg.asset_check(asset="hf_dataset", blocking=True)
def splits_are_disjoint_and_stable(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No task is in two splits, and each row is in the split that its texts always give."""
    rows = store.rows(PLACED_ROWS)
    if not rows:
        return not_judged("The data set has no rows. Materialize key:hf_dataset first.")
    rule = stored_rule(store)
    shared = shared_tasks(rows, rule)
    moved = [row["row_id"] for row in rows if row["split"] != split_of_row(row, rule)]
    said = []
    if shared:
        first, second = shared[0]
        said.append(
            f"{len(shared):,} tasks are in two splits, such as those of rows {first} and {second}. "
            "Scores on the test split would be too high."
        )
    if moved:
        said.append(
            f"{len(moved):,} rows are in another split than their texts give, such as {moved[0]}."
        )
    if said:
        said.append("Materialize key:hf_dataset again.")
    return judged(
        not said,
        {"rows": len(rows), "tasks in two splits": len(shared), "moved rows": len(moved)},
        warns=False,
        description=" ".join(said)
        or f"{len(rows):,} rows, split by {rule.replace('_', ' ')}: no task is in two splits, and "
        "each row is where a hash of its texts puts it, in this build and in later ones.",
    )


@dg.asset_check(asset="hf_dataset")
def card_is_complete(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
    """The data set card has its header, and each of its sections has a text. Warns otherwise."""
    path = settings.store.data_dir / "hf_dataset" / "README.md"
    if not path.is_file():
        return not_judged(f"There is no card at {path}. Materialize key:hf_dataset first.")
    try:
        faults = faults_of_card(path.read_text("utf-8"), path.parent)
    except UnicodeDecodeError:
        faults = ["The card is no UTF-8 text."]
    return judged(
        not faults,
        {"card": dg.MetadataValue.path(path)},
        description="The card has a header that the hub reads, and no section is empty."
        if not faults
        else f"{' '.join(faults)} Materialize key:hf_dataset again. If you edited the card by "
        "hand, complete it.",
    )


def older_results_check(results: Sequence[MadeResult], asset: str) -> dg.AssetCheckResult:
    """The result of the check that warns of an asset's older results.

    Args:
        results: that the store holds, of any asset.
        asset: whose results are meant.
    """
    experiments = [one.experiment for one in results if one.asset == asset]
    if not experiments:
        return not_judged(f"The store holds no result of {asset}. Materialize key:{asset} first.")
    older = older_experiments(results, asset)
    listed = "\n".join(f"{experiment}: {why}." for experiment, why in older.items())
    return judged(
        not older,
        {
            "experiments": len(experiments),
            "older_results": dg.MetadataValue.md(
                markdown_table([{"experiment": n, "state": why} for n, why in older.items()])
            ),
        },
        description=f"{listed}\n{advice_of(asset)}"
        if older
        else f"{number_of(len(experiments), 'experiment')}: all are of the present data set.",
    )


@contextmanager
def renewing_older_result_checks(instance: dg.DagsterInstance, store: Store) -> Iterator[None]:
    """Renew the checks that warn of older results when a step ends, however it ends.

    Such a check runs when its asset is materialized, and would go on saying that all is well after
    the data set was rebuilt, or an adapter was trained again. So the steps that change what is
    older renew these checks. They also do so if they fail or make nothing, because a run plans its
    checks as it begins: a planned check without a verdict would hide the warning of an earlier run.

    Args:
        instance: with the pages.
        store: with the results.
    """
    try:
        yield
    finally:
        with suppress(StatedError):  # such as a locked store: the step's own error is told
            _renew_older_result_checks(instance, store)


def _renew_older_result_checks(instance: dg.DagsterInstance, store: Store) -> None:
    """Report a new result of each of these checks. An asset without any result gets none."""
    results = made_results(store)
    for asset, check in OLDER_RESULT_CHECKS.items():
        if not any(one.asset == asset for one in results):
            continue
        result = older_results_check(results, asset)
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(asset),
                check_name=check,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
            )
        )
