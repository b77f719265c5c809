"""Names that the words right before them announce: "his wife", "Attending:", "I'm", "Dear".

Each word in capitals is looked at once: the last word before it says which lists can announce it,
which is far quicker than to try every list on the whole text. Belongs here: this search, and which
form of a name each list announces. Does not: names by what follows them or by a title (patterns,
persons). The words are in `words/names.yaml`.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.names.announcers import (
    FORMS,
    LABEL_FORMS,
    OF_NAMED_RELATIVE,
    OF_RELATIVE,
    OF_SOME_RELATIVE,
    Form,
)
from bioinstruct_dagster.curation.privacy.names.forms import UPPER, is_known
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, last_words

_Table = dict[str, list[tuple[str, str]]]


def _by_last_word(lists: dict[str, tuple[Form, ...]]) -> _Table:
    """The entries of the lists, and the list of each, by the last word of the entry."""
    table: _Table = {}
    for name in lists:
        for entry in NAMES(name):
            table.setdefault(entry.lower().split()[-1], []).append((entry.lower(), name))
    return table


_TABLE, _LABEL_TABLE = _by_last_word(FORMS), _by_last_word(LABEL_FORMS)
_BEFORE = 56  # characters that hold the longest entry and what may follow it
# What may stand between the words of a list and the name.
_OPENING, _LABEL_SIGNS = " \t\n(*_\"“'", ":=|"
_SHORTEST = 6  # characters before a name that hold an announcement
# A capital after one of these signs; to look behind it is faster than to read its word.
_CAPITALIZED = re.compile(rf"[{UPPER}](?<=[{re.escape(_OPENING + _LABEL_SIGNS)}].)")
_ABBREVIATION = re.compile(r"\b(?:dr|pt|mr|mrs|ms|attn)\.$")
# Lists whose names stand in brackets or between commas alone, and lists whose names never do.
_ONE_WAY = frozenset(("persons", "staff", "doubtful_name_announcers", "patient_words", "callings"))
_IS_NAMED = re.compile(r"(?:['’]s name)?(?: is| named| called)?$")
_NAMED_ENDINGS = ("'s name", "’s name", " is", " named", " called")  # of what _IS_NAMED finds
_LAST_WORDS = frozenset(_TABLE).union(ending.split()[-1] for ending in _NAMED_ENDINGS)
# The word right before the capital of an announced name.
_ANNOUNCING = trigger(last_words(_LAST_WORDS, _LABEL_TABLE))
_POSSESSORS = ("his", "her", "my", "their", "'s", "’s")
_SOMEBODYS = ("the", "this", "that", "a", "an")


def announced_names(text: ScannedText, *, spoken: bool) -> Iterator[tuple[int, int, float]]:
    """Names after the words that announce them: start, end and score.

    Args:
        text: the text.
        spoken: whether it is a conversation, in which "Patient:" announces what is said.
    """
    if not text.marks.before_capital & _ANNOUNCING:
        return
    raw = text.raw
    for capitalized in _CAPITALIZED.finditer(raw):
        start = capitalized.start()
        if start < _SHORTEST:
            continue
        # At the beginning of a sentence, nothing announces a name.
        last = raw[start - 2]
        if last in "!?;" or (last == "." and raw[start - 6 : start - 2].isalpha()):
            continue
        tail = raw[max(0, start - _BEFORE) : start].lower()
        core = tail.rstrip(_OPENING)
        if not core:
            continue
        if core[-1] in _LABEL_SIGNS:
            if "\n" in tail[len(core) :]:
                continue
            for forms in _entries(_LABEL_TABLE, LABEL_FORMS, core[:-1].rstrip(" *_)")):
                yield from _names(raw, start, forms, known=spoken)
        elif _last_word(core.rstrip(",").removesuffix(".")) in _LAST_WORDS:
            yield from _unlabelled(raw, start, core, tail[len(core) :])


def _unlabelled(raw: str, start: int, core: str, gap: str) -> Iterator[tuple[int, int, float]]:
    pause = core[-1] == ","
    core = core.rstrip(",")
    # "Pt. Weaver" goes on, and so does "Regards.\n"; another full stop ends the sentence.
    if core.endswith(".") and ("\n" in gap or _ABBREVIATION.search(core)):
        core = core[:-1]
    named = _IS_NAMED.search(core) if core.endswith(_NAMED_ENDINGS) else None
    if named:
        for name, entry in _lists(_TABLE, core[: named.start()]):
            if name == "relatives" and "\n" not in gap:
                yield from _names(raw, start, _relative_forms(core, entry, named=True))
    for name, entry in _lists(_TABLE, core):
        if ("\n" in gap and name != "closings") or (
            (pause or "(" in gap) != (name == "persons") and name in _ONE_WAY
        ):
            continue
        named_too = pause or "(" in gap
        forms = (
            _relative_forms(core, entry, named=named_too) if name == "relatives" else FORMS[name]
        )
        yield from _names(raw, start, forms)


def _relative_forms(core: str, entry: str, *, named: bool) -> tuple[Form, ...]:
    """The forms after a relative: "her husband" announces any name, "a friend" only known ones."""
    before = core[: core.rfind(entry)].rstrip()
    if before.endswith(_POSSESSORS):
        return OF_RELATIVE
    if named and not before.endswith(_SOMEBODYS):
        return OF_NAMED_RELATIVE
    return OF_SOME_RELATIVE


def _lists(table: _Table, core: str) -> Iterator[tuple[str, str]]:
    """The lists and their entries that end a text in small letters."""
    for entry, name in table.get(_last_word(core), ()):
        at = len(core) - len(entry)
        if core.endswith(entry) and (at <= 0 or not core[at - 1].isalnum()):
            yield name, entry


def _last_word(core: str) -> str:
    """The last word of a text without the signs before it; empty if the text has no word."""
    words = core.rsplit(None, 1)
    return words[-1].lstrip("(\"'*") if words else ""


def _entries(
    table: _Table, forms: dict[str, tuple[Form, ...]], core: str
) -> Iterator[tuple[Form, ...]]:
    for name, _ in _lists(table, core):
        yield forms[name]


def _names(
    raw: str, start: int, forms: tuple[Form, ...], *, known: bool = False
) -> Iterator[tuple[int, int, float]]:
    """The first form that matches at a place; `known` asks for a known name in any form."""
    for form in forms:
        match = form.pattern.match(raw, start)
        if match and (not (known or form.known) or is_known(match["v"])):
            yield (*match.span("v"), form.score)
            return
