"""The review by persons as two assets: the sample that is asked about, and what reviewers say.

Belongs here: the steps and their metadata. Does not: the sample (review.drawn), the page
(review.page.rendered), or the results (review.results).
"""

from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.review.drawn import DrawnSample, draw
from bioinstruct_dagster.review.filled_files import (
    FilledFileError,
    filled_files,
    read_judgements,
)
from bioinstruct_dagster.review.judgements import RowJudgement
from bioinstruct_dagster.review.page.rendered import review_page
from bioinstruct_dagster.review.page.sheet import review_sheet
from bioinstruct_dagster.review.reported import ReviewFigures, review_figures
from bioinstruct_dagster.review.results import review_results_of, stored_judgements
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, markdown_table, materialization
from bioinstruct_dagster.store.step_failures import stating_errors

NO_REVIEW = "No review yet. Open {page}, judge rows, and put the exported file into {folder}."
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

    Open `review/review.html` in the data folder; it needs no network. A judged row is not asked
    again.
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
            "summary": dg.MetadataValue.md(_sample_summary(sample)),
            "page": dg.MetadataValue.path(page),
            "csv": dg.MetadataValue.path(sheet),
            "filled-in files go to": dg.MetadataValue.path(_filled_folder(settings)),
            "strata": dg.MetadataValue.md(markdown_table(sample.strata)),
            "rows to judge": sample.unjudged,
        },
    )


def _filled_folder(settings: Settings) -> Path:
    return settings.review.files or settings.store.data_dir / "review" / "filled"


def _judgements_so_far(
    context: dg.AssetExecutionContext, store: Store, settings: Settings
) -> list[RowJudgement]:
    """The judgements in the files; those in the store if a file has a fault."""
    try:
        return read_judgements(filled_files(_filled_folder(settings)))
    except FilledFileError as error:
        context.log.warning("The sample uses the stored judgements, because of: %s", error)
        return stored_judgements(store)


def _sample_summary(sample: DrawnSample) -> str:
    kinds = {
        kind: sum(one["sampled"] for one in sample.strata if one["kind"] == kind)
        for kind in ("kept", "uncertain", "rejected")
    }
    population = sum(one["population"] for one in sample.strata)
    return (
        f"**{len(sample.rows):,} of {population:,} rows** are on the review page: "
        f"{kinds['kept']:,} kept, {kinds['uncertain']:,} kept with an uncertain category, "
        f"{kinds['rejected']:,} rejected. **{sample.unjudged:,} wait for a judgement.**"
    )


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
    folder = _filled_folder(settings)
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
    page = settings.store.data_dir / "review" / "review.html"
    if figures is None:
        message = NO_REVIEW.format(page=page, folder=folder)
        context.log.info("%s", message)
        extra: dict[str, Any] = {"summary": dg.MetadataValue.md(message)}
    else:
        context.log.info("%s", results_summary(figures).replace("**", ""))
        extra = _results_metadata(figures, len(paths))
    table = found.tables["review_results"]
    return materialization(
        context,
        store,
        "review_results",
        sha256_of_rows(table, RESULT_COLUMNS) if table else "empty",
        extra=extra,
    )


def results_summary(figures: ReviewFigures) -> str:
    """The review in a few sentences, with the numbers that matter."""
    counts = figures.counts
    named = number_of(len(figures.reviewers), "person")
    parts = [f"**{counts['judged']:,} rows judged** by {named}."]
    if defects := figures.measure("defect_rate", "all kept rows"):
        parts.append(f"Defect rate of kept rows: **{_with_interval(defects)}**.")
    if precision := figures.measure("filter_precision", "all filters"):
        parts.append(f"Precision of the filters: **{_with_interval(precision)}**.")
    parts.append(
        f"{counts['excluded']:,} rows leave the data set, {counts['categories_changed']:,} get "
        f"another category, {counts['to_adjudicate']:,} wait for a third opinion."
    )
    if unused := sum(figures.unused.values()):
        of = (
            "is of a text that has changed or is"
            if unused == 1
            else ("are of texts that have changed or are")
        )
        parts.append(f"{number_of(unused, 'judgement')} {of} gone.")
    return " ".join(parts)


def _with_interval(measure: dict[str, Any]) -> str:
    return f"{measure['value']:.1%} [{measure['ci_low']:.1%}, {measure['ci_high']:.1%}]"


def _results_metadata(figures: ReviewFigures, files: int) -> dict[str, Any]:
    shown = [
        {
            "figure": one["figure"],
            "of": one["subject"],
            "value [95 %]": _shown_measure(one),
            "judged": one["judged"],
            "stands for": one["population"],
            "note": one["note"],
        }
        for one in figures.measures
    ]
    numbers = {
        f"{one['figure']}: {one['subject']}": round(one["value"], 4)
        for one in figures.measures
        if one["subject"] in ("all kept rows", "all filters")
    }
    return {
        "summary": dg.MetadataValue.md(results_summary(figures)),
        "figures": dg.MetadataValue.md(markdown_table(shown)),
        "reviewers": dg.MetadataValue.md(markdown_table(figures.reviewers)),
        "excluded_by_reason": dg.MetadataValue.json(figures.excluded_by_reason),
        "wrongly_rejected": figures.counts["wrongly_rejected"],
        "to_adjudicate": figures.counts["to_adjudicate"],
        "files": files,
        **numbers,
    }


def _shown_measure(one: dict[str, Any]) -> str:
    if one["figure"].startswith("kappa"):
        if one["ci_low"] is None:
            return f"{one['value']:.2f}"
        return f"{one['value']:.2f} [{one['ci_low']:.2f}, {one['ci_high']:.2f}]"
    return _with_interval(one)
