"""The place of an adapter's scores on its card. Training leaves it, and evaluation fills it.

A card is no part of what identifies an adapter (evaluation.tasks.keys), so scores on it change no
stored answer. Belongs here: the place, and putting scores into it. Does not: the rest of the card
(training.card), or the scores (evaluation.exchange).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

BEGIN, END = "<!-- scores:begin -->", "<!-- scores:end -->"
_NOT_SCORED = "The adapter has not been scored yet. The asset `eval_scores` writes its scores here."
_BEFORE = "\n## Origin and licences\n"  # where a card of an earlier version gets its place


def score_place(text: str = _NOT_SCORED) -> str:
    """The section `Scores` with a text in its place."""
    return f"## Scores\n\n{BEGIN}\n{text.strip()}\n{END}\n\n"


def with_scores(card: str, text: str, results: "Sequence[EvalResult]") -> str:
    """The card with its scores: as text in its place, and as `model-index` in its header.

    Scores that it holds already are replaced.

    Args:
        card: the Markdown of the card, with its header.
        text: of the section `Scores`.
        results: for the header; empty for none.
    """
    from huggingface_hub import ModelCard

    parsed = ModelCard(card)
    header: Any = parsed.data
    header.eval_results = list(results) or None
    before, begin, rest = parsed.text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if begin and end:
        parsed.text = f"{before}{BEGIN}\n{text.strip()}\n{END}{after}"
    else:
        before, found, after = parsed.text.partition(_BEFORE)
        if found:
            parsed.text = f"{before}\n{score_place(text)}{found.lstrip()}{after}"
        else:
            parsed.text = f"{before.rstrip()}\n\n{score_place(text)}".rstrip() + "\n"
    return str(parsed)
