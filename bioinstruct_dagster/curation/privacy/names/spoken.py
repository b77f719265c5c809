"""Names in conversations and signatures, by more than the words before them.

Belongs here: what tells that a text is a conversation, an answer to a question for the name, and a
signature after "/s/". Does not: introductions, greetings and closings, which are words before a
name (announced). Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.names.forms import (
    ANNOUNCED_NAME,
    ANY_WORD,
    FULL_NAME,
    GIVEN_NAMES,
    WORD,
    is_known,
)
from bioinstruct_dagster.curation.privacy.texts import GIVEN, GIVEN_PARTS, ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger

_SPEAKERS = trigger(("doctor", "dr", "clinician", "nurse", "guest"))
_PATIENT = trigger(("patient",))
_SPEAKER = re.compile(r"(?:^|\n|\s)(?:Doctor|Dr|Clinician|Nurse|Guest_\w{4,9}):\s")
# An answer such as "And you are? Patient: Marta Kowalczyk."
_ANSWER_WORDS = trigger(("name", "names", "who", "you", "confirm", "spell", "speaking"))
_ANSWER = re.compile(
    r"\b(?i:name|names|you are|who|confirm|spell|speaking)\b[^\n]{0,60}[?.][^\S\n]{0,3}\n?\s?"
    rf"(?:Patient|Guest_\w{{4,9}}):\s(?:\w{{2,5}},\s)?(?P<v>{FULL_NAME}|{WORD})(?=[,.])"
)
# "How are you, Olga?"
_VOCATIVE = re.compile(rf"[,.?!]\s(?P<v>{FULL_NAME}|{WORD})(?=[,.?!])")
_SIGNATURE = re.compile(rf"/[sS]/\s?(?P<v>{ANNOUNCED_NAME}|{ANY_WORD})")


def is_conversation(text: ScannedText) -> bool:
    """Whether a text is a conversation, in which "Patient:" announces what is said."""
    return (
        text.marks.held & _SPEAKERS != 0
        and text.marks.held & _PATIENT != 0
        and _SPEAKER.search(text.raw) is not None
    )


def spoken_names(text: ScannedText, *, spoken: bool) -> Iterator[tuple[int, int, float]]:
    """Names by which people answer and sign: start, end and score.

    Args:
        text: the text.
        spoken: whether it is a conversation.
    """
    if spoken and text.marks.held & _ANSWER_WORDS and "Patient: " in text.raw:
        for match in _ANSWER.finditer(text.raw):
            if " " in match["v"] or is_known(match["v"]):
                yield (*match.span("v"), 0.65)
    if spoken and text.marks.held & GIVEN and text.marks.capitalized & GIVEN_PARTS:
        for match in _VOCATIVE.finditer(text.raw):
            if match["v"].split()[0].lower() in GIVEN_NAMES:
                yield (*match.span("v"), 0.6)
    if "/s/" in text.raw or "/S/" in text.raw:
        for match in _SIGNATURE.finditer(text.raw):
            yield (*match.span("v"), 0.75)
