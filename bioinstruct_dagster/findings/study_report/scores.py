"""The section on scores: every task with its paired difference and what could have been detected.

Belongs here: this section, and the figures of others, apart from ours. Does not: the answer in a
sentence (study_report.headline).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.eval_sets.items import has_items
from bioinstruct_dagster.findings.figures.leaderboard import places_text
from bioinstruct_dagster.findings.made import FINDINGS, quoted_rows
from bioinstruct_dagster.findings.published import is_comparable
from bioinstruct_dagster.findings.stored_scores import AVERAGE, experiment_name
from bioinstruct_dagster.findings.study_report.blocks import (
    Block,
    NumberSource,
    ReportFigure,
    ReportNote,
    ReportSection,
    ReportTable,
    ReportText,
)
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.findings.wording import (
    amount,
    difference_text,
    difference_unit,
    ends,
    marks,
    measure_name,
    percent,
    score_text,
    unit,
)
from bioinstruct_dagster.plots.canvas import svg_text

MOST_ROWS = 300
SCORES = """
    select base_model, recipe, task, category, metric, n, clusters, base_score, base_low, base_high,
        score, ci_low, ci_high, difference, difference_low, difference_high, relative_gain,
        p_holm, detectable, place_best, place_last, compared, items_source, items_trained_on, older,
        rehearsal
    from leaderboard
    order by base_model, recipe, task, category
"""


def scores_section(sources: ReportSources) -> ReportSection:
    """How base model and adapters answered."""
    return ReportSection("scores", "Scores", list(_blocks(sources)))


def _blocks(sources: ReportSources) -> Iterator[Block]:
    rows = sources.tables["leaderboard"]
    if not rows:
        yield ReportNote(
            "No scores: nothing is scored yet. Materialize key:eval_scores for the partitions of "
            "trained adapters, then group:findings.",
            "missing",
        )
        return
    yield ReportText(
        "Adapter and base model answer the same items with the same prompt. A difference is paired "
        "by item. An average counts each task of its category alike. “Detectable” is the least "
        "true difference that these items show with a power of 80 %: a smaller effect can exist "
        "and stay unseen."
    )
    fixtures = sorted({row["task"] for row in rows if "fixture" in row["items_source"].split("+")}
                      - {AVERAGE})  # fmt: skip
    if fixtures:
        yield ReportNote(
            f"Fixture items: {', '.join(fixtures)} were scored on the small items of this project, "
            "which only show that the chain works.",
            "rehearsal",
        )
    if older := sorted({experiment_name(row) for row in rows if row["older"]}):
        yield ReportNote(
            f"Older: the scores of {', '.join(older)} are not of the present data set. They are "
            "marked, and never averaged with the others.",
            "older",
        )
    finding = FINDINGS["leaderboard"]
    yield ReportFigure(
        "Leaderboard: experiments by tasks; score, difference with its 95 % interval, and place.",
        svg_text(
            finding.figure(rows, sources.findings),
            f"{finding.described} The table below holds the numbers.",
        ),
        NumberSource.of(finding.sql),
        "leaderboard.svg",
    )
    yield _table(rows)
    yield _unscored(sources)
    yield from _quotations(sources, rows)


def _table(rows: Sequence[Mapping[str, Any]]) -> ReportTable:
    ordered = sorted(
        rows, key=lambda row: (row["base_model"], row["recipe"], row["task"], row["category"])
    )
    left = len(rows) - MOST_ROWS
    return ReportTable(
        "Scores of all tasks: base model, adapter and paired difference, each with its 95 % "
        "interval.",
        ["experiment", "measure", "n", "base model", "adapter", "difference", "gain", "p (Holm)",
         "detectable", "place", "marks"],
        [_line(row) for row in ordered[:MOST_ROWS]],
        NumberSource.of(SCORES),
        "Unit of differences: points (hundredths) for %, nats for nats/token. “Gain” is the "
        "difference divided by the base model's score; near 0 it is huge and says little. "
        "p is corrected over the tasks of an experiment; an average has none."
        + (f" {left:,} more rows: leaderboard.csv beside this file." if left > 0 else ""),
    )  # fmt: skip


def _line(row: Mapping[str, Any]) -> list[str | None]:
    metric = row["metric"]
    of = "main metrics" if row["task"] == AVERAGE else metric.replace("_", " ")
    base = could = None
    if row["base_score"] is not None:
        base = f"{amount(row['base_score'], metric)} " + ends(
            row["base_low"], row["base_high"], metric
        )
    if row["detectable"] is not None:
        could = f"{amount(row['detectable'], metric)} {difference_unit(metric)}"
    return [
        experiment_name(row),
        f"{measure_name(row)}\n{of}, {unit(metric)}",
        f"{row['n']:,}",
        base,
        score_text(row),
        None if row["difference"] is None else difference_text(row),
        percent(row["relative_gain"]) or None,
        None if row["p_holm"] is None else f"{row['p_holm']:.2g}",
        could,
        places_text(row),
        marks(row, why=True) or None,
    ]


def _unscored(sources: ReportSources) -> Block:
    """Which tasks of the catalogue have no score."""
    scored = {row["task"] for row in sources.tables["leaderboard"]}
    missing = [task for name, task in sources.tasks.items() if name not in scored]
    if not missing:
        return ReportText("Every task of the catalogue is scored.")
    folder = sources.settings.eval_sets.folder
    here = [task.name for task in missing if has_items(task, folder)]
    away = [task.name for task in missing if task.name not in here]
    chosen = sources.settings.evaluation.task_names
    unnamed = [name for name in here if chosen and name not in chosen]
    waiting = [name for name in here if name not in unnamed]
    parts = [
        f"{', '.join(names)}: {why}."
        for names, why in (
            (unnamed, "items at hand, but not named in BIOINSTRUCT_EVALUATE_TASKS"),
            (waiting, "items at hand; materialize key:eval_scores again"),
            (away, "no items in the folder BIOINSTRUCT_EVAL_DIR"),
        )
        if names
    ]
    return ReportNote(f"Not scored: {' '.join(parts)}", "missing")


def _quotations(sources: ReportSources, rows: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    """The figures of others. Beside a rehearsal, they are not shown."""
    if not any(map(is_comparable, rows)):
        yield ReportText(
            "Published figures of other models are not shown here, because they have no meaning "
            "beside a rehearsal or fixture items. The file quoted_figures.csv holds them."
        )
        return
    yield ReportNote(
        "The next table is a quotation. Others measured it with other prompts, splits and items, "
        "so a difference to our scores is no result.",
        "quoted",
    )
    yield ReportTable(
        "Quoted figures of others, in percent.",
        ["kind", "model", "measure", "metric", "value", "quoted from"],
        [
            [
                one["kind"],
                one["model"] or None,
                one["measure"].replace("_", " "),
                one["metric"] or None,
                f"{100 * one['value']:.1f} %",
                one["quoted_from"],
            ]
            for one in quoted_rows(sources.findings.published)
        ],
        None,
        "From data/published_figures.yaml.",
    )
