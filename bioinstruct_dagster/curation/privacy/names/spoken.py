"""Names in conversations and letters: introductions, greetings, salutations, signatures.

Belongs here: what announces a name there, and what tells that a text is a conversation. Does not:
the labels of reports and notes (patterns), or where a name ends (persons). The words are in
`words/names.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText
from bioinstruct_dagster.curation.privacy.names.forms import (
    ANNOUNCED_NAME,
    ANY_WORD,
    FULL_NAME,
    KNOWN_NAMES,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, cues

_SPEAKERS = frozenset(("doctor", "dr", "patient", "clinician", "nurse", "guest_family"))
_SPEAKER = re.compile(r"(?:^|\n|\s)(?:Doctor|Dr|Clinician|Nurse|Guest_\w{4,9}):\s")
_SELF_CUES = tuple(f"{words} " for words in NAMES("self_introductions"))
_OTHER_CUES = tuple(f"{words} " for words in NAMES("introductions"))
# "I'm Tom Weaver": any two words in capitals are a name there.
_SELF = re.compile(
    rf"\b(?i:{names_of('self_introductions')})[ ](?:actually[ ])?"
    rf"(?:(?:Doctor|Dr\.?|Nurse)[ ])?(?P<v>{ANNOUNCED_NAME})\b"
)
# "This is Tom Weaver", "my name is Tom": one word must be a known name.
_OTHERS = re.compile(
    rf"\b(?i:{names_of('self_introductions', 'introductions')})[ ](?P<v>{FULL_NAME}|{WORD})\b"
)
# "And you are? Patient: Marta Kowalczyk."
_ANSWER_WORDS = frozenset(("name", "names", "who", "you", "confirm", "spell", "speaking"))
_ANSWER = re.compile(
    r"\b(?i:name|names|you are|who|confirm|spell|speaking)\b[^\n]{0,60}[?.][^\S\n]{0,3}\n?\s?"
    rf"(?:Patient|Guest_\w{{4,9}}):\s(?:\w{{2,5}},\s)?(?P<v>{FULL_NAME})(?=[,.])"
)
_GREETING_WORDS = cues(NAMES("greetings"))
_GREETING = re.compile(
    rf"\b(?i:{names_of('greetings')}),?\s(?:there,?\s)?(?P<v>{FULL_NAME}|{WORD})\b(?=[,.!?:\n])"
)
_SALUTATION = re.compile(rf"\bDear\s(?P<v>{FULL_NAME}|{WORD})\s{{0,2}}(?=[,:\n])")
_CLOSING_WORDS = cues(NAMES("closings"))
_CLOSING = re.compile(
    rf"\b(?i:{names_of('closings')})[.,:]?\s{{1,4}}(?:(?:Dr|Prof|Mrs?|Ms)\b\.?\s)?"
    rf"(?P<v>{ANNOUNCED_NAME})(?=[,.;]|\s*(?:\n|\(|$)|\s(?:on|at|MD|RN)\b)"
)
_SIGNATURE = re.compile(rf"/[sS]/\s?(?P<v>{ANNOUNCED_NAME}|{ANY_WORD})")


def is_conversation(text: ScannedText) -> bool:
    """Whether a text is a conversation, in which "Patient:" announces what is said."""
    return (
        "patient" in text.words
        and not text.words.isdisjoint(_SPEAKERS - {"patient"})
        and _SPEAKER.search(text.raw) is not None
    )


def spoken_names(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    """Names by which people greet, introduce themselves, and sign: start, end and score."""
    known = text.holds_any(KNOWN_NAMES)
    introduced = any(cue in text.lowered for cue in _SELF_CUES)
    if introduced:
        for match in _SELF.finditer(text.raw):
            yield (*match.span("v"), 0.7)
    if known and (introduced or any(cue in text.lowered for cue in _OTHER_CUES)):
        yield from _known(_OTHERS, text.raw, 0.65)
    if known and text.holds_any(_GREETING_WORDS):
        yield from _known(_GREETING, text.raw, 0.6)
    if text.holds_any(_ANSWER_WORDS) and is_conversation(text):
        for match in _ANSWER.finditer(text.raw):
            yield (*match.span("v"), 0.65)
    if "dear" in text.words:
        for match in _SALUTATION.finditer(text.raw):
            yield (*match.span("v"), 0.65)
    if text.holds_any(_CLOSING_WORDS):
        for match in _CLOSING.finditer(text.raw):
            yield (*match.span("v"), 0.75)
    if "/s/" in text.lowered:
        for match in _SIGNATURE.finditer(text.raw):
            yield (*match.span("v"), 0.75)


def _known(pattern: re.Pattern[str], text: str, score: float) -> Iterator[tuple[int, int, float]]:
    """Matches of which one word is a known name."""
    for match in pattern.finditer(text):
        if not KNOWN_NAMES.isdisjoint(match["v"].lower().split()):
            yield (*match.span("v"), score)
