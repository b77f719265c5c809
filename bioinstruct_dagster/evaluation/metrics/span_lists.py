"""The spans that a generated answer lists: lines, bullets, tables, or JSON.

Belongs here: reading. Does not: comparing spans with the right ones (evaluation.metrics.spans).
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.eval_sets.scoring import plain_label
from bioinstruct_dagster.evaluation.metrics.option_texts import words_of
from bioinstruct_dagster.evaluation.metrics.reading import plain_text

Span = tuple[str, str]  # label, text

_BULLET = re.compile(r"^\s*(?:[-•–·*]|\(?\d{1,2}[.)])\s+")
_FENCE = re.compile(r"```\w*")
_SAID = (
    r"(?:mentioned|stated|specified|given|known|available|applicable|reported|provided|found|listed"
    r"|described|present|documented|identified|noted)(?: (?:in|by) (?:the )?\w+)?"
)
_EMPTY = re.compile(
    r"(?:(?:answer|output|list)\s*:\s*)?(?:none|n/?a|nothing|no|null|nil|[-–—]+|unknown|unspecified"
    rf"|not {_SAID}|(?:there (?:is|are|was|were) )(?:no|none|nothing)\b[\w ,]{{0,60}}"
    rf"|(?:no|none|nothing)(?: \w+){{0,4}} {_SAID}"
    r"|no (?:medication|drug|treatment|span|mention|antecedent|referent|answer)s?"
    r"|\[\s*\]|\{\s*\})[.!]?",
    re.IGNORECASE,
)
_PREFACE_LINE = re.compile(
    r".*(?:\bhere (?:is|are)\b|\blist\b|\bfollowing\b).*:\s*$", re.IGNORECASE
)
_ANSWER = re.compile(r"^\s*(?:answer|output)\s*:\s*", re.IGNORECASE)
# A model that does not stop goes on with the next item of its own.
_NEXT_ITEM = re.compile(r"\n\s*(?:text|note|passage|snippet|pronoun|expression)\s*:", re.IGNORECASE)
_ELEMENT = re.compile(r"<(\w+)>([^<>]*)</\1>")
_RULE = re.compile(r"[\s|:=-]*")
# A comma before these goes on with the same text: `three weeks, then stopped`.
_PART = re.compile(r"(;|,\s+(?!(?:and )?(?:then|but|which|who|followed|until|if|as)\b))")
_QUOTES = " \t\"'“”‘’.,;"
_TEXT_KEYS = ("text", "span", "medication", "drug", "entity", "value", "name", "mention")
_LABEL_KEYS = ("label", "type", "status", "class", "category")
_LONGEST = 25  # words of a span without classes; a longer line is a sentence
_MOST_PIECES = 15  # commas of a right span, and the texts between them
_LEAST_STEM = 4  # letters of a label that stand for a longer word: `Freq` for `Frequency`


def read_spans(
    answer: str, labels: Sequence[str], right: Sequence[Span] = ()
) -> tuple[Span, ...] | None:
    """The spans of an answer; None if it is not a list of spans.

    Read are lines `label: text` and `text | label` with or without bullets, numbers or table rules,
    tables with a column for each label, and JSON: objects with a text and a label, pairs, or lists
    of texts by label. Several texts of a label may stand in one line, separated by semicolons or,
    if there are several labels, by commas. So may several labels with their texts. `None` is an
    empty list, and an empty value such as `Dosage: unknown` no span. If the task has one label,
    lines and texts need none.

    A list with lines that are no span is read as far as it goes; an answer without any span is
    not.

    Args:
        answer: what the model wrote.
        labels: of the task.
        right: the right spans of the item. A text that is one of them is read as it stands: it is
            not parted at a comma, and `no one` is not an empty list.
    """
    known = _Known(labels, right)
    whole = _FENCE.sub("", answer).strip()
    if whole[:1] in {"[", "{"} and (found := _from_json(whole, known)) is not None:
        return found
    text = _ELEMENT.sub(
        lambda tag: f"\n{tag[1]}: {tag[2]}\n" if known.label(tag[1]) else tag[0], whole
    ).strip()
    if known.only and known.is_right(known.only, text):
        return ((known.only, text.strip(_QUOTES)),)
    if later := _NEXT_ITEM.search(text):
        text = text[: later.start()]
    text = plain_text(text)
    if not text:
        return None
    if known.is_empty(text) or known.is_empty(text.split("\n", 1)[0].strip()):
        return ()
    spans = list(_from_lines(text.splitlines(), known))
    if not spans and not all(
        _is_empty_line(line, known) for line in text.splitlines() if line.strip()
    ):
        return None
    return tuple(dict.fromkeys(spans))


class _Known:
    """The labels of a task in the forms that models write, and the right spans of an item."""

    def __init__(self, labels: Sequence[str], right: Sequence[Span]) -> None:
        self._labels = {plain_label(label): label for label in labels}
        self._right = {(label, tuple(words_of(text))) for label, text in right}
        self.only = labels[0] if len(labels) == 1 else None
        self.several = len(labels) > 1

    def label(self, text: str) -> str | None:
        """The label that a text names: also by its plural (drugs), or by the word it shortens."""
        plain = plain_label(text)
        if plain in self._labels:
            return self._labels[plain]
        if plain.endswith("s") and plain[:-1] in self._labels:
            return self._labels[plain[:-1]]
        stems = [
            each for each in self._labels if len(each) >= _LEAST_STEM and plain.startswith(each)
        ]
        return self._labels[stems[0]] if len(stems) == 1 and plain.isalpha() else None

    def is_right(self, label: str | None, text: str) -> bool:
        return (label, tuple(words_of(text))) in self._right

    def is_empty(self, text: str, label: str | None = None) -> bool:
        """Whether a text says that there is no span. A right span does not."""
        return bool(_EMPTY.fullmatch(text)) and not self.is_right(label or self.only, text)


def _is_empty_line(line: str, known: _Known) -> bool:
    """Whether a line says that there is no span of a label: `Dosage: none`."""
    stated = list(_stated(_BULLET.sub("", line), known))
    return bool(stated) and all(known.is_empty(text.strip(), label) for label, text in stated)


def _from_lines(lines: Iterable[str], known: _Known) -> Iterator[Span]:
    heading: str | None = None
    columns: list[str | None] = []
    for raw in lines:
        line = _ANSWER.sub("", raw).strip()
        if not line or _RULE.fullmatch(line):
            continue
        if not known.is_right(known.only or heading, line):
            line = _BULLET.sub("", line).strip()
        if (label := known.label(line)) and known.several:
            heading = label  # `Drug:` alone; its spans follow
            continue
        if known.only is None and _PREFACE_LINE.fullmatch(line):
            continue
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        named = [known.label(cell) for cell in cells]
        if len(cells) > 1 and len(set(named) - {None}) > 1:
            columns = named
        elif columns and len(cells) == len(columns):
            for of_column, cell in zip(columns, cells, strict=True):
                yield from _spans(of_column, _parts(cell, of_column, known), known)
        else:
            columns = []
            yield from _from_line(line, cells, known, heading)


def _from_line(
    line: str, cells: Sequence[str], known: _Known, heading: str | None
) -> Iterator[Span]:
    """The spans of one line."""
    if stated := list(_stated(line, known)):
        for label, text in stated:
            yield from _spans(label, _parts(text, label, known), known)
        return
    if len(cells) > 1 and not known.is_right(known.only, line):
        labelled = [place for place, cell in enumerate(cells) if known.label(cell)]
        if labelled:  # `text | label`
            others = [cell for place, cell in enumerate(cells) if place != labelled[0]]
            yield from _spans(known.label(cells[labelled[0]]), others[:1], known)
            return
        if line.startswith("|") or not known.only:
            yield from _spans(known.only, cells[:1], known)
            return
    bracket = re.fullmatch(r"(.+?)\s*[(\[–-]\s*([\w /]+?)[)\]]?", line)
    if bracket and known.several and (in_bracket := known.label(bracket[2])):
        yield from _spans(in_bracket, [bracket[1]], known)
    elif heading or known.only:
        parts = _parts(line, heading or known.only, known)
        if all(len(part.split()) <= _LONGEST for part in parts):
            yield from _spans(heading or known.only, parts, known)


def _stated(line: str, known: _Known) -> Iterator[tuple[str, str]]:
    """The labels of a line with the texts behind them: `Drug: aspirin, Route: oral` has two."""
    dashed = re.match(r"([\w /]+?)\s+[-–—]\s+", line)
    found = [
        (label, match.start(), match.end())
        for match in re.finditer(r"(?:^|[|;,])\s*([^\W\d_][\w ]*?)\s*[:=]", line)
        if (label := known.label(match[1]))
    ]
    if dashed and (label := known.label(dashed[1])):
        found.insert(0, (label, 0, dashed.end()))
    if not found or found[0][1] > 0:
        return
    ends = [start for _, start, _ in found[1:]] + [len(line)]
    for (label, _, start), end in zip(found, ends, strict=True):
        yield label, line[start:end]


def _parts(texts: str, label: str | None, known: _Known) -> list[str]:
    """The texts of one line. A comma parts them in tasks with classes, where spans are names."""
    pieces = _PART.split(texts) if known.several else re.split("(;)", texts)
    found = []
    start = 0
    while start < len(pieces):
        ends = range(
            min(len(pieces), start + _MOST_PIECES), start + 1, -2
        )  # the longest right span that begins here
        end = next(
            (one for one in ends if known.is_right(label, "".join(pieces[start:one]))), start + 1
        )
        found.append("".join(pieces[start:end]))
        start = end + 1
    return found


def _spans(label: str | None, texts: Collection[str], known: _Known) -> list[Span]:
    stripped = (text.strip(_QUOTES) for text in texts)
    return [
        (label, text) for text in stripped if label and text and not known.is_empty(text, label)
    ]


def _from_json(text: str, known: _Known) -> tuple[Span, ...] | None:
    """The spans of JSON; None if it is none, or holds something else. Text after it is ignored."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    if value in ([], {}):
        return ()
    try:
        spans = list(_of_json(value, known, known.only))
    except RecursionError:
        return None
    return tuple(dict.fromkeys(spans)) if spans or _holds_nothing(value) else None


def _holds_nothing(value: Any) -> bool:
    values = value.values() if isinstance(value, dict) else [value]
    return all(each in ([], {}, "", None) for each in values)


def _of_json(value: Any, known: _Known, label: str | None) -> Iterable[Span]:
    """The spans of a value. `label`: of texts that have none of their own."""
    if isinstance(value, str):
        return _spans(label, [value], known)
    if isinstance(value, dict):
        return _of_object(
            {plain_label(str(key)): each for key, each in value.items()}, known, label
        )
    if not isinstance(value, list):
        return ()
    match value:
        case [str() as text, str() as last] if named := known.label(last):
            return _spans(named, [text], known)
        case [str() as first, str() as text] if named := known.label(first):
            return _spans(named, [text], known)
    return [span for each in value for span in _of_json(each, known, label)]


def _of_object(values: Mapping[str, Any], known: _Known, label: str | None) -> Iterable[Span]:
    stated = next((values[key] for key in _LABEL_KEYS if isinstance(values.get(key), str)), None)
    of_text = known.label(stated) if stated is not None else label
    key_of_text = next((key for key in _TEXT_KEYS if isinstance(values.get(key), str)), None)
    spans: list[Span] = []
    if key_of_text is not None and of_text is not None:
        spans += _spans(of_text, [values[key_of_text]], known)
    for key, each in values.items():
        if spans and key in {key_of_text, *_LABEL_KEYS}:
            continue
        if named := known.label(key):
            spans += _of_json(each, known, named)
        elif isinstance(each, str) and known.several and (named := known.label(each)):
            spans += _spans(named, [key], known)  # {"aspirin": "active"}
        elif isinstance(each, list | dict):
            spans += _of_json(each, known, known.only)
    return spans
