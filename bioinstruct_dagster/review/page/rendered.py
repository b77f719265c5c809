"""The text of the review page.

Belongs here: putting rows, style and script into one file, so that no text of a row can end the
element that it stands in. Does not: which rows (sampling), or what is hidden in them (masking).
"""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from bioinstruct_dagster.review.handed_in.judgements import DECISIONS, FIELDS, REASONS
from bioinstruct_dagster.seeds.tasks import CATEGORIES

# As JSON escapes: a text can't close the script element, and no old parser sees a line end.
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def review_page(items: Sequence[Mapping[str, Any]]) -> str:
    """The page as HTML.

    Args:
        items: in the order of the page; each with id, instruction, input, output, near (None, or
            what and text), verdict (a sentence), judged_by and disputed.
    """
    folder = files("bioinstruct_dagster.review.page")
    parts = {
        name: folder.joinpath(f"review.{name}").read_text("utf-8") for name in ("html", "css", "js")
    }
    data = {
        "items": list(items),
        "categories": list(CATEGORIES),
        "reasons": [{"name": name, "text": text} for name, text in REASONS.items()],
        "decisions": list(DECISIONS),
        "fields": list(FIELDS),
    }
    text = json.dumps(data, ensure_ascii=False)
    for sign, escape in _ESCAPES.items():
        text = text.replace(sign, escape)
    before, _, rest = parts["html"].partition("/*STYLE*/")
    middle, _, rest = rest.partition("/*DATA*/")
    between, _, after = rest.partition("/*SCRIPT*/")
    return f"{before}{parts['css']}{middle}{text}{between}{parts['js']}{after}"
