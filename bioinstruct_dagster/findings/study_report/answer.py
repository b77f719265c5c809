"""The first screen: the question, the answer in a sentence, the forest plot and the leaderboard.

Belongs here: this section. Does not: the sentence (study_report.headline), or all scores
(study_report.scores).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bioinstruct_dagster.findings.family_rows import measures
from bioinstruct_dagster.findings.figures.leaderboard import ordered_experiments, places_text
from bioinstruct_dagster.findings.made import FINDINGS
from bioinstruct_dagster.findings.stored_scores import (
    AVERAGE,
    HELD_OUT,
    experiment_name,
    measure_key,
)
from bioinstruct_dagster.findings.study_report.blocks import (
    Block,
    NumberSource,
    ReportFigure,
    ReportNote,
    ReportSection,
    ReportTable,
    ReportText,
)
from bioinstruct_dagster.findings.study_report.forest import forest_figure, forest_text
from bioinstruct_dagster.findings.study_report.headline import Headline
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.findings.wording import difference_text, difference_unit, measure_name
from bioinstruct_dagster.plots.canvas import svg_text

MOST_EXPERIMENTS, MOST_BASE_MODELS = 12, 4  # of the first screen; the later tables hold all
QUESTION = (
    "Does training on this data set of instructions make a language model answer biomedical "
    "questions better, and by how much?"
)
NO_SCORES = (
    "No answer yet: no adapter is scored. Train and score one: materialize key:lora_adapter and "
    "key:eval_scores for a partition, such as rehearsal-llama|all, then group:findings."
)


def answer_section(sources: ReportSources) -> ReportSection:
    """The question and the answer."""
    return ReportSection("answer", "What was found", list(_blocks(sources)))


def rehearsal_note(sources: ReportSources) -> str:
    """What of the report is a rehearsal; empty if nothing is."""
    marks = sources.marks()
    if not marks:
        return ""
    counted = ", ".join(f"{row['marked']:,} of {row['n']:,} {row['what']}" for row in marks)
    return (
        f"REHEARSAL, not a result: {counted} were made with the embedded teacher or model, or on "
        "fixture items. They say nothing about medicine and must not be published."
    )


def _blocks(sources: ReportSources) -> Iterator[Block]:
    yield ReportText(QUESTION, "question")
    if not sources.headlines:
        yield ReportNote(NO_SCORES, "missing")
        return
    for headline in sources.headlines[:MOST_BASE_MODELS]:
        if headline.older:
            yield ReportNote(
                f"Older: the scores of {headline.base_model} are {headline.older}. "
                "Train and score again before you quote them.",
                "older",
            )
        yield ReportText(headline.sentence(), "answer")
    if len(sources.headlines) > MOST_BASE_MODELS:
        left = len(sources.headlines) - MOST_BASE_MODELS
        yield ReportText(f"{left:,} more base models are in the tables below.")
    first = sources.headlines[0]
    if any(one.row["difference"] is not None for one in first.measures):
        yield ReportFigure(
            f"{first.base_model}, trained on {first.trained_on}: difference to the base model with "
            "its 95 % interval.",
            svg_text(forest_figure(first), forest_text(first)),
            _forest_source(first),
        )
    yield from _leaderboard(sources)
    yield ReportText(f"How sure: {first.certainty()} {_averages(sources)}".strip(), "small")


def _averages(sources: ReportSources) -> str:
    """Which tasks each average is over."""
    tasks: dict[str, set[str]] = {}
    rows = sources.tables["leaderboard"]
    averaged = {row["category"] for row in rows if row["task"] == AVERAGE}
    for row in rows:
        if row["category"] in averaged and row["task"] not in {AVERAGE, HELD_OUT}:
            tasks.setdefault(row["category"], set()).add(row["task"])
    return " ".join(
        f"The average of {category.replace('_', ' ')} is over {', '.join(sorted(names))}."
        for category, names in sorted(tasks.items())
    )


def _forest_source(headline: Headline) -> NumberSource:
    names = ", ".join(f"'{name}'" for name in headline.recipes)
    rows = headline.measures[0].row
    if rows["categories"] is None:
        return NumberSource.of(f"""
            select task, category, metric, n, difference, difference_low, difference_high,
                detectable
            from leaderboard
            where base_model = '{headline.base_model}' and recipe in ({names})
            """)
    table = "data_scaling" if "rows_asked" in rows else "category_ablation"
    return NumberSource.of(
        f"""
        select task, category, metric, seeds, n, difference, difference_low, difference_high,
            detectable
        from {table}
        where base_model = '{headline.base_model}' and recipes = [{names}]
        """,
        "p = erfc(|difference| / standard error / √2); the standard error is the interval's half "
        "width divided by 1.96. Holm's method corrects p over the measures.",
    )


def _leaderboard(sources: ReportSources) -> Iterator[Block]:
    """The experiments with the measures of the headlines."""
    rows = [row for row in measures(sources.tables["leaderboard"]) if row["difference"] is not None]
    columns = sorted(
        {measure_key(row): row for row in rows}.items(),
        key=lambda item: (item[1]["task"] == HELD_OUT, item[0]),
    )
    experiments = ordered_experiments(sources.tables["leaderboard"])
    by_cell = {(experiment_name(row), measure_key(row)): row for row in rows}
    lines = []
    for name in experiments[:MOST_EXPERIMENTS]:
        mine = [by_cell.get((name, key)) for key, _ in columns]
        known = next((row for row in mine if row), None)
        size = f"{known['train_rows']:,}" if known and known["train_rows"] else None
        older = " (older data)" if known and known["older"] else ""
        lines.append([f"{name}{older}", size, *(_cell(row) for row in mine)])
    left = len(experiments) - len(lines)
    more = f" {left:,} more experiments are under Scores." if left > 0 else ""
    yield ReportTable(
        "Leaderboard: difference to the base model [95 % interval] and place, the best mean place "
        "first.",
        ["experiment", "rows", *(_heading(row) for _, row in columns)],
        lines,
        NumberSource.of(FINDINGS["leaderboard"].sql),
        "A place is a range if the data can't tell adapters apart: “place 1-3 of 8” is a tie of "
        f"three. Places hold for single adapters; another seed may get another one.{more}",
    )


def _heading(row: Mapping[str, Any]) -> str:
    return f"{measure_name(row)}, {difference_unit(row['metric'])}"


def _cell(row: Mapping[str, Any] | None) -> str | None:
    if row is None:
        return None
    return f"{difference_text(row)}\n{places_text(row)}"
