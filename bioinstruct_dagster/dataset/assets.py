"""The data set and its figures as assets.

Belongs here: the statement that chooses rows, and the steps. Does not: the folder (dataset.build),
the facts and texts of the documents (dataset.card), or the drawings (dataset.figures).
"""

import base64
from typing import Any

import dagster as dg

from bioinstruct_dagster.curation.shown import labelled_cards
from bioinstruct_dagster.dataset.build import build_dataset
from bioinstruct_dagster.dataset.card.stored import card_of
from bioinstruct_dagster.dataset.checks import renewing_older_result_checks
from bioinstruct_dagster.dataset.older_results import (
    OLDER_RESULT_CHECKS,
    advice_of,
    made_results,
    older_experiments,
)
from bioinstruct_dagster.dataset.origins import origins_of
from bioinstruct_dagster.dataset.split_rule import rule_for
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import percent_number
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    rows_and_change,
)
from bioinstruct_dagster.store.step_failures import stating_errors

_DRAWN_VERBS = 5  # of the first figure, which the page's first screen shows as a whole
MOST_PICTURE_BYTES = 250_000  # of all figures in an event of Dagster's SQLite database

ROWS_IN_ORDER = """
    select labelled.*, raw.source, raw.completion_id
    from reviewed_instructions as labelled
    join raw_instructions as raw using (row_id)
    order by labelled.ordinal
"""


@dg.asset(
    group_name="dataset",
    kinds={"huggingface", "parquet"},
    owners=OWNERS,
    code_version="2",
    deps=["categorized_instructions", "review_results"],
)
@stating_errors
def hf_dataset(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """The labelled rows as a Hugging Face data set on disk: Parquet shards and a data set card.
    Open it with `datasets.load_dataset("<data dir>/hf_dataset")`. A row keeps its split for good.
    Rows that reviewers reject are left out, and their categories replace those of the machine.
    """
    # A hash of the instruction decides whether a row is in the train, validation or test split
    # (80/10/10 %). In a set of few instructions and many inputs, a hash of instruction and input
    # decides. The first build chooses the rule.
    with renewing_older_result_checks(context.instance, store):
        return _made(context, store, settings)


def _made(
    context: dg.AssetExecutionContext, store: Store, settings: Settings
) -> dg.MaterializeResult[None]:
    rows = store.rows(ROWS_IN_ORDER)
    if not rows:
        raise StatedError(
            "No rows for the data set. Materialize key:categorized_instructions first. If it has "
            "rows, reviewers rejected them all: see the table review_results."
        )
    split_by = rule_for(store, rows)
    card = card_of(store, rows=rows, split_by=split_by, licence=settings.publishing.dataset_licence)
    built = build_dataset(rows, settings.store.data_dir / "hf_dataset", card)
    placed = [
        {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
        | {"dataset_fingerprint": built.fingerprint}
        for row in built.rows
    ]
    store.replace({"hf_dataset": placed, "dataset_split_rule": [{"split_by": split_by}]})
    older = _older_results(context, store)
    origins = origins_of(rows)
    # All three, so that each curve over the runs has a point at each run.
    sizes = {str(split): built.sizes.get(split, 0) for split in SPLITS}
    return materialization(
        context,
        store,
        "hf_dataset",
        built.fingerprint,
        extra={
            "summary": dg.MetadataValue.md(
                summary(
                    f"{rows_and_change(context, 'hf_dataset', len(rows), 'row')}: "
                    f"{', '.join(origins.parts())}.",
                    bars("Rows by split", sizes, "rows"),
                )
            ),
            **({"older results": dg.MetadataValue.md(markdown_table(older))} if older else {}),
            **{f"{split} rows": n for split, n in sizes.items()},
            "origin": origins.sentence(),
            "split by": split_by.replace("_", " "),
            "path": dg.MetadataValue.path(built.path),
            "card": dg.MetadataValue.md(
                (built.path / "README.md").read_text("utf-8").split("---\n", 2)[2]
            ),
            "five rows": dg.MetadataValue.md(labelled_cards(store, built.fingerprint)),
        },
        preview=False,
    )


@dg.asset(
    group_name="dataset",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    code_version="1",
    deps=["hf_dataset"],
)
@stating_errors
def dataset_figures(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Figures of the data set: shares of categories, root verbs with their objects, lengths,
    novelty, growth and yield by run.

    PNG and SVG lie in the folder `reports` of the data folder, and PNG beside the data set card,
    which shows them. docs/dataset.md says how they are made.
    """
    from bioinstruct_dagster.dataset.figures.made import make_figures

    made = make_figures(store, settings)
    verbs = {one.verb: one.rows for one in made.verbs.top[:_DRAWN_VERBS]}
    shown: dict[str, Any] = {
        "summary": dg.MetadataValue.md(
            summary(
                made.summary, bars("Most frequent root verbs", verbs, "rows", of=made.verbs.read)
            )
        )
    }
    left = MOST_PICTURE_BYTES
    for one, picture in zip(made.drawn, made.pictures, strict=True):
        left -= len(picture)
        if left >= 0:
            content = base64.b64encode(picture).decode()
            text = f"{one.told}\n\n![{one.title}](data:image/png;base64,{content})"
            shown[one.title.lower()] = dg.MetadataValue.md(text)
    shown["rows with a root verb (%)"] = percent_number(made.verbs.with_verb / made.verbs.read)
    shown["reader"] = made.verbs.reader
    for path in made.files:
        # Of short words: a long key would push the figure out of the page.
        named = path.stem.removeprefix("dataset_").replace("_", " ")
        shown[f"{path.suffix[1:].upper()} of {named}"] = dg.MetadataValue.path(path.resolve())
    return materialization(
        context, store, "dataset_figures", made.fingerprint, extra=shown, preview=False
    )


def _older_results(context: dg.AssetExecutionContext, store: Store) -> list[dict[str, Any]]:
    """Mark the adapters and scores that are older than this data set. A row for each of them."""
    results = made_results(store)
    for asset in OLDER_RESULT_CHECKS:
        if older := older_experiments(results, asset):
            context.log.warning(
                "%s: older than this data set: %s. %s", asset, ", ".join(older), advice_of(asset)
            )
    return [
        {"asset": one.asset, "experiment": one.experiment, "state": one.why_older}
        for one in results
        if one.why_older
    ]
