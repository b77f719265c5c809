"""Names that no list holds, in places where a light context announces a person.

Belongs here: words before any name, what only persons have or do, and initials before a family
name. Does not: known names, titles or labels (names). The words are in `words/noted.yaml`. Every
repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.names.forms import (
    FAMILY_NAMES,
    LOWER,
    NON_NAME_WORDS,
    UPPER,
    WORD,
)
from bioinstruct_dagster.curation.privacy.names.not_persons import is_no_person
from bioinstruct_dagster.curation.privacy.noted.capitals import (
    BEFORE_NAME,
    LABEL_WORDS,
    NAME_WORDS,
    capitals_of,
)
from bioinstruct_dagster.curation.privacy.noted.persons import ONE_PERSON
from bioinstruct_dagster.curation.privacy.noted.towns import NOT_TOWNS
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NAMES,
    NOTED,
    all_words,
    any_of,
    any_start_of,
    cues,
    places_of,
)

# "Park Jong-su": a small letter after a hyphen.
_PART = rf"(?:{WORD}-[{LOWER}]{{2,8}}|{WORD})"
_NAME = rf"{_PART}(?: (?:[A-Z]\.? )?{_PART}){{0,2}}"
_ENDS = r"(?=[.,;:!?)\n]|['’]s\b|$| [a-z(])"
_HERE = re.compile(rf"(?P<v>{_NAME}){_ENDS}")
_ANNOUNCER = re.compile(
    rf"(?<![\w-])(?:{any_start_of(NOTED('before_any_name'))},?|(?i:{any_of(LABEL_WORDS)}):)\s$"
)
_OWNED = re.compile(rf" (?:[a-z]{{3,10}} )?(?:{any_of(NOTED('owned_by_persons'))})\b")
# It ends right before what is owned, or before the verb.
_BEFORE_HERE = re.compile(rf"(?<![\w'’-])(?P<v>{_NAME})$")
_DOING = re.compile(rf" (?:{any_of(NOTED('done_by_persons'))})\b")
_SAYS = re.compile(rf"(?P<v>{_NAME}) {any_of(NOTED('words_of_saying'))}\b")
_INITIALS = re.compile(
    rf"(?:^|\n|\b(?:by|with|from|to|and|for|of|saw|[Ss]igned|[Ss]igned\sby|cc|[Rr]egards|[Ss]incerely|Dr|MD|RN)[,:.]?\s)(?P<v>[A-Z]\.\s?(?:[A-Z]\.\s?)?[{UPPER}][{LOWER}'’-]{{2,20}})(?![\w-])"
)
_INITIALS_HINT = re.compile(rf"\.(?<=\b[{UPPER}]\.) ?[{UPPER}]")
_INITIALS_SHAPE = re.compile(rb"A\. ?A")
_TURNED = re.compile(
    r"(?<![\w-])(?P<v>[A-Z][A-Z'’-]{2,20}, [A-Z]\b\.?)(?=$|[\n,:;]| (?:was|is|has|had|\d|\())"
    rf"|(?:^|\n)(?P<w>[{UPPER}][{LOWER}'’-]{{2,20}},\s[A-Z]\.(?:\s?[A-Z]\.)?)(?=,?\s(?:DOB|MRN|\d|was|is|aged|age|\())"
)
_EITHER = re.compile(
    rf"\b(?:[Ss]urname|[Nn]ame)\b[^.?!\n]{{0,30}}\b(?:is|it)\s(?P<x>{_PART})\sor\s(?P<y>{_PART})(?=[?.,])"
)
_TURNED_HINT = re.compile(r", [A-Z](?!\w)")
NO_NAMES = (
    NON_NAME_WORDS
    | NOTED("not_named")
    | NOT_TOWNS
    | NOTED("organisms")
    | all_words(
        *map(
            NAMES,
            (
                *("relatives", "many_relatives", "staff", "persons", "patient_words"),
                *("no_callers", "titles"),
            ),
        )
    )
)
_DOING_WORDS = cues(NOTED("done_by_persons"))
_DOING_AFTER = trigger(_DOING_WORDS)
# "Park Jong-su says": the verb stands after no word in capitals.
_DOING_HINT = re.compile(rf"-[{LOWER}]{{2,8}} (?:{any_of(NOTED('done_by_persons'))})\b")
_SURNAME, _NAMED = trigger(("surname",)), trigger(("name",))
# Characters before a name, of a name, and on both sides of one.
_BEFORE, _LONGEST, _NEAR = 28, 64, 80


def noted_name_spans(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    """The names in a text about one person that a light context announces.

    Args:
        text: the text.
        tied: whether a word for one person must stand near.
    """
    for span in _all_names(text, verbs=not tied):
        begin, end = max(0, span.start - _NEAR), span.end + _NEAR
        if not tied or ONE_PERSON.search(text.raw, begin, end):
            yield span


def _all_names(text: ScannedText, *, verbs: bool) -> Iterator[Span]:
    raw = text.raw
    for start, before in capitals_of(raw) if text.marks.before_capital & BEFORE_NAME else ():
        if (before == "as" and (match := _SAYS.match(raw, start))) or (
            before in NAME_WORDS
            and _ANNOUNCER.search(raw, max(0, start - _BEFORE), start)
            and (match := _HERE.match(raw, start))
        ):
            yield from _name(raw, match)
    yield from _owners(raw)
    if verbs and (text.marks.after_capital & _DOING_AFTER or _DOING_HINT.search(raw)):
        for place in _verbs(text):
            yield from _name_before(raw, place)
    if text.may_match(_INITIALS_SHAPE) and _INITIALS_HINT.search(raw):
        yield from _names(_INITIALS.finditer(raw), raw)
    if verbs and text.has_shape(b", A") and _TURNED_HINT.search(raw):
        yield from _names(_TURNED.finditer(raw), raw)
    held = text.marks.held
    if held & _SURNAME or (held & _NAMED and " or " in raw):
        yield from _names(_EITHER.finditer(raw), raw)


def _owners(raw: str) -> Iterator[Span]:
    for mark in ("'s ", "’s "):
        for place in places_of(raw, mark):
            if _OWNED.match(raw, place + 2):
                yield from _name_before(raw, place)


def _verbs(text: ScannedText) -> Iterator[int]:
    """Where a verb of a person stands after a word in capitals."""
    raw, lowered = text.raw, text.lowered
    for word in text.words & _DOING_WORDS:
        for start in places_of(lowered, f" {word} "):
            before = raw.rfind(" ", max(0, start - 24), start) + 1
            named = raw[before or start].isupper() or "\n" in raw[before:start]
            if named and _DOING.match(raw, start):
                yield start


def _name_before(raw: str, place: int) -> Iterator[Span]:
    if match := _BEFORE_HERE.search(raw, max(0, place - _LONGEST), place):
        yield from _name(raw, match)


def _names(matches: Iterable[re.Match[str]], raw: str) -> Iterator[Span]:
    for match in matches:
        yield from _name(raw, match)


def _name(raw: str, match: re.Match[str]) -> Iterator[Span]:
    for group in filter(match.groupdict().get, match.groupdict()):
        yield from _one_name(raw, match[group], *match.span(group))


def _one_name(raw: str, name: str, start: int, end: int) -> Iterator[Span]:
    words = re.split(r",? |['’]s?$", name.lower())
    contracted = name.startswith(("I'", "I’"))
    if (
        not contracted
        and (NO_NAMES.isdisjoint(words) or _is_turned(words))
        and not is_no_person(raw, start, end, titled=raw.endswith("octor ", 0, start))
        and not words[0].endswith(("n't", "n’t", "'re", "’re", "'ve", "’ve"))
    ):
        yield Span("name", start, end, DOUBTFUL_SCORE)


def _is_turned(words: list[str]) -> bool:
    """Whether a known family name stands before a given name of two parts: "Park Jong-su"."""
    return len(words) > 1 and words[0] in FAMILY_NAMES and "-" in words[1]
