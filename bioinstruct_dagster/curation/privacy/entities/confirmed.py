"""Names that a language model saw: where it should read, and which of its names count.

Belongs here: the parts of a text that it reads, how known names and words around a name confirm it,
and where the words of a name stand again. Does not: the model (language_model), or names by
pattern (names.persons).
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.names.forms import (
    FAMILY_NAMES,
    GIVEN_NAMES,
    NON_NAME_WORDS,
    names_of,
    trim_name,
)
from bioinstruct_dagster.curation.privacy.names.not_persons import is_eponym, is_no_person
from bioinstruct_dagster.curation.privacy.names.stretches import parts_with_names

_INITIAL_LENGTH = 2  # letters; "J." and "Jo" are too short to search for
# After a name that a language model saw.
_CONFIRMING_VERBS = re.compile(rf"[ ]{names_of('speaking_verbs', 'person_verbs')}\b")
# Endings of diseases, drugs, species and findings, which a model takes for persons.
_MEDICAL_WORD = re.compile(
    r"(?:osis|itis|emia|aemia|oma|omas|pathy|ectomy|otomy|scopy|graphy|gram|algia|plasia|trophy|uria"
    r"|rrhea|rrhage|penia|cytes?|mab|nib|cillin|mycin|statin|sartan|prazole|azole|pril|olol|idine"
    r"|amine|ine|vir|ium|ide|ase|itis|coccus|bacter|virus|viruses|ella|ism|ics?|al|ed|ing|ion|ions"
    r"|ness|ity|ive|ous|ary|ical)$"
)


def pieces_to_read(text: str, *, whole: bool) -> list[tuple[int, int]]:
    """The parts of a text that a language model should read for names; starts and ends.

    Args:
        text: the text.
        whole: whether the row identifies a person, so that every name in it counts. Else only the
            parts around two words in capitals are read, which could be a name.
    """
    if whole:
        return [(0, len(text))] if text else []
    return parts_with_names(text)


def name_in(text: str, span: Span) -> Span | None:
    """The part of a model's span that is a person's name; None if it is no person."""
    begin, end = trim_name(text, span.start, span.end, sure=False)
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
