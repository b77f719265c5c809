"""Finds lists that begin again: a cycle of items, or one item behind each number.

Belongs here: repetition of items, which are each too short or too rare to be a loop. Does not:
sentences, phrases and characters that follow themselves (loops).
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import eq

LEAST_PERIOD = 3  # "in, out, in, out" is a rhythm
MOST_PERIOD = 12
CYCLES = 4
LONG_PERIOD = 4
CYCLES_OF_PHRASES = 3  # if most items have several words, or the cycle is long
LEAST_PERIODIC_SHARE = 0.8  # of the items, which equal the item one cycle later
ITEM_BREAK = re.compile(r"[,;]\s+|\s*\n\s*")
LEAD_IN = re.compile(r"^[^:]{1,80}:\s+")
NUMBER = re.compile(r"(?:^|\s)(\d{1,3})[.)](?=\s|$)")
LEAST_NUMBERS = 8  # in order, each beside the same text
LEAST_NUMBERED_WORDS = 3
LEAST_NUMBERED_SHARE = 0.75

IsValue = Callable[[str], bool]


def cycle_of(items: Sequence[str], is_value: IsValue) -> tuple[str, int] | None:
    """The items of a list that begins again and again, and how often it does.

    Args:
        items: in small letters, without counters.
        is_value: whether an item is a result or a label that the task names. A list of nothing
            else may repeat.
    """
    for period in range(LEAST_PERIOD, min(MOST_PERIOD, len(items) // CYCLES_OF_PHRASES) + 1):
        same = sum(map(eq, items, items[period:]))
        if same < 2 * period or same < LEAST_PERIODIC_SHARE * (len(items) - period):
            continue
        cycle = items[-period:]
        if len(set(cycle)) < LEAST_PERIOD or any(map(str.isdigit, "".join(cycle))):
            continue
        phrases = sum(" " in item for item in cycle)
        least = CYCLES_OF_PHRASES if 2 * phrases >= period or period >= LONG_PERIOD else CYCLES
        # The last item of a text may lack a comma or have a period.
        if same + 1 >= (least - 1) * period and not all(map(is_value, cycle)):
            return ", ".join(cycle), (same + 1) // period + 1
    return None


def items_of(text: str) -> list[str]:
    """The items of a list that is written in one line, in small letters."""
    items = ITEM_BREAK.split(text.lower())
    items[0] = LEAD_IN.sub("", items[0])
    return [item.strip(" .!*-•") for item in items if item.strip()]


def numbered_of(text: str, is_value: IsValue) -> tuple[str, int] | None:
    """A text that stands beside each number of a count, and how often it does."""
    pieces = NUMBER.split(text.lower())
    numbers, texts = list(map(int, pieces[1::2])), [one.strip(" \n.,;:*-") for one in pieces[2::2]]
    if len(numbers) < LEAST_NUMBERS:
        return None
    in_order = sum(later == earlier + 1 for earlier, later in pairwise(numbers))
    (one, times) = Counter(texts).most_common(1)[0]
    if (
        in_order >= LEAST_NUMBERS - 1
        and times >= max(LEAST_NUMBERS, LEAST_NUMBERED_SHARE * len(texts)) - 1
        and len(one.split()) >= LEAST_NUMBERED_WORDS
        and not is_value(one)
    ):
        return one, times
    return None
