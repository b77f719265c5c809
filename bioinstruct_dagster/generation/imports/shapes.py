"""The shape of values that are no text: what they are called, and what the file must hold instead.

Published sets hold lists of texts, lists of objects, or one message of a tree in each row. No
mapping of columns can read these. Belongs here: naming such a shape. Does not: lists of messages
(chats), or values that are text (cells).
"""

from collections.abc import Mapping
from typing import Any

ROW_FORM = (
    'Write each row as {"instruction": "…", "input": "…", "output": "…"}, or as {"messages": '
    '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}.'
)
TREE = (
    "Each row is one message of a tree (its parent is in another row), which can't be imported: "
    "join each question with one answer first."
)
_SHOWN_KEYS = 4
_PAIR = 2
_TREE_COLUMNS = ({"message_id", "parent_id", "text", "role"}, {"id", "parent_id", "role"})


def shape_of(value: Any) -> str:
    """What a value holds if it is a list or an object, such as "a list of texts"; else nothing."""
    if isinstance(value, Mapping):
        return _object(value)
    if not isinstance(value, list | tuple):
        return ""
    first = next((one for one in value if one is not None), None)
    if isinstance(first, str):
        return "a list of texts"
    if isinstance(first, list | tuple):
        return "a list of lists"
    return f"a list with {_object(first)}" if isinstance(first, Mapping) else "a list"


def is_history(value: Any) -> bool:
    """Whether a value holds earlier turns of a chat as pairs: `[["question", "answer"]]`."""
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(
            isinstance(pair, list | tuple)
            and len(pair) == _PAIR
            and all(isinstance(text, str) for text in pair)
            for pair in value
        )
    )


def is_tree(columns: Mapping[str, Any]) -> bool:
    """Whether the columns are those of a set with one message in each row."""
    return any(names <= columns.keys() for names in _TREE_COLUMNS)


def _object(value: Mapping[str, Any]) -> str:
    keys = ", ".join(repr(key) for key in [*value][:_SHOWN_KEYS])
    return f"an object with {keys}" + ", …" * (len(value) > _SHOWN_KEYS) if keys else "an object"
