"""Describes what kind of input a row has, for the category classifier.

Whether the thing to be judged stands in the input shows the kind of task: "Identify the side
effects" of a named drug asks for knowledge, and of a note for extraction. Belongs here: the kinds
of input. Does not: the features of the instruction (phrasing), or learning from both (classifier).
"""

import re
from collections.abc import Iterable

from bioinstruct_dagster.curation.word_lists import word_list

_WORD_WITH_DIGIT = re.compile(r"\d\S*")
# A name or a term; a phrase or a short list; a sentence or two; a short case; a text.
_LENGTHS = (3, 8, 20, 50)  # longest, in words
_LIST_WORDS = 30  # longest list
_LIST_MARKS = 2  # least commas and semicolons of a list
_VALUES = 3  # least words with a digit in a row of values
_READ_CHARACTERS = 1000  # more text than this does not change the kind
_MARKER_WORDS = 4  # longest text that may stand for no input
_PACKAGE = "bioinstruct_dagster.curation.category"


def input_kind(text: str) -> tuple[str, ...]:
    """What an input looks like: none, a question, a list, values, and how long it is.

    Args:
        text: an input; a marker such as "N/A" counts as no input.

    Returns:
        Descriptions such as `input=list`, which the classifier uses as features.
    """
    read = text[:_READ_CHARACTERS]
    words = read.split()
    bare = " ".join(words).lower().strip(" .()-") if len(words) <= _MARKER_WORDS else "text"
    if not bare or bare in word_list(_PACKAGE, "phrasing.yaml", "no_input"):
        return ("input=none",)
    kinds = ["input=some", f"length={sum(len(words) > length for length in _LENGTHS)}"]
    if text.rstrip().endswith("?"):
        kinds.append("input=question")
    numbers = len(_WORD_WITH_DIGIT.findall(read))
    if numbers:
        kinds.append("input=number")
    if numbers >= _VALUES:
        kinds.append("input=values")
    if len(words) <= _LIST_WORDS and read.count(",") + read.count(";") >= _LIST_MARKS:
        kinds.append("input=list")
    return tuple(kinds)


def input_features(kind: tuple[str, ...], phrased: list[str]) -> list[str]:
    """The features that an input adds to those of its instruction (`phrasing.features`).

    The same input means another task for "identify" than for "explain", so that each description is
    a feature of its own and one with the first word.
    """
    first = phrased[0]
    return [*kind, *(f"{first} {one}" for one in kind)]


def commonest_kinds(tasks: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """For each instruction, the kind that most of its inputs have; of equals, the first.

    All rows of one instruction get one category, so one kind speaks for all of them.

    Args:
        tasks: (instruction, input) pairs; an instruction may have many inputs.
    """
    counts: dict[str, dict[tuple[str, ...], int]] = {}
    for instruction, text in tasks:
        of_instruction = counts.setdefault(instruction, {})
        kind = input_kind(text)
        of_instruction[kind] = of_instruction.get(kind, 0) + 1
    return {text: max(found, key=found.__getitem__) for text, found in counts.items()}
