"""How much the instructions differ from each other, beside the published set.

Belongs here: the section on diversity, and the histogram of novelty. Does not: measuring rows
(card.statistics), or the rule of the novelty gate (sections.gates).
"""

from bioinstruct_dagster.dataset.card.parts import percent, section, table
from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.statistics import BINS, TextStatistics
from bioinstruct_dagster.figures.values import number_of

_BAR = 30  # characters of the longest bar of the histogram


def diversity_section(measured: TextStatistics | None) -> str:
    """How much instructions differ from each other, beside the published set."""
    if measured is None:
        return ""
    here, published = measured.diversity, published_set()
    there = published.measured.diversity
    sampled = here.rows < measured.rows
    told = f"Measured on {number_of(here.rows, 'instruction')}"
    told += ", which a hash draws from the set" if sampled else ""
    told += f", and on {there.rows:,} of the {published.name}."
    if here.rows < there.rows:
        told += (
            " A smaller set has higher shares of distinct words, even if it is no more diverse. "
            "So only sets of equal size can be compared here, but for the similarity of two "
            "instructions."
        )
    lines = [
        *(
            (f"distinct {name}", f"{mine:.3f}", f"{theirs:.3f}")
            for name, mine, theirs in zip(
                ("words", "pairs of words", "triples of words"),
                here.distinct,
                there.distinct,
                strict=True,
            )
        ),
        ("distinct first three words", f"{here.openings:,}", f"{there.openings:,}"),
        ("times shorter by zlib", f"{here.compression:.2f}", f"{there.compression:.2f}"),
        ("ROUGE-L F1 of two instructions, mean", _f1(here.pair_mean), _f1(there.pair_mean)),
        ("the same, 95th percentile", _f1(here.pair_p95), _f1(there.pair_p95)),
    ]
    return section(
        "Diversity of the instructions", told, table(("measure", "this set", published.name), lines)
    )


def novelty_histogram(measured: TextStatistics | None) -> str:
    """How similar rows are to their nearest other row, as a table with bars."""
    if measured is None or not measured.diversity.nearest:
        return ""
    one, there = measured.diversity, published_set().measured.diversity
    counts = one.nearest_in_set or one.nearest
    of = (
        f"{number_of(sum(counts), 'row')} that a hash draws, each beside all other rows of the set"
        if one.nearest_in_set
        else f"{number_of(one.rows, 'row')}, each beside all others"
    )
    most = max(counts)
    lines = [
        (
            f"{at / BINS:.1f} to {(at + 1) / BINS:.1f}",
            counts[at],
            percent(counts[at] / sum(counts)),
            "█" * round(_BAR * counts[at] / most),
            percent(there.nearest[at] / there.rows),
        )
        for at in range(BINS)
        if counts[at] or there.nearest[at]
    ]
    told = (
        f"ROUGE-L F1 of an instruction with the most similar other one ({of}). In a larger set, "
        "each row has more similar neighbours."
    )
    headings = ("F1", "rows", "share", "", f"{published_set().name}, {there.rows:,} rows")
    return f"{told}\n\n{table(headings, lines)}"


def _f1(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
