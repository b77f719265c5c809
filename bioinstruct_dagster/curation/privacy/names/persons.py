"""Names of persons in running text, without a language model.

Belongs here: where the patterns of names are tried, and where a name ends. Does not: the patterns
(patterns), names that stand for no person (not_persons), or whether a name identifies (scan).
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.names.announced import announced_names
from bioinstruct_dagster.curation.privacy.names.forms import (
    FAMILY_NAMES,
    GIVEN_NAMES,
    KNOWN_NAMES,
    NON_NAME_WORDS,
    names_of,
)
from bioinstruct_dagster.curation.privacy.names.not_persons import is_eponym, is_no_person
from bioinstruct_dagster.curation.privacy.names.patterns import (
    CAPITALIZED_WORDS,
    DESCRIBED_HINT,
    LABELLED_NAMES,
    NAME_BEFORE_HINT,
    NAME_PAIR,
    NAME_PATTERNS,
    TURNED_NAME,
    NamePattern,
)
from bioinstruct_dagster.curation.privacy.names.small_letters import small_letter_names
from bioinstruct_dagster.curation.privacy.names.spoken import spoken_names
from bioinstruct_dagster.curation.privacy.vocabulary import pieces

_AROUND = 90  # characters on either side of two words in capitals
_MOST_STRETCH = 2**31  # a stretch may be as long as the text
_SURE_SCORE = 0.8  # a title or a label announces the name
_INITIAL = re.compile(r"^(?:[A-Z]\.)+$")
# After a name that a language model saw.
_CONFIRMING_VERBS = re.compile(rf"[ ]{names_of('speaking_verbs', 'person_verbs')}\b")
# Endings of diseases, drugs, species and findings, which a model takes for persons.
_MEDICAL_WORD = re.compile(
    r"(?:osis|itis|emia|aemia|oma|omas|pathy|ectomy|otomy|scopy|graphy|gram|algia|plasia|trophy|uria"
    r"|rrhea|rrhage|penia|cytes?|mab|nib|cillin|mycin|statin|sartan|prazole|azole|pril|olol|idine"
    r"|amine|ine|vir|ium|ide|ase|itis|coccus|bacter|virus|viruses|ella|ism|ics?|al|ed|ing|ion|ions"
    r"|ness|ity|ive|ous|ary|ical)$"
)
_SHORT_LENGTH = 3  # letters of a name in capitals that is an abbreviation too
_INITIAL_LENGTH = 2  # letters; "J." and "Jo" are too short to search for


def name_spans(text: ScannedText) -> Iterator[Span]:
    """The names of persons in a text, "John Doe" included, initials excluded."""
    for start, end, score in _candidate_spans(text):
        begin, finish = _trim(text.raw, start, end, sure=score >= _SURE_SCORE)
        if finish > begin and not is_no_person(text.raw, begin, finish):
            yield Span("name", begin, finish, score)


def _candidate_spans(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    yield from small_letter_names(text)
    yield from announced_names(text)
    yield from spoken_names(text)
    if "name" in text.words or "surname" in text.words:
        for pattern, score in LABELLED_NAMES:
            for match in pattern.finditer(text.raw):
                yield (*match.span("v"), score)
    # Most texts name nobody: two words in capitals, one after the other, are rare.
    stretches = list(pieces(CAPITALIZED_WORDS, text.raw, _AROUND, _AROUND, _MOST_STRETCH))
    if not stretches:
        return
    tried = [entry for entry in NAME_PATTERNS if text.holds_any(entry.words)]
    given = text.holds_any(GIVEN_NAMES)
    for begin, end in stretches:
        for entry in tried:
            yield from _pattern_names(entry, text.raw, begin, end)
        if text.has_digit:
            yield from _described_names(text.raw, begin, end)
        if given:
            yield from _given_names(text.raw, begin, end)
            yield from _turned_names(text.raw, begin, end)


def _pattern_names(
    entry: NamePattern, text: str, begin: int, end: int
) -> Iterator[tuple[int, int, float]]:
    for match in entry.pattern.finditer(text, begin, end):
        if "k" not in entry.pattern.groupindex or match["k"].lower() in KNOWN_NAMES:
            yield (*match.span("v"), entry.score)


def _given_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for match in NAME_PAIR.finditer(text, begin, end):
        given, family = match["g"], match["f"].lower()
        # "ZOE" is a cement, too.
        doubtful = given.isupper() and family not in FAMILY_NAMES
        if doubtful and (len(given) <= _SHORT_LENGTH or not match["f"].isupper()):
            continue
        if given.lower() in GIVEN_NAMES and (
            family not in NON_NAME_WORDS or family in FAMILY_NAMES
        ):
            yield (*match.span(), 0.7)


def _turned_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    """Known family names before known given names: "Weaver, Thomas"."""
    for match in TURNED_NAME.finditer(text, begin, end):
        if match["f"].lower() in FAMILY_NAMES and match["g"].lower() in GIVEN_NAMES:
            yield (*match.span(), 0.7)


def _described_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for hint in DESCRIBED_HINT.finditer(text, begin, end):
        before = max(0, hint.start() - 60)
        if name := NAME_BEFORE_HINT.search(text[before : hint.start()]):
            yield before + name.start(), hint.start(), 0.8


def pieces_to_read(text: str, *, whole: bool) -> list[tuple[int, int]]:
    """The parts of a text that a language model should read for names; starts and ends.

    Args:
        text: the text.
        whole: whether the row identifies a person, so that every name in it counts. Else only the
            parts around two words in capitals are read, which could be a name.
    """
    if whole:
        return [(0, len(text))] if text else []
    return list(pieces(CAPITALIZED_WORDS, text, _AROUND, _AROUND, _MOST_STRETCH))


def name_in(text: str, span: Span) -> Span | None:
    """The part of a model's span that is a person's name; None if it is no person."""
    begin, end = _trim(text, span.start, span.end, sure=False)
    if end <= begin or is_no_person(text, begin, end) or not text[begin].isalpha():
        return None
    return span._replace(start=begin, end=end)


def is_confirmed(text: str, span: Span) -> bool:
    """Whether a known name or the words around it confirm a name that a model saw."""
    words = text[span.start : span.end].split()
    if any(_MEDICAL_WORD.search(word) for word in words):
        return False
    if len(words) == 1 or not all(word[:1].isupper() for word in words):
        return False
    known = words[0].lower() in GIVEN_NAMES or words[-1].lower() in FAMILY_NAMES
    return known or _CONFIRMING_VERBS.match(text, span.end) is not None


def repeated_name_spans(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Where words of known names stand in a text: "Mr. Finch" after "Harold Finch"."""
    parts = {part for name in names for part in re.split(r"[\s,]+", name) if _is_telling(part)}
    if not parts:
        return
    pattern = re.compile(
        r"(?<![\w-])(?:" + "|".join(map(re.escape, sorted(parts)[:40])) + r")(?![\w-])"
    )
    for match in pattern.finditer(text):
        if not is_eponym(text, match.end()):
            yield Span("name", *match.span(), 0.55)


def _is_telling(part: str) -> bool:
    return (
        len(part) > _INITIAL_LENGTH
        and part[0].isupper()
        and part.lower() not in NON_NAME_WORDS
        and "." not in part
    )


def _trim(text: str, start: int, end: int, *, sure: bool) -> tuple[int, int]:
    """The span without the last words if they are no names; empty if no name is left.

    Args:
        text: the text.
        start: where the span begins.
        end: where it ends.
        sure: whether a title or a label announces the name; then "White" and "Long" are names.
    """
    parts = list(re.finditer(r"[^\s,]+", text[start:end]))
    words = [_INITIAL.sub("", part.group()).strip(".'’").lower() for part in parts]
    whole = len(words)
    given = bool(words) and words[0] in GIVEN_NAMES
    while words and words[-1] in NON_NAME_WORDS:
        if words[-1] in FAMILY_NAMES and (sure or (given and len(words) > 1)):
            break
        words.pop()
    if not words or (words[0] in NON_NAME_WORDS and not (sure and words[0] in FAMILY_NAMES)):
        return start, start
    # "Oh, Doctor" is no family name and given name.
    if len(words) < whole and "," in text[start : start + parts[0].end() + 1]:
        return start, start
    last = parts[len(words) - 1]
    return start, start + last.end() - 2 * last.group().endswith(("'s", "’s"))
