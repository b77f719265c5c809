"""The findings as assets without partitions, downstream of the scores of all experiments.

Belongs here: the steps, and what the UI shows of them. Does not: making a finding (made).
"""

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.findings.study_report.assets import CODE_VERSION as REPORT_VERSION
from bioinstruct_dagster.findings.study_report.assets import NAME as REPORT
from bioinstruct_dagster.findings.study_report.assets import study_report_asset, written_report
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, markdown_table, materialization
from bioinstruct_dagster.store.step_failures import stating_errors

# Loading the definitions stays light: what a step needs is imported where the step runs.
if TYPE_CHECKING:
    from bioinstruct_dagster.findings.made import Made, Sources

CODE_VERSION = "1"
GROUP = "findings"
NAMES = ("leaderboard", "category_ablation", "data_scaling")
MOST_PICTURE_BYTES = 400_000  # of a figure in an event of Dagster's SQLite database
# What the data version does not depend on: when a table was made.
_UNVERSIONED = {"made_at"}
# Of the rows that a page shows as a table.
_READ_FIRST = {
    "leaderboard": ("base_model", "recipe"),
    "category_ablation": ("base_model", "trained_on", "seeds"),
    "data_scaling": ("base_model", "train_rows", "seeds"),
}
_MOST_WRAPPED = 900  # characters; Dagster hides a longer text behind a button
MOST_LISTED = 60  # rows of that table; the CSV file holds all
_DESCRIPTIONS = {
    "leaderboard": (
        "Experiments by tasks: scores with 95 % intervals, gains over the base model, and the "
        "places that the data allow. Ties share a place. docs/findings.md says how to read it."
    ),
    "category_ablation": (
        "Which training category helps which evaluation category, singles and pairs: differences "
        "to the base model with 95 % intervals for other items and seeds (docs/findings.md)."
    ),
    "data_scaling": (
        "Score by number of instructions: the mean over seeds with its 95 % interval, the seeds, "
        "and the base model. It uses what is scored and says what is missing (docs/findings.md)."
    ),
}


def finding_assets(matrix: ExperimentMatrix) -> list[dg.AssetsDefinition]:
    """The assets `leaderboard`, `category_ablation`, `data_scaling`, and `study_report` after them.

    Args:
        matrix: the experiments.
    """
    return [*(_asset(name, matrix) for name in NAMES), study_report_asset(matrix, GROUP, NAMES)]


def _asset(name: str, matrix: ExperimentMatrix) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        description=_DESCRIPTIONS[name],
        group_name=GROUP,
        kinds={"python", "duckdb"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        deps=["eval_scores"],
    )
    @stating_errors
    def finding(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult[None]:
        from bioinstruct_dagster.findings.made import Sources

        return _made(context, name, Sources.of(store, settings, matrix), settings)

    return finding


def findings_of(
    context: dg.OpExecutionContext, store: Store, settings: Settings, matrix: ExperimentMatrix
) -> Iterator[dg.AssetMaterialization]:
    """Make all findings and the report in the step of a job that has no assets.

    Each is reported as made.

    Args:
        context: of the step.
        store: with the scores.
        settings: the data folder counts.
        matrix: the experiments.
    """
    from bioinstruct_dagster.findings.made import Sources

    sources = Sources.of(store, settings, matrix)
    for name in NAMES:
        yield _event(name, CODE_VERSION, _made(context, name, sources, settings))
    yield _event(REPORT, REPORT_VERSION, written_report(context, store, settings, matrix))


def _event(
    name: str, code_version: str, result: dg.MaterializeResult[None]
) -> dg.AssetMaterialization:
    """The event of an asset that a step of a job without assets has made."""
    tags = {"dagster/code_version": code_version}
    if result.data_version:
        tags["dagster/data_version"] = result.data_version.value
        tags["dagster/data_version_is_user_provided"] = "true"
    return dg.AssetMaterialization(dg.AssetKey(name), metadata=result.metadata, tags=tags)


def _made(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    name: str,
    sources: "Sources",
    settings: Settings,
) -> dg.MaterializeResult[None]:
    from bioinstruct_dagster.findings.made import make

    made = make(name, sources, settings)
    for line in made.missing:
        context.log.info(line)
    columns = [column for column in (made.rows or [{}])[0] if column not in _UNVERSIONED]
    return materialization(
        context,
        sources.store,
        name,
        sha256_of_rows(made.rows, columns),
        extra=_shown(name, made),
        preview=False,  # its rows stand above, with the columns that are read first
    )


def _wrapped(text: str) -> str:
    """A text that Dagster shows in place, in lines that a page shows as a whole; else unchanged."""
    return summary(text) if len(text) < _MOST_WRAPPED else text


def _shown(name: str, made: "Made") -> dict[str, Any]:
    """What the UI shows first: the summary, then the figure, what is missing, rows, and files."""
    from bioinstruct_dagster.findings.wording import table_row

    shown: dict[str, Any] = {"summary": dg.MetadataValue.md(made.summary)}
    if made.picture and len(made.picture) <= MOST_PICTURE_BYTES:
        content = base64.b64encode(made.picture).decode()
        shown["figure"] = dg.MetadataValue.md(f"![figure](data:image/png;base64,{content})")
    if made.missing:
        shown["scored"] = dg.MetadataValue.md("\n\n".join(map(_wrapped, made.missing)))
    rows = [table_row(row, _READ_FIRST[name]) for row in made.rows[:MOST_LISTED]]
    shown["rows"] = dg.MetadataValue.md(markdown_table(rows))
    shown["older rows"] = sum(bool(row["older"]) for row in made.rows)
    for path in made.files:
        key = f"{path.suffix[1:].upper()} file" if path.stem == name else path.stem
        shown[key.replace("_", " ")] = dg.MetadataValue.path(path.resolve())
    return shown
