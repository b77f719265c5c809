"""Making a finding from the store: its table, its files, and what a page says of it.

Belongs here: the three findings as one list, so that assets, jobs and reports make them alike. Does
not: Dagster (assets).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.evaluation.summaries.trained_on import items_trained_on
from bioinstruct_dagster.figures.forest import differences
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.findings import ablation, families, ranking, scaling, summaries
from bioinstruct_dagster.findings.coverage import coverage
from bioinstruct_dagster.findings.figures.ablation import ablation_figure
from bioinstruct_dagster.findings.figures.leaderboard import leaderboard_figure
from bioinstruct_dagster.findings.figures.scaling import scaling_figure
from bioinstruct_dagster.findings.files import REPORTS, write_csv, write_finding
from bioinstruct_dagster.findings.published import PublishedFigures, read_published
from bioinstruct_dagster.findings.scaling import SizePair, size_pairs
from bioinstruct_dagster.findings.stored_scores import with_repeated_items
from bioinstruct_dagster.models.current_dataset import train_rows
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.plots.canvas import page_picture
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCORED = "select distinct base_model, recipe from eval_scores where subject = 'adapter'"
# Scores that were computed again since, or that the table does not know.
LATER_SCORES = """
    with scored as (
        select base_model, recipe, max(scored_at) as scored_at
        from eval_scores
        where subject = 'adapter'
        group by all
    ),
    made as (select max(made_at) as made_at from leaderboard)
    select scored.base_model, scored.recipe, scored.scored_at
    from scored
    cross join made
    where made.made_at is null or scored.scored_at > made.made_at
    order by all
"""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Sources:
    """What findings are made from.

    Attributes:
        store: with the scores.
        matrix: the experiments.
        published: the figures of others.
        stand_ins: by the name of a task that stands in for another, the name of the other.
    """

    store: Store
    matrix: ExperimentMatrix
    published: PublishedFigures
    stand_ins: Mapping[str, str]

    @classmethod
    def of(cls, store: Store, settings: Settings, matrix: ExperimentMatrix) -> "Sources":
        """The sources by the settings.

        Raises:
            StatedError: the file of published figures or a task file is malformed.
        """
        tasks = read_tasks(settings.eval_sets.tasks).tasks
        stand_ins = {task.name: task.stands_in_for for task in tasks if task.stands_in_for}
        return cls(store, matrix, read_published(), stand_ins)


@dataclass(frozen=True)
class FindingKind:
    """How one finding is made.

    Attributes:
        rows: of its table.
        figure: of the rows.
        described: what the figure shows, in words.
        summary: of the rows and their sizes in pairs, in a sentence or two.
        lines: the title and the lines of the drawing on a page.
        pairs: its sizes in pairs; empty unless it is a curve.
        planned: the experiments of its design; none for the leaderboard.
        no_recipes: what to say if the experiment file has no such experiments.
        sql: the statement that gives a reader the figure's numbers.
    """

    rows: Callable[[Sources], list[dict[str, Any]]]
    figure: "Callable[[Rows, Sources], Figure]"
    described: str
    summary: Callable[[Rows, Sequence[SizePair]], str]
    lines: Callable[[Rows], summaries.Lines]
    pairs: Callable[[Rows, Sources], Sequence[SizePair]]
    planned: Callable[[ExperimentMatrix], list[families.Family]] | None
    no_recipes: str
    sql: str


FINDINGS: Mapping[str, FindingKind] = {
    "leaderboard": FindingKind(
        lambda of: ranking.leaderboard_rows(of.store, of.published, of.stand_ins),
        lambda rows, of: leaderboard_figure(rows, of.published),
        "Heat map of experiments by tasks: score, difference to the base model, and places.",
        lambda rows, _: summaries.leaderboard_summary(rows),
        summaries.leaderboard_lines,
        lambda *_: (),
        None,
        "",
        ranking.LEADERBOARD,
    ),
    "category_ablation": FindingKind(
        lambda of: ablation.ablation_rows(of.store, of.matrix, of.stand_ins),
        lambda rows, _: ablation_figure(rows),
        "Heat map of training categories by evaluation categories: difference to the base model.",
        lambda rows, _: summaries.ablation_summary(rows),
        summaries.ablation_lines,
        lambda *_: (),
        families.ablation_families,
        ablation.NO_RECIPES,
        ablation.CATEGORY_ABLATION,
    ),
    "data_scaling": FindingKind(
        lambda of: scaling.scaling_rows(of.store, of.matrix, of.published),
        lambda rows, of: scaling_figure(rows, of.published),
        "Curves of score by number of instructions, with intervals and the seeds' own scores.",
        summaries.scaling_summary,
        summaries.scaling_lines,
        lambda rows, of: size_pairs(rows, of.store, of.stand_ins),
        families.scaling_families,
        scaling.NO_RECIPES,
        scaling.DATA_SCALING,
    ),
}


@dataclass(frozen=True)
class Made:
    """A finding that is in the store and in its files.

    Attributes:
        rows: of its table.
        files: PNG, SVG and CSV.
        summary: Markdown, with a drawing.
        missing: what of its design is not scored, with the command.
        picture: the figure as PNG for a page; None without rows.
    """

    rows: list[dict[str, Any]]
    files: list[Path]
    summary: str
    missing: list[str]
    picture: bytes | None


def make(name: str, sources: Sources, settings: Settings) -> Made:
    """Make a finding anew: the table, then the files.

    Args:
        name: of the finding, its table and its asset.
        sources: what it is made from.
        settings: the data folder counts.
    """
    finding, folder = FINDINGS[name], settings.store.data_dir / REPORTS
    columns = table_columns(sources.store, name)
    rows = [{column: row[column] for column in columns} for row in finding.rows(sources)]
    sources.store.replace({name: rows})
    rows = with_repeated_items(rows, items_trained_on(sources.store))
    figure = finding.figure(rows, sources) if rows else None
    files = write_finding(folder, name, rows, figure, finding.described)
    if name == "leaderboard":
        files.append(write_csv(folder / "quoted_figures.csv", quoted_rows(sources.published)))
    title, lines = finding.lines(rows)
    drawing = differences(title, lines, "rows") if lines else None
    text = summary(finding.summary(rows, finding.pairs(rows, sources)), drawing)
    picture = page_picture(figure) if figure else None
    return Made(rows, files, text, not_scored(name, sources), picture)


def not_scored(name: str, sources: Sources) -> list[str]:
    """What of a finding's design is scored, and how to score the rest; empty without a design."""
    finding, store = FINDINGS[name], sources.store
    if finding.planned is None:
        return []
    scored = {(row["base_model"], row["recipe"]) for row in store.rows(SCORED)}
    planned = finding.planned(sources.matrix)
    return coverage(name, planned, scored, finding.no_recipes, lambda some: train_rows(store, some))


def later_scores(store: Store) -> list[dict[str, Any]]:
    """The experiments that were scored after the leaderboard was made."""
    return store.rows(LATER_SCORES)


def table_columns(store: Store, name: str) -> list[str]:
    """The columns of a finding's table, in their order."""
    found = store.rows(
        "select column_name from information_schema.columns where table_name = $table "
        "order by ordinal_position",
        {"table": name},
    )
    return [row["column_name"] for row in found]


def quoted_rows(published: PublishedFigures) -> list[dict[str, Any]]:
    """All published figures with their sources, as rows of a file of their own."""
    gains: list[dict[str, Any]] = [
        {"kind": "relative gain", "model": "", "measure": one.category, "metric": "",
         "value": one.gain, "quoted_from": published.told(one)}
        for one in published.gains
    ]  # fmt: skip
    return gains + [
        {"kind": "score", "model": one.model, "measure": one.task, "metric": one.metric,
         "value": one.score, "quoted_from": published.told(one)}
        for one in published.scores
    ]  # fmt: skip
