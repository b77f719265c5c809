"""What the rows are: sections on fields, splits, categories and lengths.

Belongs here: these sections. Does not: measuring rows (card.statistics), or where rows come from
(sections.origin).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.parts import percent, section, table
from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.statistics import FIELDS, Lengths, TextStatistics
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.markdown import longest_run

_EXAMPLE_CHARACTERS = 300
SHARES = {
    "empty_input": "rows without an input",
    "input_marker": "rows whose input only says that there is none, such as N/A",
    "begins_with_given": "instructions that begin with “Given”",
    "is_question": "instructions that end with a question mark",
    "short_output": "outputs of at most 2 words",
    "long_output": "outputs of more than 100 words",
}


def loading_section() -> str:
    """How the folder is opened."""
    return section(
        "How to load it",
        "```python\n"
        "from datasets import load_dataset\n\n"
        'data = load_dataset("path/to/this/folder")  # or the id of the set on the hub\n'
        'print(data["train"][0]["instruction"])\n'
        "```",
    )


def fields_section(origins: RowOrigins) -> str:
    """What each column holds."""
    completion = "the stored reply the row came in"
    rehearsal = "whether the rehearsal teacher replayed the row"
    if origins.only_imported:
        completion, rehearsal = "empty: the rows were imported", "false: the rows were imported"
    elif origins.from_import:
        completion += "; empty if the row was imported"
    rows = {
        "row_id": "identifies the row in every version of the set",
        "instruction": "the task",
        "input": "the text that the task is about; empty where the task needs none",
        "output": "the answer to learn",
        "category": "information_extraction, question_answering, generation or other",
        "labelled_by": "who gave the category",
        "source": "`completion`, or the imported set",
        "completion_id": completion,
        "rehearsal": rehearsal,
    }
    return section(
        "Fields", table(("field", "what it holds"), [(f"`{n}`", t) for n, t in rows.items()])
    )


def example_section(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first row, shortened; empty if there is none."""
    if not rows:
        return ""
    text = "\n".join(f"{name}: {rows[0][name]}"[:_EXAMPLE_CHARACTERS] for name in FIELDS)
    # Longer than any run of backticks in the text, so that the text can't close the fence.
    fence = "`" * max(3, longest_run(text) + 1)
    return f"## Example\n\n{fence}\n{text}\n{fence}\n\n"


def splits_section(card: Card, sizes: Mapping[str, int]) -> str:
    """How many rows each split has, and by what it is decided."""
    by = card.split_by.replace("_", " ")
    told = f"A hash of the {by} decides the split of a row, so no row moves when the set grows."
    return section(
        "Splits", told, table(("split", "rows"), [(name, sizes.get(name, 0)) for name in SPLITS])
    )


def categories_section(rows: Sequence[Mapping[str, Any]]) -> str:
    """The share of each category, beside those of the published set."""
    counts = Counter(row["category"] for row in rows)
    published = published_set()
    lines = [
        (name, count, percent(count / len(rows)), _stated(name, published.categories))
        for name, count in counts.most_common()
    ]
    labelled = Counter(row["labelled_by"] for row in rows).most_common()
    who = ", ".join(f"{name} ({count:,})" for name, count in labelled) or "none"
    return section(
        "Categories",
        table(("category", "rows", "share", f"{published.name}, as stated"), lines),
        f"Labelled by: {who}.",
    )


def _stated(name: str, shares: Mapping[str, float]) -> str:
    return percent(shares[name]) if name in shares else ""


def lengths_section(measured: TextStatistics | None) -> str:
    """Lengths and properties of the texts, beside those of the published set."""
    if measured is None:
        return ""
    published = published_set()
    lengths = [
        (name, whose, *_of_lengths(lengths))
        for name in FIELDS
        for whose, lengths in (
            ("this set", measured.lengths[name]),
            (published.name, published.measured.lengths[name]),
        )
    ]
    shares = [
        (said, percent(measured.shares[name]), percent(published.measured.shares[name]))
        for name, said in SHARES.items()
    ]
    return section(
        "Lengths",
        "In words between white space; the mean with its 95 % interval.",
        table(("field", "set", "mean", "median", "5 % to 95 %", "longest"), lengths),
        table(("share", "this set", published.name), shares),
        published.source,
    )


def _of_lengths(one: Lengths) -> tuple[str, str, str, str]:
    mean = f"{one.mean:.1f}" + ("" if one.half_width is None else f" ± {one.half_width:.1f}")
    return mean, f"{one.median:.0f}", f"{one.p5:.0f} to {one.p95:.0f}", f"{one.most:,}"
