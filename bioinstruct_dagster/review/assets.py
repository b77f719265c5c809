"""The review by persons as two assets: the sample that is asked about, and what reviewers say.

Belongs here: the steps and their metadata. Does not: the sample (review.drawn), the page
(review.page.rendered), or the results (review.results).
"""

from typing import Any

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.review.drawn import draw
from bioinstruct_dagster.review.handed_in.filled_files import (
    FilledFileError,
    filled_files,
    filled_folder,
    notes_on,
    read_judgements,
)
from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.page.rendered import review_page
from bioinstruct_dagster.review.page.sheet import review_sheet
from bioinstruct_dagster.review.reported import ReviewFigures, review_figures
from bioinstruct_dagster.review.results import STRATA, review_results_of, stored_judgements
from bioinstruct_dagster.review.shown import (
    NO_REVIEW,
    measures_table,
    plotted_numbers,
    results_sentence,
    results_summary,
    sample_summary,
    strata_drawing,
    strata_table,
)
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, markdown_table, materialization
from bioinstruct_dagster.store.step_failures import stating_errors

SAMPLE_COLUMNS = ("item_id", "place", "stratum", "weight", "judged_by")
RESULT_COLUMNS = ("item_id", "decision", "category", "labelled_by", "excluded")


@dg.asset(
    group_name="review",
    kinds={"html", "duckdb"},
    owners=OWNERS,
    code_version="1",
    deps=["categorized_instructions"],
)
@stating_errors
def review_sample(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A random sample of kept and rejected rows for persons to judge, as an HTML page and as CSV.
    Open `review/review.html` in the data folder. A judged row is not asked again.
    """
    # The strata are kept rows by category, kept rows with an uncertain category, and rejected rows
    # by gate; their sizes are stored, so that estimates can be weighted. When the set grows, new
    # rows join the sample. Identifiers that the privacy gate found are masked.
    sample = draw(
        store,
        settings.review.rows,
        settings.runs.seed,
        _judgements_so_far(context, store, settings),
    )
    if not sample.strata:
        raise StatedError("No row to review. Materialize key:categorized_instructions first.")
    folder = settings.store.data_dir / "review"
    page, sheet = folder / "review.html", folder / "review.csv"
    with new_file(page) as path:
        path.write_text(review_page(sample.items), "utf-8")
    with new_file(sheet) as path:
        path.write_text(review_sheet(sample.items), "utf-8", newline="")
    store.replace({"review_sample": sample.rows, "review_strata": sample.strata})
    return materialization(
        context,
        store,
        "review_sample",
        sha256_of_rows(sample.rows, SAMPLE_COLUMNS),
        extra={
            "summary": dg.MetadataValue.md(sample_summary(sample.strata, sample.unjudged)),
            "page": dg.MetadataValue.path(page),
            "csv": dg.MetadataValue.path(sheet),
            "filled-in files go to": dg.MetadataValue.path(filled_folder(settings)),
            "strata": dg.MetadataValue.md(markdown_table(strata_table(sample.strata))),
            "rows to judge": sample.unjudged,
        },
        preview=False,  # the page shows the rows
    )


def _judgements_so_far(
    context: dg.AssetExecutionContext, store: Store, settings: Settings
) -> list[RowJudgement]:
    """The judgements in the files; those in the store if a file has a fault."""
    try:
        return read_judgements(filled_files(filled_folder(settings)))
    except FilledFileError as error:
        context.log.warning("The sample uses the stored judgements, because of: %s", error)
        return stored_judgements(store)


@dg.asset(
    group_name="review",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    code_version="1",
    deps=["categorized_instructions", "review_sample"],
)
@stating_errors
def review_results(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """What reviewers say about rows, read from all files in `review/filled` of the data folder.
    Rows that they reject leave the data set; their categories replace those of the machine.
    """
    # A row that they accept although a gate rejected it counts against the precision of the gate,
    # but it does not enter the set. Without any file, the step ends at once and changes nothing.
    folder = filled_folder(settings)
    paths = filled_files(folder)
    found = review_results_of(store, read_judgements(paths))
    for one in found.judgements.gone:
        context.log.warning(
            "%s: the store has no row of the id %s. The judgement is not used.",
            one.place,
            one.item_id,
        )
    store.replace(found.tables)
    figures = review_figures(store)
    for note in notes_on(paths):
        context.log.warning("%s", note)
    if figures is None:
        context.log.info("%s The folder is %s.", NO_REVIEW, folder)
        drawing = strata_drawing(store.rows(STRATA))
        extra: dict[str, Any] = {"summary": dg.MetadataValue.md(summary(NO_REVIEW, drawing))}
    else:
        context.log.info("%s", results_sentence(figures).replace("**", ""))
        extra = _results_metadata(figures, len(paths))
    extra["folder"] = dg.MetadataValue.path(folder)
    table = found.tables["review_results"]
    return materialization(
        context,
        store,
        "review_results",
        sha256_of_rows(table, RESULT_COLUMNS) if table else "empty",
        extra=extra,
        preview=False,
    )


def _results_metadata(figures: ReviewFigures, files: int) -> dict[str, Any]:
    reasons = [
        {"reason": name.replace("_", " "), "rows": rows}
        for name, rows in figures.excluded_by_reason.items()
    ]
    return {
        "summary": dg.MetadataValue.md(results_summary(figures)),
        "figures": dg.MetadataValue.md(markdown_table(measures_table(figures))),
        "reviewers": dg.MetadataValue.md(markdown_table(figures.reviewers)),
        "excluded": dg.MetadataValue.md(markdown_table(reasons)),
        "good rows rejected": figures.counts["wrongly_rejected"],
        "third opinion": figures.counts["to_adjudicate"],
        "files": files,
        **plotted_numbers(figures),
    }
