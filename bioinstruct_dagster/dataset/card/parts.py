"""Tables, lists and numbers of the documents, as Markdown.

Belongs here: what the sections share. Does not: a section (sections.origin,
sections.content, sections.gates).
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.markdown import one_line

_ENTRIES_SHOWN = 8  # of a list within a sentence
_NUMBER = re.compile(r"[$+-]?[\d,.]+(?: ± [\d,.]+)?(?: %)?")


def section(title: str, *blocks: str) -> str:
    """A section with its blocks; empty if no block holds a text."""
    told = [block.strip("\n") for block in blocks if block.strip()]
    return f"## {title}\n\n" + "\n\n".join(told) + "\n\n" if told else ""


def facts_list(facts: Mapping[str, Any]) -> str:
    """A line for each fact. A fact whose value is None is left out."""
    return "".join(f"- {name}: {value}\n" for name, value in facts.items() if value is not None)


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table; empty if it has no row. A column of numbers is aligned to the right."""
    if not rows:
        return ""
    cells = [[_cell(value) for value in row] for row in rows]
    rules = [
        "---:" if all(_NUMBER.fullmatch(row[at]) or not row[at] for row in cells) else "---"
        for at in range(len(headings))
    ]
    lines = [headings, rules, *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return one_line(text).replace("|", "\\|")


def percent(share: float) -> str:
    """A share with one digit after the point."""
    return f"{share:.1%}".replace("%", " %")


def dollars(usd: float | None) -> str:
    """An amount with three significant digits; `unknown` if it is not known."""
    if usd is None:
        return "unknown"
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.3g}"


def some_of(names: Sequence[str]) -> str:
    """The names, of which only the first are shown if there are many."""
    shown = ", ".join(names[:_ENTRIES_SHOWN])
    more = len(names) - _ENTRIES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
