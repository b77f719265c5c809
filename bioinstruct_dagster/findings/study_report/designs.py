"""The sections on the two designs of a study: ablation of categories, and number of instructions.

Belongs here: these sections. Does not: the rows and figures of both (findings.ablation,
findings.scaling).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.findings.coverage import is_whole
from bioinstruct_dagster.findings.figures.ablation import training_set
from bioinstruct_dagster.findings.made import FINDINGS, not_scored
from bioinstruct_dagster.findings.scaling import SizePair
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
from bioinstruct_dagster.findings.summaries import size_change
from bioinstruct_dagster.findings.wording import (
    amount,
    difference_text,
    difference_unit,
    marks,
    measure_name,
    percent,
    score_text,
    unit,
)
from bioinstruct_dagster.plots.canvas import svg_text

MOST_ROWS = 200


def ablation_section(sources: ReportSources) -> ReportSection:
    """Which training category helps which evaluation category."""
    told = (
        "Each line is a training set: rows of one category, of two, or of all. Each column is an "
        "evaluation category, or a part of the held-out split. "
    ) + sizes_of_ablation(sources)
    return ReportSection(
        "ablation",
        "Ablation: which training category helps what",
        list(_design("category_ablation", sources, told)),
    )


def sizes_of_ablation(sources: ReportSources) -> str:
    """Whether the training sets of the ablation are equally large; empty without one."""
    sizes = {row["train_rows"] for row in sources.tables["category_ablation"] if row["train_rows"]}
    if not sizes:
        return ""
    if len(sizes) == 1:
        return f"Every training set has {sizes.pop():,.0f} rows."
    return (
        f"Training sets differ in size, from {min(sizes):,.0f} to {max(sizes):,.0f} rows. Compare "
        "those of equal size: a category that helps may just have more rows."
    )


def scaling_section(sources: ReportSources) -> ReportSection:
    """What more instructions bring."""
    told = (
        "Each curve is a base model trained on more and more rows of the same categories. All "
        "sizes are drawn from the same train split. With one seed, a smaller set is a part of a "
        "larger one."
    )
    return ReportSection(
        "scaling",
        "Scaling: what more instructions bring",
        list(_design("data_scaling", sources, told)),
    )


def _design(name: str, sources: ReportSources, told: str) -> Iterator[Block]:
    finding, rows = FINDINGS[name], sources.tables[name]
    title = "Ablation" if name == "category_ablation" else "Scaling"
    missing = not_scored(name, sources.findings)
    if not rows:
        what = "No ablation" if name == "category_ablation" else "No scaling curve"
        yield ReportNote(f"{what}: {' '.join(missing)}", "missing")
        return
    yield ReportText(told)
    if older := sum(bool(row["older"]) for row in rows):
        yield ReportNote(
            f"Older: {older:,} of {len(rows):,} rows are scores of an older data set. They are "
            "marked, and never averaged with newer ones.",
            "older",
        )
    pairs = finding.pairs(rows, sources.findings)
    yield ReportText(finding.summary(rows, pairs))
    source = NumberSource.of(finding.sql)
    yield ReportFigure(
        finding.described,
        svg_text(
            finding.figure(rows, sources.findings),
            f"{finding.described} The table below holds the numbers.",
        ),
        source,
        f"{name}.svg",
    )
    left = len(rows) - MOST_ROWS
    yield ReportTable(
        f"{title}, means over seeds: score and paired difference to the base model with 95 % "
        "intervals.",
        ["base model", "trained on", "measure", "rows", "seeds", "n", "base score", "score",
         "difference", "gain", "detectable", "tie", "marks"],
        [_line(row) for row in rows[:MOST_ROWS]],
        source,
        "With several seeds, the intervals are for other items and other seeds; with one seed, for "
        "other items only. “Tie”: no other training set is significantly better on these items."
        + (f" {left:,} more rows: {name}.csv beside this file." if left > 0 else ""),
    )  # fmt: skip
    if pairs:
        yield _size_table(pairs, source)
    for line in missing:
        if not is_whole(line):
            yield ReportNote(f"Coverage of {line}", "missing")


def _size_table(pairs: Sequence[SizePair], source: NumberSource) -> ReportTable:
    """The sizes of each curve in pairs."""
    return ReportTable(
        "Sizes in pairs: score of the larger training set minus that of the smaller one, paired by "
        "item, with 95 % intervals.",
        ["base model", "trained on", "measure", "smaller, rows", "larger, rows", "n", "difference"],
        [
            [
                one.small["base_model"],
                training_set(one.small),
                measure_name(one.small),
                f"{one.small['train_rows']:,.0f}",
                f"{one.large['train_rows']:,.0f}",
                f"{one.small['n']:,}",
                size_change(one),
            ]
            for one in pairs[:MOST_ROWS]
        ],
        source,
        "Each score is a mean over its seeds. The intervals are a bootstrap of the items' values "
        "(table eval_predictions). They count other items and not other seeds, and they are not "
        "corrected for the number of pairs.",
    )


def _line(row: Mapping[str, Any]) -> Sequence[str | None]:
    metric = row["metric"]
    could = None
    if row["detectable"] is not None:
        could = f"{amount(row['detectable'], metric)} {difference_unit(metric)}"
    tie = row.get("tied_with_best")
    return [
        row["base_model"],
        training_set(row),
        f"{measure_name(row)}\n{unit(metric)}",
        f"{row['train_rows']:,.0f}" if row["train_rows"] else None,
        f"{row['seeds']:,}",
        f"{row['n']:,}",
        amount(row["base_score"], metric),
        score_text(row),
        None if row["difference"] is None else difference_text(row),
        percent(row["relative_gain"]) or None,
        could,
        None if tie is None else "yes" if tie else "no",
        marks(row) or None,
    ]
