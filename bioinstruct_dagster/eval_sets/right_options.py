"""The options of a row, and which of them is right.

Belongs here: options by letter, and the right one by letter, place, label or text. Does not: right
spans (right_spans), or the other fields of an item (item_fields).
"""

from collections.abc import Mapping

from bioinstruct_dagster.eval_sets.field_paths import PathError
from bioinstruct_dagster.eval_sets.item import EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.plain_values import is_nothing, places_of, whole_number, word_of
from bioinstruct_dagster.eval_sets.row_fields import Row, field_texts, field_values, present_at
from bioinstruct_dagster.eval_sets.scoring import LETTERS, ChoiceScoring
from bioinstruct_dagster.eval_sets.task import ChoiceField, EvaluationTask, ItemFields


def options_by_letter(fields: ItemFields, row: Row) -> dict[str, str]:
    """The choices by letter; an object keeps its own letters.

    Raises:
        PathError: the field is missing, or an option is not text.
    """
    if fields.options is None:
        return {}
    if isinstance(fields.options, tuple):
        texts = ["\n".join(field_texts(row, path)) for path in fields.options]
    else:
        found = field_values(row, fields.options)
        if len(found) == 1 and isinstance(found[0], Mapping):
            lettered = {str(key): value for key, value in found[0].items() if value is not None}
            if not all(isinstance(value, str) for value in lettered.values()):
                raise PathError(f"field {fields.options}: an option is not text")
            return lettered
        elements = found[0] if len(found) == 1 and isinstance(found[0], list) else found
        if not all(isinstance(value, str) for value in elements):
            raise PathError(f"field {fields.options}: an option is not text")
        texts = list(elements)
    return {chr(ord("A") + place): text for place, text in enumerate(texts)}


def chosen_place(choice: ChoiceField, row: Row, letters: list[str]) -> int | None:
    """The place of the option that a row picks; None for splits with unpublished answers.

    Args:
        choice: the field with a letter or a place.
        row: of the file.
        letters: of the options, in their order.

    Raises:
        PathError: the field is missing, or names no option.
    """
    path = choice.letter or choice.index or ""
    found = next(iter(field_values(row, path)), None)
    if is_nothing(found):
        return None
    if choice.letter:
        if not isinstance(found, str) or found not in letters:
            raise PathError(f"field {path}: is {found!r}, not one of {', '.join(letters)}")
        return letters.index(found)
    last = choice.first + len(letters) - 1
    place = whole_number(found)
    if place is None or not choice.first <= place <= last:
        raise PathError(
            f"field {path}: is {found!r}, not a whole number from {choice.first} to {last}"
        )
    return place - choice.first


def right_place(
    task: EvaluationTask, fields: ItemFields, item: EvaluationItem, row: Row
) -> int | None:
    """The place of the right option; None if it is not published.

    Raises:
        PathError: the options can't be asked, the answer fits none or several of them, or an
            answer in words is another option; the message names the field.
    """
    options = options_of(task, item)
    name = fields.options if isinstance(fields.options, str) else "options"
    if not 2 <= len(options) <= len(LETTERS):  # noqa: PLR2004  # a choice
        raise PathError(f"field {name}: has {len(options)} options, not 2 to {len(LETTERS)}")
    if blank := next((at for at, text in enumerate(options, 1) if not text.strip()), 0):
        raise PathError(f"field {name}: option {blank} is empty")
    right = fields.right_option
    if isinstance(right, ChoiceField):
        gold = chosen_place(right, row, list(options_by_letter(fields, row)))
    else:
        gold = _named(task, options, str(right), row)
    if gold is not None and isinstance(fields.answer, str) and item.options:
        stated = item.answers[:1]
        if stated and stated[0] in options and stated[0] != options[gold]:
            raise PathError(
                f"field {fields.answer}: is {stated[0]!r}, but `gold` picks {options[gold]!r}"
            )
    return gold


def _named(task: EvaluationTask, options: tuple[str, ...], path: str, row: Row) -> int | None:
    """The place of the option that a row names by a label or by its text.

    Case counts only if the options differ in nothing else.
    """
    found = present_at(row, path)
    if not found:
        return None
    labels = task.scoring.labels if isinstance(task.scoring, ChoiceScoring) else {}
    known = list(labels) or list(options)
    shown = found[0] if len(found) == 1 else found
    places = places_of(word_of(found[0]), known) if len(found) == 1 else []
    if len(places) > 1:
        fits = ", ".join(f"{known[place]!r} (option {place + 1})" for place in places)
        raise PathError(
            f"field {path}: {shown!r} is more than one option: {fits}. Give its letter or place"
        )
    if not places:
        raise PathError(f"field {path}: is {shown!r}, not one of {', '.join(known)}")
    return places[0]
