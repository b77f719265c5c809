"""Whether the store can hold a text, decided without opening the store.

Seeds, replies and imported rows are checked by this rule before they reach the store. Belongs here:
the rule on characters. Does not: anything that opens the store (store.database).
"""

import re
from typing import Any

_UNSTORABLE_CHARACTERS = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether the text holds no NUL and no lone surrogate. DuckDB stores neither of them."""
    return _UNSTORABLE_CHARACTERS.search(text) is None


def storable(text: str) -> str:
    """The text with a question mark for each character that DuckDB does not store."""
    return _UNSTORABLE_CHARACTERS.sub("?", text)


def storable_value(value: Any) -> Any:
    """The value with every text in it storable, also inside lists and dicts."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable_value(key): storable_value(part) for key, part in value.items()}
    if isinstance(value, list):
        return [storable_value(part) for part in value]
    return value
