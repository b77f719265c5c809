"""Names that no list holds, in places where a light context announces a person.

Belongs here: words before any name, what only persons have or do, and initials before a family
name. Does not: known names, titles or labels (names). The words are in `words/noted.yaml`. Every
repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.names.forms import (
    LOWER,
    NON_NAME_WORDS,
    UPPER,
    WORD,
)
from bioinstruct_dagster.curation.privacy.names.not_persons import is_no_person
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NAMES,
    NOTED,
    all_words,
    any_of,
    any_start_of,
    cues,
)

_SCORE = 0.55
_NAME = rf"{WORD}(?: (?:[A-Z]\.? )?{WORD}){{0,2}}"
_ENDS = r"(?=[.,;:!?)\n]|['’]s\b|$| [a-z(])"
_HERE = re.compile(rf"(?P<v>{_NAME}){_ENDS}")
_ANNOUNCER = re.compile(
    rf"(?<![\w-])(?:{any_start_of(NOTED('before_any_name'))},?|(?i:cc|attn|attention|contact|informant|c/o):) $"
)
_OWNED = re.compile(rf" (?:[a-z]{{3,10}} )?(?:{any_of(NOTED('owned_by_persons'))})\b")
_OWNER = re.compile(rf"(?<![\w'’-])(?P<v>{_NAME})$")
_DOES = re.compile(rf"(?<![\w'’-])(?P<v>{_NAME}) (?:{any_of(NOTED('done_by_persons'))})\b")
_SAYS = re.compile(rf"\b[Aa]s (?P<v>{_NAME}) (?:puts?|says|said|tells|told|explains|explained|describes|described|remembers|recalls) ")
_INITIALS = re.compile(
    rf"(?:^|\n|\b(?:by|with|from|to|and|for|saw|[Ss]igned|[Ss]igned by|cc|[Rr]egards|[Ss]incerely|Dr|MD|RN)[,:.]? )(?P<v>[A-Z]\. ?(?:[A-Z]\. ?)?[{UPPER}][{LOWER}'’-]{{2,20}})(?![\w-])"
)
_INITIALS_HINT = re.compile(rf"\.(?<=\b[{UPPER}]\.) ?[{UPPER}]")
_TURNED = re.compile(
    r"(?<![\w-])(?P<v>[A-Z][A-Z'’-]{2,20}, [A-Z]\b\.?)(?=$|[\n,:;]| (?:was|is|has|had|\d|\())"
)
_TURNED_HINT = re.compile(r", [A-Z](?<=[A-Z]{3}, .)\b")
# A capital inside a sentence; one capital letter is found fastest.
_CAPITAL = re.compile(rf"[{UPPER}](?:(?<=[a-z] .)|(?<=[a-z][,:] .)|(?<=/o .))[{LOWER}]")
_NO_NAMES = (
    NON_NAME_WORDS
    | NOTED("not_named")
    | NOTED("not_towns")
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
_LAST_WORDS = frozenset(
    word.split()[-1]
    for word in (*NOTED("before_any_name"), "cc", "attn", "attention", "contact", "informant")
)
_BEFORE, _LONGEST = 28, 64  # characters before a name, and of a name


def noted_name_spans(text: ScannedText) -> Iterator[Span]:
    """The names in a text about one person that a light context announces."""
    raw = text.raw
    for capital in _CAPITAL.finditer(raw):
        start = capital.start()
        last = raw[max(0, start - _BEFORE) : start].split()[-1:]
        if not last or last[0].lower().strip(",:(") not in _LAST_WORDS:
            continue
        if _ANNOUNCER.search(raw, max(0, start - _BEFORE), start) and (
            match := _HERE.match(raw, start)
        ):
            yield from _name(raw, match)
    for mark in ("'s ", "’s "):
        place = raw.find(mark)
        while place >= 0:
            if _OWNED.match(raw, place + 2) and (
                match := _OWNER.search(raw, max(0, place - _LONGEST), place)
            ):
                yield from _name(raw, match)
            place = raw.find(mark, place + 2)
    if "as" in text.words:
        yield from _names(_SAYS.finditer(raw), raw)
    if text.holds_any(_DOING_WORDS):
        yield from _names(_DOES.finditer(raw), raw)
    if _INITIALS_HINT.search(raw):
        yield from _names(_INITIALS.finditer(raw), raw)
    if _TURNED_HINT.search(raw):
        yield from _names(_TURNED.finditer(raw), raw)


def _names(matches: Iterable[re.Match[str]], raw: str) -> Iterator[Span]:
    for match in matches:
        yield from _name(raw, match)


def _name(raw: str, match: re.Match[str]) -> Iterator[Span]:
    words = re.split(r",? |['’]s?$", match["v"].lower())
    contracted = match["v"].startswith(("I'", "I’"))
    if (
        not contracted
        and _NO_NAMES.isdisjoint(words)
        and not is_no_person(raw, *match.span("v"))
        and not words[0].endswith(("n't", "n’t", "'re", "’re", "'ve", "’ve"))
    ):
        yield Span("name", *match.span("v"), _SCORE)
