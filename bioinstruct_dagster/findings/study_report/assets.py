"""The report as an asset without partitions, downstream of the findings.

Belongs here: the step, and what the UI shows of it. Does not: the report (study_report.page).
"""

from typing import TYPE_CHECKING

import dagster as dg

from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import OWNERS, REHEARSAL_KEY
from bioinstruct_dagster.store.step_failures import stating_errors

# Loading the definitions stays light: what a step needs is imported where the step runs.
if TYPE_CHECKING:
    from bioinstruct_dagster.findings.study_report.page import WrittenReport
    from bioinstruct_dagster.findings.study_report.sources import ReportSources

NAME = "study_report"
_DRAWN = "<data:image/svg"  # how a drawing begins in a summary
_MORE = " Limits: see the entry answer."
CODE_VERSION = "1"


def study_report_asset(
    matrix: ExperimentMatrix, group: str, findings: tuple[str, ...]
) -> dg.AssetsDefinition:
    """The asset `study_report`.

    Args:
        matrix: the experiments.
        group: of the assets.
        findings: the names of the assets whose tables it shows.
    """

    @dg.asset(
        name=NAME,
        description=(
            "One HTML file for a reader without Dagster: the answer in a sentence, data set, "
            "training, scores with paired differences, ablation, scaling, cost, examples and "
            "limits, each number with its SQL. docs/findings.md says how to read it."
        ),
        group_name=group,
        kinds={"python", "html"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        deps=list(findings),
    )
    @stating_errors
    def study_report(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult[None]:
        return written_report(context, store, settings, matrix)

    return study_report


def written_report(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    store: Store,
    settings: Settings,
    matrix: ExperimentMatrix,
) -> dg.MaterializeResult[None]:
    """Write the report in a step, and say what the UI shows of it.

    Args:
        context: of the step. If a score is a rehearsal, the run gets the tag `rehearsal`.
        store: with the tables of the findings.
        settings: the data folder counts.
        matrix: the experiments.
    """
    from bioinstruct_dagster.figures.sheet import summary
    from bioinstruct_dagster.findings.study_report.answer import rehearsal_note
    from bioinstruct_dagster.findings.study_report.page import write_report
    from bioinstruct_dagster.findings.study_report.sources import ReportSources

    sources = ReportSources.of(store, settings, matrix)
    written = write_report(sources)
    for text in written.missing:
        context.log.info(text)
    if rehearsed := rehearsal_note(sources):
        context.instance.add_run_tags(context.run.run_id, {"rehearsal": "true"})
    return dg.MaterializeResult(
        metadata={
            "summary": dg.MetadataValue.md(_summary(sources, written)),
            "answer": dg.MetadataValue.md(summary(written.summary)),
            "report": dg.MetadataValue.path(written.path.resolve()),
            "rehearsal": dg.MetadataValue.bool(bool(rehearsed)),
            **({REHEARSAL_KEY: dg.MetadataValue.md(summary(rehearsed))} if rehearsed else {}),
            "missing": dg.MetadataValue.md(
                "\n".join(f"- {text}" for text in written.missing) or "nothing"
            ),
            "file (MB)": round(written.size / 1e6, 2),
        },
        data_version=dg.DataVersion(written.fingerprint[:16]),
    )


def _summary(sources: "ReportSources", written: "WrittenReport") -> str:
    """The answer, and a drawing of the headline's differences in one unit."""
    from bioinstruct_dagster.figures.forest import differences
    from bioinstruct_dagster.figures.sheet import summary
    from bioinstruct_dagster.findings.study_report.headline import lines_of
    from bioinstruct_dagster.findings.summaries import REHEARSED

    if not sources.headlines:
        return summary(written.summary)
    title, lines = lines_of(sources.headlines[0])
    text = REHEARSED * sources.headlines[0].rehearsal + written.summary
    if not lines:
        return summary(text)
    drawing = differences(title, lines, "measures")
    # A long answer leaves no room for the drawing. The report and the entry `answer` hold it all.
    sentences = text.split(". ")
    for most in range(len(sentences), 0, -1):
        shortened = ". ".join(sentences[:most]).removesuffix(".") + "."
        shortened += _MORE if most < len(sentences) else ""
        if _DRAWN in (shown := summary(shortened, drawing)):
            return shown
    return summary(text)
