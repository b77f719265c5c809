"""Curation as assets: what is kept, and what kind of task it is."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from bioinstruct_dagster import figures
from bioinstruct_dagster.curation.labelling import label_rows
from bioinstruct_dagster.curation.novelty import Text
from bioinstruct_dagster.curation.selection import select
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.dialects import with_dialect
from bioinstruct_dagster.generation.teacher import open_teacher
from bioinstruct_dagster.generation.terms import terms_of
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.provenance import sha256_of_rows
from bioinstruct_dagster.store.resources import OWNERS, materialization, stating_errors

SEED_INSTRUCTIONS = "select seed_id, instruction from seed_tasks order by ordinal"
RAW_IN_ORDER = "select * from raw_instructions order by ordinal"
KEPT_IN_ORDER = """
    select row_id, ordinal, instruction, input, output, rehearsal
    from deduplicated_instructions
    order by ordinal
"""
KEPT_COLUMNS = (
    "row_id",
    "instruction",
    "input",
    "output",
    "nearest_id",
    "nearest_score",
    "rehearsal",
)
CATEGORIZED_COLUMNS = (
    "row_id",
    "instruction",
    "input",
    "output",
    "category",
    "labelled_by",
    "rehearsal",
)


@dg.asset(
    group_name="curation",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    code_version="1",
    deps=["seed_tasks", "raw_instructions"],
)
@stating_errors
def deduplicated_instructions(
    context: dg.AssetExecutionContext, store: dg.ResourceParam[Store]
) -> dg.MaterializeResult[None]:
    """Raw rows that pass the Self-Instruct and Alpaca filters, then Self-Instruct's novelty rule.

    A row is new if its ROUGE-L F1 with every seed and every row kept before it is at most 0.7.
    Rejected rows stay in `rejected_instructions` with gate, reason, score and the row they repeat;
    markers that mean "no input" become an empty input.
    """
    seeds = [Text(row["seed_id"], row["instruction"]) for row in store.rows(SEED_INSTRUCTIONS)]
    raw = store.rows(RAW_IN_ORDER)
    if not raw:
        raise StatedError("There are no raw rows. Materialize key:raw_instructions first.")
    selection = select(raw, seeds)
    store.replace(
        {"deduplicated_instructions": selection.kept, "rejected_instructions": selection.rejected}
    )
    reasons = Counter(f"{row['gate']}: {row['reason']}" for row in selection.rejected)
    funnel = {
        "raw rows": len(raw),
        "rejected: quality": sum(row["gate"] == "quality" for row in selection.rejected),
        "rejected: novelty": sum(row["gate"] == "novelty" for row in selection.rejected),
        "kept": len(selection.kept),
    }
    return materialization(
        context,
        store,
        "deduplicated_instructions",
        sha256_of_rows(selection.kept, KEPT_COLUMNS),
        rehearsal=any(row["rehearsal"] for row in selection.kept),
        extra={
            "funnel": dg.MetadataValue.md(figures.bars("Funnel", funnel)),
            "rejected_by_reason": dg.MetadataValue.json(dict(reasons.most_common())),
            "kept_share": len(selection.kept) / len(raw),
            "inputs_normalized": selection.inputs_normalized,
        },
    )


@dg.asset(
    group_name="curation",
    kinds={"openai", "scikitlearn", "duckdb"},
    owners=OWNERS,
    code_version="2",
    deps=["seed_tasks", "deduplicated_instructions"],
    output_required=False,
)
@stating_errors
def categorized_instructions(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[None]]:
    """Kept rows, each with one of four categories.

    They are information extraction, question answering, generation, other. The teacher labels rows
    in batches of 20, as structured output restricted to the four; what it does not label, the
    embedded classifier does (TF-IDF and logistic regression on the seeds and recorded labels).
    Every row says which of them labelled it.
    """
    kept = store.rows(KEPT_IN_ORDER)
    if not kept:
        raise StatedError("No kept rows. Materialize key:deduplicated_instructions first.")
    with open_teacher(settings) as endpoint:
        terms = with_dialect(
            terms_of(settings, context.run.run_id), settings, endpoint, store, context.log.info
        )
        labelling = label_rows(
            kept,
            endpoint,
            store,
            teacher=settings.teacher,
            model=settings.model,
            log=context.log.info,
            terms=terms,
        )
    if labelling.tally.pending:
        context.log.info(
            "%s requests are with the Batch API. The sensor batch_results starts a run when they "
            "are done.",
            labelling.tally.pending,
        )
        return
    if labelling.tally.stopped:
        context.log.warning(
            "The embedded classifier labelled the rest: %s", labelling.tally.stopped
        )
    store.replace({"categorized_instructions": labelling.rows})
    shares = Counter(row["category"] for row in labelling.rows)
    yield materialization(
        context,
        store,
        "categorized_instructions",
        sha256_of_rows(labelling.rows, CATEGORIZED_COLUMNS),
        rehearsal=any(row["rehearsal"] for row in labelling.rows),
        extra={
            "shares": dg.MetadataValue.md(
                figures.bars("Rows by category", dict(shares.most_common()))
            ),
            "labelled_by_teacher": labelling.by_teacher,
            "labelled_by_classifier": labelling.by_classifier,
            "classifier_cross_validated_accuracy": labelling.cross_validated_accuracy
            if labelling.cross_validated_accuracy is not None
            else "not used",
            "completions_asked": labelling.tally.asked,
            **{f"share_{category}": n / len(labelling.rows) for category, n in shares.items()},
        },
    )
