"""The white sheet that each drawing is made on, as a Markdown image.

Dagster's page of an asset sets the limits. It shows Markdown of fewer than 1,000 characters in
place and hides longer text behind a button. So the SVG is written by hand, and as text: base64
would make it a third longer. The sheet is white, because a drawing cannot know whether the page is
light or dark. In a window of 1,280 pixels, the page shows the left 390 pixels of the column with
the values. So what a reader must see lies in these pixels. Belongs here: the sheet, and texts on
it. Does not: the drawings (bars, curves, forest), or figures in files (plots.canvas).
"""

import html
from collections.abc import Callable

from bioinstruct_dagster.figures.values import NO_BREAK_SPACE

INLINE_CHARACTERS = 1000  # Dagster shows Markdown below this length in place
WIDTH = 480
SEEN = 390  # of the width, in a window of 1,280 pixels
HEIGHT = 180
MARGIN = 8  # left of x = 0
BLUE, ORANGE = "#0072B2", "#D55E00"  # Okabe and Ito (2008)
_BOLD = " font-weight='700'"
_LINE = 44  # characters of the page's font in SEEN pixels

# Draws what fits into a number of characters. An empty text means that nothing does.
Drawing = Callable[[int], str]


def sheet(title: str, body: str, height: int = HEIGHT, width: int = WIDTH) -> str:
    """A drawing as a Markdown image.

    Args:
        title: above the drawing, and for readers who cannot see it.
        body: SVG elements. The origin is MARGIN pixels from the left edge.
        height: in pixels.
        width: in pixels.
    """
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='-{MARGIN} 0 {width} {height}' style='background:white;font:13px sans-serif'>"
        f"{label(title, y=18, style=_BOLD)}{body}</svg>"
    )
    escaped = svg
    for character, code in _ESCAPES.items():
        escaped = escaped.replace(character, code)
    return f"![{_in_brackets(title)}](<data:image/svg+xml,{escaped}>)"


# In this order: what a data URI reserves, then what ends a Markdown address in angle brackets.
_ESCAPES = {"%": "%25", "#": "%23", "&": "%26", "\\": "%5C", "\n": " ", "<": r"\<", ">": r"\>"}


def _in_brackets(text: str) -> str:
    return "".join(f"\\{c}" if c in "[]\\<>&*_`!" else c for c in text)


def label(text: str, *, y: int, x: int = 0, style: str = "") -> str:
    """A text on the sheet. Characters that XML reserves or forbids are escaped or left out."""
    shown = "".join(c for c in text if c.isprintable() or c == NO_BREAK_SPACE)
    at = f" x='{x}'" if x else ""
    return f"<text{at} y='{y}'{style}>{html.escape(shown, quote=False)}</text>"


def summary(sentence: str, drawing: Drawing | None = None) -> str:
    """The Markdown of the metadata entry `summary`: a sentence, then a drawing if one fits.

    Args:
        sentence: what came out, with the numbers that matter. It is broken into lines that a
            window of 1,280 pixels shows as a whole.
        drawing: what to draw below.
    """
    text = _broken(sentence)[: INLINE_CHARACTERS - 1]
    drawn = drawing(INLINE_CHARACTERS - 1 - len(text) - 2) if drawing else ""
    return f"{text}\n\n{drawn}" if drawn else text


def _broken(sentence: str) -> str:
    lines = [""]
    for word in sentence.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _LINE:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\\\n".join(lines)
