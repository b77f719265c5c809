"""Whether the store can hold a text, decided without opening the store.

Seeds, replies and imported rows are checked by this rule before they reach the store. Belongs here:
the rule on characters. Does not: anything that opens the store (store.database).
"""

import re

_UNSTORABLE_CHARACTERS = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether the text holds no NUL and no lone surrogate. DuckDB stores neither of them."""
    return _UNSTORABLE_CHARACTERS.search(text) is None
