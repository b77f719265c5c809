"""All figures of a data set, with what each shows in words and the rows behind it.

Belongs here: which figures there are, so that the asset, the card and a report draw them alike.
Does not: a single drawing (sunburst, distributions, growth), or Dagster (dataset.assets).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.dataset.card.parts import percent
from bioinstruct_dagster.dataset.card.statistics import BINS, FIELDS, text_statistics
from bioinstruct_dagster.dataset.figures.distributions import (
    lengths_figure,
    novelty_figure,
    shares_figure,
)
from bioinstruct_dagster.dataset.figures.growth import GrowthStep, growth_figure
from bioinstruct_dagster.dataset.figures.sunburst import covered, sunburst
from bioinstruct_dagster.dataset.imperatives.diversity import VerbDiversity, verb_diversity
from bioinstruct_dagster.dataset.origins import origins_of
from bioinstruct_dagster.figures.values import number_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REHEARSAL = "Rehearsal: shows that the chain works; no medical meaning."
_TENS = 10  # words in a bin of the table


@dataclass(frozen=True)
class DataFigure:
    """A figure.

    Attributes:
        name: of its files, without an ending.
        title: as a heading.
        figure: the drawing.
        told: what it shows, in a sentence or two, with the figures that matter.
        counts: the rows behind it: part of the figure, label, rows.
    """

    name: str
    title: str
    figure: "Figure"
    told: str
    counts: Sequence[tuple[str, str, int]]


def data_figures(
    rows: Sequence[Mapping[str, Any]], steps: Sequence[GrowthStep] = (), model: str = ""
) -> tuple[VerbDiversity, list[DataFigure]]:
    """Draw the figures of a data set.

    The published BioInstruct stands beside a set that was generated or replayed, and not beside an
    import, which need not be of its kind.

    Args:
        rows: of the set, at least one, with texts, `category`, `source` and `rehearsal`.
        steps: the runs that brought them; without them, growth is not drawn.
        model: a spaCy model that reads verbs; empty for word lists.
    """
    measured, verbs = text_statistics(rows), verb_diversity(rows, model)
    origins = origins_of(rows)
    beside = not origins.only_imported
    categories = Counter(row["category"] for row in rows)
    shares = {name: count / len(rows) for name, count in categories.items()}
    named = ", ".join(
        f"{name.replace('_', ' ')} {percent(shares[name])}" for name, _ in categories.most_common()
    )
    drawn = [
        DataFigure(
            "dataset_categories", "Categories",
            shares_figure(shares, len(rows), beside_published=beside),
            f"Share of each category among {number_of(len(rows), 'row')}: {named}.",
            [("this set", name, count) for name, count in categories.most_common()],
        ),
    ]  # fmt: skip
    if verbs.top:
        told = f"{covered(verbs)} Read by {verbs.reader}."
        counts = [
            (one.verb, name, count) for one in verbs.top for name, count in one.objects.items()
        ]
        drawn.append(
            DataFigure("dataset_verbs", "Root verbs and objects", sunburst(verbs), told, counts)
        )
    if measured is not None:
        medians = ", ".join(f"{name} {measured.lengths[name].median:.0f}" for name in FIELDS)
        drawn.append(
            DataFigure(
                "dataset_lengths", "Lengths", lengths_figure(rows, beside_published=beside),
                f"Lengths in words. Medians: {medians}.",
                [one for name in FIELDS for one in _by_tens(name, rows)],
            )
        )  # fmt: skip
    if measured is not None and measured.diversity.nearest_median is not None:
        diversity = measured.diversity
        sample = f" in a sample of {diversity.rows:,} rows" if diversity.nearest_in_set else ""
        counts_ = diversity.nearest_in_set or diversity.nearest
        drawn.append(
            DataFigure(
                "dataset_novelty", "Novelty", novelty_figure(diversity, beside_published=beside),
                "Similarity (ROUGE-L F1) of each instruction to the most similar other one of "
                f"{number_of(sum(counts_), 'row')}. Median {diversity.nearest_median:.2f}{sample}.",
                [("F1", f"{at / BINS:.1f}", count) for at, count in enumerate(counts_)],
            )
        )  # fmt: skip
    if steps:
        kept, raw = sum(one.kept_rows for one in steps), sum(one.raw_rows for one in steps)
        drawn.append(
            DataFigure(
                "dataset_growth", "Growth and yield", growth_figure(steps),
                f"{number_of(len(steps), 'run or import', 'runs or imports')} brought {raw:,} raw "
                f"rows, of which {kept:,} ({percent(kept / raw)}) are in the set.",
                [
                    (step.run, label, count)
                    for step in steps
                    for label, count in (("raw", step.raw_rows), ("kept", step.kept_rows))
                ],
            )
        )  # fmt: skip
    for one in drawn:
        _finish(one, REHEARSAL if origins.replayed else "")
    return verbs, drawn


def _finish(one: DataFigure, mark: str) -> None:
    """Write the title and the mark of a rehearsal, and take lines away that say nothing."""
    one.figure.suptitle(f"{one.title}\n{mark}".rstrip(), fontweight="bold", fontsize="medium")
    for axes in one.figure.axes:
        axes.spines[["top", "right"]].set_visible(False)


def _by_tens(field: str, rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int]]:
    """Rows by length of a field, in tens of words."""
    tens = Counter(len(row[field].split()) // _TENS for row in rows)
    return [
        (field, f"{ten * _TENS} to {ten * _TENS + _TENS - 1}", tens[ten]) for ten in sorted(tens)
    ]
