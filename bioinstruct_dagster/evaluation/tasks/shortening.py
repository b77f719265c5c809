"""Passages that do not fit into the model's context, cut in their middle.

The rule is that of training (models.shortening): as many words as fit are kept, half of them from
either end, and a marker stands where the middle was. Words and numbers stay whole. A passage of
which not even two words fit is left out, if the task shows it beside a question. Nothing else of a
prompt is cut. Belongs here: the longest passages that fit. Does not: which part of a text is kept
(models.shortening), or a prompt's words (evaluation.tasks.prompting).
"""

from collections.abc import Callable, Mapping, Sequence

from bioinstruct_dagster.models.shortening import ShortenedInput

LEAST_PARTS = 2  # words of a shortened passage: one from either end


def shortened_passages(
    passages: Mapping[int, str],
    fitting: Callable[[Sequence[tuple[int, str]]], Sequence[bool]],
    *,
    may_vanish: bool,
) -> dict[int, str]:
    """The longest passages with which the prompts fit; items without one are missing.

    Every candidate is tokenised in its prompt, because the tokens of a text are not the sum of
    those of its parts. All items are tried at once: one call for each halving.

    Args:
        passages: of the items whose prompts are too long, by their numbers.
        fitting: whether the prompts of items fit with these passages, for (number, passage).
        may_vanish: whether a prompt may do without its passage.
    """
    inputs = {number: ShortenedInput(text) for number, text in passages.items()}
    found: dict[int, str] = {}
    if may_vanish:
        bare = [(number, "") for number in inputs]
        found = {
            number: text for (number, text), fits in zip(bare, fitting(bare), strict=True) if fits
        }
    least = dict.fromkeys(inputs, LEAST_PARTS)
    most = {
        number: one.most if number in found or not may_vanish else 0
        for number, one in inputs.items()
    }
    tried: set[int] = set()
    while trying := [number for number in inputs if least[number] <= most[number]]:
        # The first attempt is the smallest one, so that hopeless items are given up at once.
        parts = {
            number: (least[number] + most[number]) // 2 if number in tried else LEAST_PARTS
            for number in trying
        }
        candidates = [(number, inputs[number].keep(parts[number])) for number in trying]
        for (number, text), fits in zip(candidates, fitting(candidates), strict=True):
            tried.add(number)
            if fits:
                found[number] = text
                least[number] = parts[number] + 1
            else:
                most[number] = parts[number] - 1
    return found
