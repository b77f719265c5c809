"""The section on the data set: funnel, shares of the categories, diversity and contamination.

Belongs here: this section. Does not: measuring rows (dataset.card.statistics), or the facts that
the data set's card shares (dataset.card.stored).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.facts import GateCounts
from bioinstruct_dagster.dataset.card.parts import percent
from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.statistics import TextStatistics, text_statistics
from bioinstruct_dagster.dataset.card.stored import CHECKED, FINDINGS, card_of
from bioinstruct_dagster.dataset.marked_rows import marked_rows
from bioinstruct_dagster.dataset.origins import origins_of
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.study_report.bars import Bar, bar_figure, bar_text
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
from bioinstruct_dagster.plots.canvas import svg_text

FUNNEL = "select step, stage, outcome, rows from funnel"
ROWS = """
    select labelled.row_id, labelled.instruction, labelled.input, labelled.output,
        placed.category, coalesce(reviewed.labelled_by, labelled.labelled_by) as labelled_by,
        raw.source, raw.rehearsal, placed.split
    from hf_dataset as placed
    join categorized_instructions as labelled using (row_id)
    left join reviewed_instructions as reviewed using (row_id)
    join raw_instructions as raw using (row_id)
    order by labelled.ordinal
"""
SHARES = """
    select category, count(*) as rows, count(*) / sum(count(*)) over () as share,
        count_if(split = 'train') as train, count_if(split = 'validation') as validation,
        count_if(split = 'test') as test
    from hf_dataset
    group by category
    order by rows desc, category
"""
REVIEW = """
    select figure, subject, value, ci_low, ci_high, judged, population, note
    from review_measures
    order by figure, subject
"""
_STAGES = {
    "seed_tasks": "seed tasks",
    "completions": "replies of the teacher",
    "raw_instructions": "raw rows",
    "rejected_instructions": "rejected rows",
    "deduplicated_instructions": "kept rows",
    "hf_dataset": "rows of the data set",
}
_DRAWN = ("raw_instructions", "deduplicated_instructions", "hf_dataset")


def data_set_section(sources: ReportSources) -> ReportSection:
    """What the adapters learned from."""
    return ReportSection("data-set", "Data set", list(_blocks(sources)))


def _blocks(sources: ReportSources) -> Iterator[Block]:
    store = sources.store
    rows = store.rows(ROWS)
    if not rows:
        yield ReportNote(
            "No data set: it is not made yet. Materialize everything up to key:hf_dataset.",
            "missing",
        )
        return
    fingerprint = store.rows("select any_value(dataset_fingerprint) as f from hf_dataset")[0]["f"]
    origin = origins_of(rows).sentence().replace("`", "")  # a page has no Markdown
    yield ReportText(f"{origin}. The fingerprint of this version begins with {fingerprint[:12]}.")
    yield from _funnel(store.rows(FUNNEL))
    yield from _shares(store.rows(SHARES), rows)
    measured = text_statistics(rows)
    if measured:
        yield from _diversity(measured)
    card = card_of(store, rows=rows, split_by="instruction", licence="")
    yield from _contamination(card.stored.contamination)
    yield _review(store.rows(REVIEW))
    marks = marked_rows(store, "hf_dataset")
    yield ReportText(
        "Marks that the gates left on rows of the set: " + " ".join(marks)
        if marks
        else "No gate left a mark on a row of the set."
    )


def _funnel(funnel: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    totals = Counter[str]()
    for row in funnel:
        totals[row["stage"]] += row["rows"]
    bars = [
        Bar(_STAGES[stage], totals[stage], f"{totals[stage]:,}")
        for stage in _DRAWN
        if totals[stage]
    ]
    source = NumberSource.of(FUNNEL)
    title = "From raw rows to the data set"
    yield ReportFigure(
        "Funnel: how many rows each step kept.",
        svg_text(bar_figure(title, "rows", bars), bar_text(title, bars)),
        source,
    )
    lines = [
        [
            _STAGES[row["stage"]],
            "all" if row["outcome"] == "kept" else row["outcome"],
            f"{row['rows']:,}",
        ]
        for row in funnel
        if row["stage"] in _STAGES
    ]
    yield ReportTable(
        "Funnel: number of rows by step, and why rows were rejected.",
        ["step", "outcome", "number"],
        lines,
        source,
    )


def _shares(shares: Sequence[Mapping[str, Any]], rows: list[dict[str, Any]]) -> Iterator[Block]:
    published = published_set()
    source = NumberSource.of(SHARES)
    title = "Rows by category"
    quoted = f"{published.name}, as its authors state"
    bars = [
        Bar(
            row["category"].replace("_", " "),
            100 * row["share"],
            f"{percent(row['share'])} ({row['rows']:,})",
            100 * published.categories[row["category"]]
            if row["category"] in published.categories
            else None,
        )
        for row in shares
    ]
    yield ReportFigure(
        "Shares of the categories, in percent of the rows. Markers: the published set, quoted.",
        svg_text(
            bar_figure(title, "share of the rows, %", bars, quoted), bar_text(title, bars, quoted)
        ),
        source,
    )
    labelled = Counter(row["labelled_by"] for row in rows).most_common()
    yield ReportTable(
        "Categories: rows, shares and splits; on the right the share of the published set, quoted.",
        ["category", "rows", "share", "train", "validation", "test", published.name],
        [
            [
                row["category"].replace("_", " "),
                f"{row['rows']:,}",
                percent(row["share"]),
                f"{row['train']:,}",
                f"{row['validation']:,}",
                f"{row['test']:,}",
                percent(published.categories[row["category"]])
                if row["category"] in published.categories
                else None,
            ]
            for row in shares
        ],
        source,
        "Labelled by: " + ", ".join(f"{name} ({count:,})" for name, count in labelled) + ".",
    )


def _diversity(measured: TextStatistics) -> Iterator[Block]:
    published = published_set()
    here, there = measured.diversity, published.measured.diversity
    lines: list[list[str | None]] = []
    for name in ("instruction", "input", "output"):
        ours, theirs = measured.lengths[name], published.measured.lengths[name]
        lines.append([f"words of an {name}, mean", f"{ours.mean:.1f}", f"{theirs.mean:.1f}"])
        lines.append([f"words of an {name}, median", f"{ours.median:.0f}", f"{theirs.median:.0f}"])
    for name, ours_distinct, theirs_distinct in zip(
        ("words", "pairs of words", "triples of words"), here.distinct, there.distinct, strict=True
    ):
        lines.append([f"distinct {name}, share", f"{ours_distinct:.3f}", f"{theirs_distinct:.3f}"])
    lines.append(["distinct first three words", f"{here.openings:,}", f"{there.openings:,}"])
    for name, mine, other in (
        ("ROUGE-L F1 of two instructions, mean", here.pair_mean, there.pair_mean),
        ("the same, 95th percentile", here.pair_p95, there.pair_p95),
        ("F1 with the most similar other, median", here.nearest_median, there.nearest_median),
    ):
        lines.append([name, _f1(mine), _f1(other)])
    yield ReportTable(
        "Lengths and diversity of the texts, beside the published set.",
        [
            "measure",
            f"this set ({number_of(measured.rows, 'row')})",
            f"{published.name}, {there.rows:,} rows",
        ],
        lines,
        NumberSource.of(
            ROWS, "Computed from the texts by dataset.card.statistics.text_statistics."
        ),
        f"Diversity is measured on {number_of(here.rows, 'instruction')}. A smaller set has higher "
        "shares of distinct words even if it is no more diverse, so compare sets of equal size. "
        + published.source,
    )


def _f1(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _contamination(gate: GateCounts) -> Iterator[Block]:
    items: Mapping[str, int] = gate.settings.get("items", {})
    compared = {name: count for name, count in items.items() if count}
    missing: Sequence[str] = gate.settings.get("missing", [])
    if not compared:
        yield ReportNote(
            "Contamination is not known: the rows were compared with no evaluation set, because "
            "none was at hand. Set BIOINSTRUCT_EVAL_DIR and materialize "
            "key:deduplicated_instructions again.",
            "missing",
        )
        return
    statement = FINDINGS.replace("$gate", "'contamination'")
    yield ReportTable(
        f"Contamination: {gate.checked:,} raw rows compared with the items of evaluation sets.",
        ["evaluation set", "items", "raw rows rejected", "kept rows marked"],
        [
            [
                name,
                f"{count:,}",
                f"{gate.rejected.get(name, 0):,}",
                f"{gate.flagged.get(name, 0):,}",
            ]
            for name, count in compared.items()
        ],
        NumberSource.of(
            statement,
            "Numbers of items: column made_of of the table gate_versions. Rows compared: "
            + " ".join(CHECKED.replace("$gate", "'contamination'").split()),
        ),
        f"Not at hand, so not compared: {', '.join(missing)}." if missing else "",
    )


def _review(measures: Sequence[Mapping[str, Any]]) -> Block:
    """What people found who read rows."""
    if not measures:
        return ReportNote(
            "No review: no person's judgements of rows are in the store. Materialize "
            "key:review_sample, fill in its page, and materialize key:review_results.",
            "missing",
        )
    return ReportTable(
        "Review by people: shares of rows, or kappa, with 95 % intervals.",
        ["figure", "of", "value", "95 % interval", "rows judged", "rows they stand for", "note"],
        [
            [
                row["figure"].replace("_", " "),
                row["subject"],
                f"{row['value']:.3f}",
                None if row["ci_low"] is None else f"{row['ci_low']:.3f} to {row['ci_high']:.3f}",
                f"{row['judged']:,}",
                f"{row['population']:,}",
                row["note"] or None,
            ]
            for row in measures
        ],
        NumberSource.of(REVIEW),
    )
