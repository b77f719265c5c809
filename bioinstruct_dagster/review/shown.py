"""What a person reads about the sample and the results of a review, with a drawing of each.

Belongs here: sentences, tables and which figures are drawn. Does not: the numbers (drawn,
measures), or the sheet of a drawing (figures).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.forest import PlottedScore, shares
from bioinstruct_dagster.figures.sheet import Drawing, summary
from bioinstruct_dagster.figures.values import interval, number_of, percent, percent_number
from bioinstruct_dagster.review.reported import ReviewFigures

NO_REVIEW = "No review yet. Open review/review.html of the data folder, judge rows, and put the "
NO_REVIEW += "exported file into review/filled."
_KINDS = {
    "kept": "kept",
    "uncertain": "kept with an uncertain category",
    "rejected": "rejected",
}
_FIGURES = {
    "defect_rate": "defects",
    "filter_precision": "precision",
    "category_accuracy": "right category",
    "kappa_decision": "kappa of decisions",
    "kappa_category": "kappa of categories",
}
_ALL = ("all kept rows", "all filters")
# In the drawing, which holds about 20 characters a name.
_DRAWN = {
    "defect_rate": "defective kept rows",
    "category_accuracy": "right category",
    "filter_precision": "rightly rejected",
}


def sample_summary(strata: Sequence[Mapping[str, Any]], unjudged: int) -> str:
    """How many rows of which kind are on the page, with a drawing of the strata.

    Args:
        strata: of the table `review_strata`.
        unjudged: rows of the sample that nobody has judged.
    """
    kinds = {
        name: sum(one["sampled"] for one in strata if one["kind"] == kind)
        for kind, name in _KINDS.items()
    }
    population = sum(one["population"] for one in strata)
    sampled = sum(one["sampled"] for one in strata)
    counted = ", ".join(f"{n:,} {name}" for name, n in kinds.items() if n)
    return summary(
        f"**{sampled:,} of {population:,} rows** are on the review page: {counted}. "
        f"**{unjudged:,} wait for a judgement.**",
        strata_drawing(strata),
    )


def strata_drawing(strata: Sequence[Mapping[str, Any]]) -> Drawing:
    """Rows on the page by stratum, each beside the rows of its stratum."""
    return bars(
        "Sampled, of all rows of a kind",
        {_stratum(one): one["sampled"] for one in strata},
        "rows",
        of={_stratum(one): one["population"] for one in strata},
    )


def _stratum(one: Mapping[str, Any]) -> str:
    """A stratum's name that is short enough for a drawing."""
    if one["gate"]:
        return f"rejected: {one['gate']}"
    marked = "uncertain: " if one["kind"] == "uncertain" else ""
    return f"{marked}{one['category']}".replace("_", " ")


def strata_table(strata: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The strata for the page, without the parts of their names."""
    return [
        {
            "stratum": one["stratum"].replace("_", " "),
            "rows": one["population"],
            "on the page": one["sampled"],
            "share": percent(one["sampled"] / one["population"]),
        }
        for one in strata
        if one["population"]
    ]


def results_sentence(figures: ReviewFigures) -> str:
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


def results_summary(figures: ReviewFigures) -> str:
    """The sentences, and the shares with their intervals."""
    order = list(_DRAWN)
    found = sorted(
        (
            one
            for one in figures.measures
            if one["figure"] == "filter_precision"
            or (one["figure"] in order and one["subject"] in _ALL)
        ),
        key=lambda one: (one["subject"] not in _ALL, order.index(one["figure"])),
    )
    rows = {
        _drawn_name(one): PlottedScore(one["value"], one["ci_low"], one["ci_high"]) for one in found
    }
    return summary(results_sentence(figures), shares("Shares, 95 % intervals", rows))


def _drawn_name(one: Mapping[str, Any]) -> str:
    """The name of a share in the drawing: below that of all filters stands each gate."""
    return _DRAWN[one["figure"]] if one["subject"] in _ALL else f"… by {one['subject']}"


def measures_table(figures: ReviewFigures) -> list[dict[str, Any]]:
    """All figures of the review for the page."""
    return [
        {
            "figure": _FIGURES[one["figure"]],
            "of": one["subject"].replace("_", " "),
            "value [95 %]": _shown_measure(one),
            "judged": one["judged"],
            "stands for": one["population"],
            "note": one["note"],
        }
        for one in figures.measures
    ]


def plotted_numbers(figures: ReviewFigures) -> dict[str, float]:
    """The shares that Dagster draws over time, in percent."""
    return {
        f"{_FIGURES[one['figure']]} (%)": percent_number(one["value"])
        for one in figures.measures
        if one["subject"] in _ALL
    }


def _with_interval(measure: Mapping[str, Any]) -> str:
    return f"{percent(measure['value'])} [{_ends(measure)}]"


def _ends(measure: Mapping[str, Any]) -> str:
    return ", ".join(percent(measure[end]) for end in ("ci_low", "ci_high"))


def _shown_measure(one: Mapping[str, Any]) -> str:
    if one["figure"].startswith("kappa"):
        return f"{one['value']:.2f}{interval(one['ci_low'], one['ci_high'], 2)}"
    return _with_interval(one)
