"""Finds inputs that are one of two things, such as "Aspirin" for "Compare the two given drugs".

Belongs here: which instructions need two things, and which inputs hold one. Does not: other parts
that a row lacks (missing_parts).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.source_words import source_list
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.signs import WordedPattern

MOST_WORDS_OF_ONE = 14  # of an input that is one of two things
MOST_WORDS_OF_NAME = 5

# Signs that an input holds more than one thing.
SEVERAL = re.compile(
    r"[,;/&|\n]|\\n|\b(?:and|or|vs|versus|with|to|between|but|whereas|while|than|from|both|plus)\b"
    r"|\s[-–—]\s|[\"”] [\"“]|\b[2b][.):]|[.!?]\s+\S",
    re.IGNORECASE,
)
UNIT = re.compile(r"\b[a-zµμ]{1,5}/[A-Za-z]{1,4}\b")
TWO_THINGS = WordedPattern(
    r"\b(?:(?:the )?(?:following |given |provided |specified )two"
    r"|(?:the )?two (?:following |given |provided |specified |listed |mentioned )"
    r"|(?:the )?(?:given |following |provided )?pairs? of"
    r"|(?:the|these) two)\b(?! (?:main|most|major|types|kinds|ways|classes|forms|common))",
    re.IGNORECASE,
)
SENTENCES = WordedPattern(r"\b(?:sentences|statements|texts|claims|premise)\b", re.IGNORECASE)
JUDGES = WordedPattern(
    r"\b(?:compar\w+|contrast\w*|differ\w*|similar\w*|same|match\w*|contradict\w*|entail\w*"
    r"|interact\w*|relat\w+|agree\w*|consistent|paraphras\w+|equivalent|which|whether|distinguish)\b",
    re.IGNORECASE,
)
EARLIER = WordedPattern(
    r"\bcompar\w+\b.{0,80}\b(?:with|to|against|and)\b.{0,40}"
    r"\b(?:previous|prior|earlier|baseline|past|former|last)\b",
    re.IGNORECASE,
)
TIMES = re.compile(
    r"\b(?:previous|prior|earlier|baseline|before|last|past|former|ago|initial|then|now|follow-up"
    r"|today|first|second|increased|decreased|rose|fell|dropped)\b|→|->",
    re.IGNORECASE,
)
LISTED_IN = WordedPattern(
    r"\b(?:if|whether)\b.{3,80}\b(?:listed|found|included|recorded|documented|present|mentioned)"
    r" (?:in|on|among) (?:the )?(?:patient|person|individual)(?:'s|’s) (?P<record>[\w -]{3,40})",
    re.IGNORECASE,
)
BOTH_GIVEN = WordedPattern(
    r"\bgiven (?:an? |the |two )?(?P<first>[\w'’ -]{3,40}) and "
    r"(?:an? |the )(?P<second>[\w'’ -]{3,40}), (?:please )?"
    r"(?:determine|decide|assess|judge|evaluate|identify|state|classify|check|verify|predict)"
    r" (?:if|whether|how well|the relation\w*|the agreement)\b",
    re.IGNORECASE,
)


def lacks_second(text: str, instruction: str) -> bool:
    """Whether the input is one of two things that the instruction compares."""
    if text.count(" ") >= MOST_WORDS_OF_ONE:
        return False
    if found := LISTED_IN.search(instruction):
        own = found.group("record").split()[0].lower()
        return own not in text.lower() and "," not in text and "\n" not in text
    if EARLIER.search(instruction):
        one = text.lower().startswith("current") or not SEVERAL.search(UNIT.sub("", text))
        return one and TIMES.search(text) is None
    label, _, body = text.rpartition(":")
    if found := BOTH_GIVEN.search(instruction):
        first, second = (found.group(name).split()[-1].lower() for name in ("first", "second"))
        named = label.strip().lower()
        few = second in source_list("announced") or count_words(body).fewest <= MOST_WORDS_OF_NAME
        return few and named in {first, second} and ":" not in label
    short = SENTENCES.search(instruction) or count_words(body).fewest <= MOST_WORDS_OF_NAME
    return bool(short) and (
        TWO_THINGS.search(instruction) is not None
        and JUDGES.search(instruction) is not None
        and ":" not in label
        and SEVERAL.search(body.strip().rstrip(".")) is None
    )
