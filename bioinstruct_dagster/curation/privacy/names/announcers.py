"""Which words announce a name, and in which form: "Attending:", "his wife", "I'm", "Dear".

Belongs here: the form of a name after each list. Does not: the search for it (announced). The words
are in `words/names.yaml`.
"""

import re
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.names.forms import (
    ANNOUNCED_NAME,
    ANY_WORD,
    COMMA_NAME,
    FULL_NAME,
    WORD,
    names_of,
)


class Form(NamedTuple):
    """A form of a name after the words of a list.

    Attributes:
        pattern: the name; what must follow it stands in a look-ahead.
        score: the score of the span.
        known: whether one word of the name must be a known name.
    """

    pattern: re.Pattern[str]
    score: float
    known: bool = False


def _form(pattern: str, score: float, *, known: bool = False) -> Form:
    return Form(
        re.compile(rf"(?P<v>{pattern})" if "(?P<v>" not in pattern else pattern), score, known
    )


_LABELLED = (
    _form(f"{COMMA_NAME}|{ANNOUNCED_NAME}", 0.85),
    _form(rf"(?P<v>{ANY_WORD})\b(?![ ][a-z])", 0.7, known=True),
)
_DOUBTFULLY_LABELLED = (_form(f"{COMMA_NAME}|{ANNOUNCED_NAME}", 0.8, known=True),)
_SURE = (_form(ANNOUNCED_NAME, 0.75),)
# What follows a name and no heading: a mark, or what persons do.
_PERSON_GOES_ON = rf"(?=[,;.)]|['’]s\b|\s{names_of('patient_verbs', 'person_verbs')}\b|\s?(?:\n|$))"
_DOUBTFUL = (
    _form(ANNOUNCED_NAME, 0.75, known=True),
    _form(rf"(?P<v>{ANNOUNCED_NAME}){_PERSON_GOES_ON}", 0.7),
)
OF_RELATIVE = (_form(ANNOUNCED_NAME, 0.75), _form(rf"(?P<v>{WORD})\b", 0.6))
# "Lives with wife Perpetua.", "daughter Morwenna translates".
_RELATIVE_GOES_ON = (
    rf"(?=[.,;)]|['’]s\b|\s?(?:\n|$)|\s(?:who|will|to|at|and|is|translates|interprets|present|aware|called|helps"
    rf"|{names_of('patient_verbs', 'person_verbs')})\b)"
)
OF_SOME_RELATIVE = (
    _form(ANNOUNCED_NAME, 0.75, known=True),
    _form(rf"(?P<v>{WORD})\b", 0.6, known=True),
    _form(rf"(?P<v>{WORD}){_RELATIVE_GOES_ON}", 0.6),
)
OF_NAMED_RELATIVE = (
    _form(ANNOUNCED_NAME, 0.75),
    _form(rf"(?P<v>{WORD})\b(?=[,)]|\s{names_of('patient_verbs', 'person_verbs')}\b)", 0.6),
)
# The forms that the words of a list announce, if no colon stands between.
FORMS: dict[str, tuple[Form, ...]] = {
    "name_announcers": _SURE,
    "doubtful_name_announcers": (_form(ANNOUNCED_NAME, 0.75, known=True),),
    "staff": _DOUBTFUL,
    "relatives": OF_SOME_RELATIVE,
    "naming_words": (_form(ANNOUNCED_NAME, 0.6), _form(rf"(?P<v>{WORD})\b", 0.6, known=True)),
    # "A woman, Rosalind Achebe, developed", "the patient (Rosalind Achebe)".
    "roles_before_names": _DOUBTFUL,
    # "Seen by Mulcahy.", "our patient Kimathi", "Subject Aaberg withdrew".
    "one_name_announcers": (
        _form(
            rf"(?P<v>{WORD})(?=[,.;)]|['’]s\b|\s?(?:\n|$)|\s(?:\(|(?:in\sclinic|today|on|agrees|agreed"
            r"|notified|aware|informed|at|to|will|withdrew|developed|recovered|who|and|died|for)\b"
            rf"|{names_of('patient_verbs', 'person_verbs')}\b))",
            0.6,
            known=True,
        ),
    ),
    "persons": (_form(rf"(?P<v>{ANNOUNCED_NAME})(?=[,)])", 0.75),),
    "callings": (_form(f"{FULL_NAME}|{WORD}", 0.8, known=True),),
    # "Pt Weaver states".
    "patient_words": (
        _form(
            rf"(?P<v>{ANY_WORD})(?=\s{names_of('patient_verbs')}\b|['’]s\b|,\s)", 0.75, known=True
        ),
    ),
    "self_introductions": (
        _form(rf"(?P<v>{ANNOUNCED_NAME})\b", 0.7),
        _form(rf"(?P<v>{FULL_NAME}|{WORD})\b", 0.65, known=True),
    ),
    "introductions": (_form(rf"(?P<v>{FULL_NAME}|{WORD})\b", 0.65, known=True),),
    "greetings": (_form(rf"(?P<v>{FULL_NAME}|{WORD})\b(?=[,.!?:\n])", 0.6, known=True),),
    "salutations": (_form(rf"(?P<v>{FULL_NAME}|{WORD})\s{{0,2}}(?=[,:\n])", 0.65),),
    "closings": (
        _form(rf"(?P<v>{WORD})(?=\s*(?:\n|$))", 0.6, known=True),
        _form(
            rf"(?:(?:Dr|Prof|Mrs?|Ms)\b\.?\s)?(?P<v>{ANNOUNCED_NAME})"
            r"(?=[,.;]|\s*(?:\n|\(|$)|\s(?:on|at|MD|RN)\b)",
            0.75,
        ),
    ),
}
LABEL_FORMS: dict[str, tuple[Form, ...]] = {
    "name_labels": _LABELLED,
    "relatives": _LABELLED,
    "staff": _LABELLED,
    "doubtful_name_labels": _DOUBTFULLY_LABELLED,
    "roles_before_names": _DOUBTFULLY_LABELLED,
}
