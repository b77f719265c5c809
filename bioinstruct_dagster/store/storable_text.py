"""Which texts the store can hold, told without opening it.

Belongs here: the one rule on characters. Does not: anything that imports DuckDB (store.database);
seeds, replies and imported rows are checked by this rule before there is a store.
"""

import re

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether the store can hold the text: DuckDB keeps UTF-8, so no NUL and no lone surrogate."""
    return _UNSTORABLE.search(text) is None
