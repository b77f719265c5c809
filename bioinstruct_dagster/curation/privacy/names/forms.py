"""How a person's name is written: full, in capitals, with initials, family name first.

Belongs here: expressions for a name alone, and where a name ends. Does not: the words that announce
a name (patterns, spoken, announcers). The words are in `words/names.yaml`. Every repetition is
bounded.
"""

import re

from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, NAMES_ABROAD, any_of

GIVEN_NAMES = NAMES("given_names") | NAMES_ABROAD("given_names_abroad")
FAMILY_NAMES = NAMES("family_names") | NAMES_ABROAD("family_names_abroad")
NON_NAME_WORDS = NAMES("not_names")
KNOWN_NAMES = GIVEN_NAMES | FAMILY_NAMES

_INITIAL = re.compile(r"^(?:[A-Z]\.)+$")
_NAME_ENDS = re.compile(r"[\s,.'’-]+")


def names_of(*lists: str) -> str:
    """A group of an expression that matches any word of the lists of `words/names.yaml`."""
    return any_of(*map(NAMES, lists))


# Latin letters with all their accents; those after ž have capitals and small letters in turn.
UPPER, LOWER = "A-ZÀ-ÖØ-ÞĀ-ſḀ-ỿ", "a-zß-öø-ÿĀ-ſḀ-ỿ"
WORD = (
    rf"(?:(?:Mc|Mac|O['’]|D['’]|De|Di|Du|Fitz|Jo|La|Le|Mary|Van|Al-|El-)?[{UPPER}][{LOWER}'’]{{1,20}}"
    rf"(?:-[{UPPER}][{LOWER}]{{1,20}})?)"
)
UPPER_WORD = rf"(?:[{UPPER}]{{2,20}}(?:['’-][{UPPER}]{{2,20}})?)"
ANY_WORD = rf"(?:{WORD}|{UPPER_WORD})"
PARTICLE = rf"(?:{names_of('name_particles')}[ ])?"
_MIDDLE = rf"(?:(?:[A-Z]\.?|{WORD})[ ])?"
# A given name, perhaps a middle one, and a family name; then perhaps "Jr."
FULL_NAME = rf"{WORD}[ ]{_MIDDLE}{PARTICLE}{WORD}(?:,?[ ]{names_of('name_suffixes')}\b\.?)?"
UPPER_NAME = rf"{UPPER_WORD}[ ](?:[A-Z]\b\.?[ ])?{UPPER_WORD}"
COMMA_NAME = rf"{ANY_WORD},[ ](?!{names_of('credentials')}\b){ANY_WORD}(?:[ ][A-Z]\b\.?)?"
# "T. Weaver", "A. J. Whitcombe".
INITIALS_NAME = rf"(?:[A-Z]\.[ ]?){{1,3}}{PARTICLE}{ANY_WORD}"
# As a label or a title announces it.
ANNOUNCED_NAME = rf"(?:{INITIALS_NAME}|{FULL_NAME}|{UPPER_NAME})"


def is_known(name: str) -> bool:
    """Whether a word of a name is a known given or family name."""
    return not KNOWN_NAMES.isdisjoint(_NAME_ENDS.split(name.lower()))


def trim_name(text: str, start: int, end: int, *, sure: bool) -> tuple[int, int]:
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
