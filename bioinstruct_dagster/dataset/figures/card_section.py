"""The card's section of figures, with the table of the most frequent root verbs.

Belongs here: the section, and its place on a card that is written already. Does not: drawing
(figures.drawn).
"""

import re
from collections.abc import Sequence

from bioinstruct_dagster.dataset.card.parts import percent, section, table
from bioinstruct_dagster.dataset.imperatives.diversity import VerbDiversity

TITLE = "Figures"
_BEFORE = "## Where the rows come from"
_SECTION = re.compile(rf"^## {TITLE}\n.*?(?=^## |\Z)", re.DOTALL | re.MULTILINE)


def figures_section(verbs: VerbDiversity, figures: Sequence[tuple[str, str, str]]) -> str:
    """The section: each figure with its text, and the table beside the figure of verbs.

    Args:
        verbs: the counts of root verbs.
        figures: of each figure the title, the path from the card, and what it shows in words.
    """
    blocks = [f"![{title}]({path})\n\n{told}" for title, path, told in figures]
    rows = [
        (one.verb, one.rows, percent(one.rows / verbs.read), ", ".join(one.objects))
        for one in verbs.top
    ]
    told = (
        f"Most frequent root verbs, and of each the most frequent objects. {verbs.with_verb:,} of "
        f"{verbs.read:,} instructions that were read have a root verb; a question has none. There "
        f"are {verbs.verbs:,} distinct verbs and {verbs.pairs:,} distinct pairs of verb and object."
    )
    listed = table(("root verb", "rows", "share", "objects"), rows)
    return section(TITLE, *blocks, *([told, listed] if rows else []))


def with_figures(card: str, written: str) -> str:
    """The text of a card with this section of figures, which replaces an earlier one.

    Args:
        card: the text of README.md.
        written: the section.
    """
    without = _SECTION.sub("", card)
    if _BEFORE in without:
        return without.replace(_BEFORE, f"{written}{_BEFORE}", 1)
    return f"{without.rstrip()}\n\n{written}".rstrip("\n") + "\n"
