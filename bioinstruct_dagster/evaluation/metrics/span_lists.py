"""The spans that a generated answer lists: lines, bullets, tables, or JSON.

Belongs here: reading. Does not: comparing spans with the right ones (evaluation.metrics.spans).
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from bioinstruct_dagster.evaluation.metrics.reading import plain_text

Span = tuple[str, str]  # label, text

_BULLET = re.compile(r"^\s*(?:[-•–·]|\(?\d{1,2}[.)])\s+")
_FENCE = re.compile(r"```\w*")
_EMPTY = re.compile(
    r"(?:(?:answer|output|list)\s*:\s*)?(?:none|n/a|nothing|no|null|nil|not (?:mentioned|stated)"
    r"|(?:there (?:is|are) )?(?:no|none)\b[\w ,]{0,60}|\[\s*\]|\{\s*\})[.!]?",
    re.IGNORECASE,
)
_PREFACE_LINE = re.compile(
    r".*(?:\bhere (?:is|are)\b|\blist\b|\bfollowing\b).*:\s*$", re.IGNORECASE
)
_ANSWER = re.compile(r"^\s*(?:answer|output)\s*:\s*", re.IGNORECASE)
_RULE = re.compile(r"[\s|:=-]*")
_QUOTES = " \t\"'“”‘’.,;"
_TEXT_KEYS = ("text", "span", "medication", "drug", "entity", "value", "name", "mention")
_LABEL_KEYS = ("label", "type", "status", "class", "category")
_LONGEST = 25  # words of a span without classes; a longer line is a sentence


def read_spans(answer: str, labels: Sequence[str]) -> tuple[Span, ...] | None:
    """The spans of an answer; None if it is not a list of spans.

    Read are lines `label: text` and `text | label` with or without bullets, numbers or table rules,
    and JSON: objects with a text and a label, pairs, or lists of texts by label. Several texts of
    a label may stand in one line, separated by semicolons or, if there are several labels, by
    commas. `None` is an empty list. If the task has
    one label, lines and texts need none.

    A list with lines that are no span is read as far as it goes; an answer without any span is
    not.

    Args:
        answer: what the model wrote.
        labels: of the task.
    """
    known = {_plain(label): label for label in labels}
    only = labels[0] if len(labels) == 1 else None
    whole = _FENCE.sub("", answer).strip()
    if whole[:1] in {"[", "{"} and (found := _from_json(whole, known, only)) is not None:
        return found
    text = plain_text(whole)
    if not text:
        return None
    if _EMPTY.fullmatch(text) or _EMPTY.fullmatch(text.split("\n", 1)[0].strip()):
        return ()
    spans: list[Span] = []
    heading: str | None = None
    for raw in text.splitlines():
        line = _BULLET.sub("", _ANSWER.sub("", raw)).strip()
        if not line or _RULE.fullmatch(line):
            continue
        if (label := known.get(_plain(line))) and len(known) > 1:
            heading = label  # `Drug:` alone; its spans follow
            continue
        if only is None and _PREFACE_LINE.fullmatch(line):
            continue
        spans += _from_line(line, known, only, heading)
    if not spans and not all(
        _is_empty_line(line, known) for line in text.splitlines() if line.strip()
    ):
        return None
    return tuple(dict.fromkeys(spans))


def _is_empty_line(line: str, known: dict[str, str]) -> bool:
    """Whether a line says that there is no span of a label: `Dosage: none`."""
    label, colon, rest = _BULLET.sub("", line).partition(":")
    return bool(colon) and _plain(label) in known and bool(_EMPTY.fullmatch(rest.strip()))


def _from_line(
    line: str, known: dict[str, str], only: str | None, heading: str | None
) -> Iterable[Span]:
    """The spans of one line."""
    if "|" in line:
        return _from_cells([cell.strip() for cell in line.strip("| ").split("|")], known, only)
    before, colon, after = line.partition(":")
    if colon and (label := known.get(_plain(before))):
        return _spans(label, _parts(after, known))
    dashed = re.fullmatch(r"([\w /]+?)\s+[-–—]\s+(.+)", line)
    if dashed and (label := known.get(_plain(dashed[1]))):
        return _spans(label, _parts(dashed[2], known))
    bracket = re.fullmatch(r"(.+?)\s*[(\[–-]\s*([\w /]+?)[)\]]?", line)
    if bracket and (label := known.get(_plain(bracket[2]))) and len(known) > 1:
        return _spans(label, [bracket[1]])
    if heading or only:
        parts = _parts(line, known)
        if all(len(part.split()) <= _LONGEST for part in parts):
            return _spans(heading or only, parts)
    return ()


def _from_cells(cells: Sequence[str], known: dict[str, str], only: str | None) -> Iterable[Span]:
    """The span of a line `text | label`, or of a row of a table."""
    labelled = [place for place, cell in enumerate(cells) if _plain(cell) in known]
    if labelled and len(cells) > 1:
        others = [cell for place, cell in enumerate(cells) if place != labelled[0]]
        return _spans(known[_plain(cells[labelled[0]])], others[:1])
    return _spans(only, cells[:1]) if only else ()


def _parts(texts: str, known: dict[str, str]) -> list[str]:
    """The texts of one line. A comma parts them in tasks with classes, where spans are names."""
    return re.split(r";|,\s+", texts) if len(known) > 1 else texts.split(";")


def _spans(label: str | None, texts: Iterable[str]) -> list[Span]:
    stripped = (text.strip(_QUOTES) for text in texts)
    return [(label, text) for text in stripped if label and text and not _EMPTY.fullmatch(text)]


def _from_json(text: str, known: dict[str, str], only: str | None) -> tuple[Span, ...] | None:
    """The spans of JSON; None if it is none, or holds something else. Text after it is ignored."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if value in ([], {}):
        return ()
    try:
        spans = list(_of_json(value, known, only))
    except RecursionError:
        return None
    return tuple(dict.fromkeys(spans)) if spans or _holds_nothing(value) else None


def _holds_nothing(value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else [value]
    return all(each in ([], {}, "", None) for each in values)


def _of_json(value: Any, known: dict[str, str], only: str | None) -> Iterable[Span]:
    if isinstance(value, str):
        return _spans(only, [value])
    if isinstance(value, dict):
        return _of_object({_plain(str(key)): each for key, each in value.items()}, known, only)
    if not isinstance(value, list):
        return ()
    match value:
        case [str() as text, str() as label] if _plain(label) in known:
            return _spans(known[_plain(label)], [text])
        case [str() as label, str() as text] if _plain(label) in known:
            return _spans(known[_plain(label)], [text])
    return [span for each in value for span in _of_json(each, known, only)]


def _of_object(values: dict[str, Any], known: dict[str, str], only: str | None) -> Iterable[Span]:
    label = next((values[key] for key in _LABEL_KEYS if isinstance(values.get(key), str)), only)
    text = next((values[key] for key in _TEXT_KEYS if isinstance(values.get(key), str)), None)
    if text is not None and label is not None and _plain(label) in known:
        return _spans(known[_plain(label)], [text])
    spans: list[Span] = []
    for key, each in values.items():
        if key in known:
            texts = each if isinstance(each, list) else [each]
            spans += _spans(known[key], [one for one in texts if isinstance(one, str)])
        elif isinstance(each, str) and _plain(each) in known and len(known) > 1:
            spans += _spans(known[_plain(each)], [key])  # {"aspirin": "active"}
        elif isinstance(each, list | dict):
            spans += _of_json(each, known, only)
    return spans


def _plain(label: str) -> str:
    """A label without case, marks and plural of `medications`: how models write it."""
    return re.sub(r"[\s_]+", " ", label.casefold()).strip(" \"'*:.()[]")
