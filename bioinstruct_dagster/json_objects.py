"""JSON objects whose keys are distinct.

Python's parser keeps the last of two values with the same key and drops the first without a word.
Belongs here: finding a key that an object repeats. Does not: reading a file of JSON (seeds.tasks,
generation.imports.json_rows), or the keys of a YAML file (yaml_lines).
"""

from typing import Any


class RepeatedKeyError(ValueError):
    """A JSON object has a key twice.

    Attributes:
        key: the first one that the object repeats.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key!r} is given twice in one object; keep one")
        self.key = key


def object_of_distinct_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these pairs. For the JSON parser, as its `object_pairs_hook`.

    Raises:
        RepeatedKeyError: two of the pairs have the same key.
    """
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        raise RepeatedKeyError(next(key for key in keys if keys.count(key) > 1))
    return made
