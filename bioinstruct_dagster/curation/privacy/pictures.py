"""The patterns for pictures of persons, biometric identifiers, user names and e-mail addresses.

Belongs here: patterns built from the lists of `words/pictures.yaml`. Does not: labelled numbers
(labels), e-mail addresses with a known ending (recognizers), or web addresses (web_addresses).
"""

from bioinstruct_dagster.curation.privacy.labelled_numbers import NUMBER, plain_pattern
from bioinstruct_dagster.curation.privacy.vocabulary import (
    PICTURES,
    all_words,
    any_of,
    cues,
    longest_words,
)


def _of(*names: str) -> str:
    return any_of(*map(PICTURES, names))


_BIOMETRIC, _RECORD = _of("biometrics"), _of("biometric_records")
_IMAGE = rf"\.{_of('picture_endings')}\b"
_FACE, _PICTURE, _PERSONS = _of("faces"), _of("pictures"), _of("pictured_persons")
_NO_WORDS = frozenset[str]()
_KEPT_CUE = _of("kept_pictures")
_SHOWN_CUE = rf"(?=[^.!?\n]{{0,60}}\b{_KEPT_CUE}|[^.!?\n]{{0,40}}{_IMAGE})"
_PICTURE_WORDS = cues(PICTURES("pictures")) | {"face", "facial", "head"}
# Words of which a text with _KEPT_CUE or _IMAGE holds one.
_KEPT_WORDS = (
    longest_words(PICTURES("kept_pictures"))
    | all_words(PICTURES("picture_endings"))
    | {"charts", "files", "records"}
)

# Tried if a text holds something like a number.
BIOMETRIC_PATTERNS = (
    plain_pattern(
        "biometric",
        cues(PICTURES("biometrics")),
        rf"(?P<v>\b{_BIOMETRIC}(?: {_RECORD})?(?:\s(?:on file|stored|enrolled|filed))?"
        r"(?:\s(?:under|as|in))?[^\w\n.;!?]{1,4}"
        rf"(?:(?:{NUMBER}|ref(?:erence)?\.?|is|was)[^\w\n;!?]{{1,4}})?"
        r"(?=(?:[A-Z_./-]{0,8}\d){4})[A-Z0-9]{1,20}(?:[-_./][A-Z0-9]{1,20}){0,6})(?!\w)",
    ),
)

# Tried if a text holds one of the words of the pattern.
PICTURE_PATTERNS = (
    plain_pattern(
        "email",
        frozenset({"email", "mail"}),
        r"mail\b[^.\n]{0,40}?\b(?P<v>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,4})",
    ),
    plain_pattern(
        "other_id",
        cues(PICTURES("user_names")),
        rf"\b{_of('user_names')}(?: {_of('user_name_papers')})?\s?(?:is|:|=)?\s?"
        r"(?P<v>@\w{3,30}|(?<=[:=]\s)[\w.-]{0,30}[\d_.][\w.-]{1,30}\b)",
    ),
    # "on Instagram as oisin.runs91", "YouTube channel OisinRuns91", "reddit user u/oisin".
    plain_pattern(
        "other_id",
        cues(PICTURES("networks")),
        rf"\b{_of('networks')}(?:\s(?:page|account|channel|handle|name|user|username|profile|under|as|is|at)){{0,3}}"
        r"[:\s]{1,2}[\"“]?(?P<v>(?:u/|@)?(?-i:[A-Za-z][\w.-]{0,30}[\d_.][\w.-]{0,29}\w|u/\w{3,30}|[A-Z][a-z]+[A-Z]\w{2,20}\d))\b",
    ),
    plain_pattern(
        "other_id",
        frozenset(("username", "login", "user", "screen")),
        r"\b(?:user ?name|log-?in|user ?id|screen ?name)\s?(?:is|:|=)?\s[\"“]?(?P<v>(?-i:[a-z]["
        r"a-z._-]{1,20}\d{1,6}|[a-z]{2,15}[._][a-z]{2,15}))\b",
    ),
    # "oisin dot kearney at gmail dot com", "oisin_kearney (at) mailbox.example".
    plain_pattern(
        "email",
        frozenset(("dot", "at")),
        r"(?P<v>\b[\w.+-]{1,40}(?: (?:dot|underscore|dash) [\w-]{1,30}){0,3} ?(?: at |\(at\)|\["
        r"at\]) ?"
        r"[\w-]{2,30}(?: dot | ?\(dot\) ?|\.)(?:com|org|net|edu|co|example|uk|in|io|me|ca|au|de"
        r")(?:(?: dot |\.)[a-z]{2,3})?)\b",
        also=frozenset(("dot", "com", "example", "org", "net", "mail", "email")),
    ),
    plain_pattern(
        "biometric",
        all_words(PICTURES("kept_biometric_cues")),
        rf"(?P<v>\b{_BIOMETRIC}(?: {_RECORD})?)"
        rf"(?=(?: \w{{2,12}}){{0,3}} {_of('kept_biometrics')}\b)",
    ),
    plain_pattern(
        "photo",
        _PICTURE_WORDS,
        rf"\b(?P<v>(?:{_PERSONS} )?(?:{_FACE} {_PICTURE}|full[- ]face {_PICTURE}s"
        rf"|head[- ]?shot)(?: {_PERSONS})?)\b{_SHOWN_CUE}",
        also=_KEPT_WORDS,
    ),
    plain_pattern(
        "photo",
        _PICTURE_WORDS,
        rf"\b(?P<v>{_PICTURE} (?:{_PERSONS}(?:['’]s)? face|showing (?:his|her|the patient['’]s)"
        rf" (?:full )?face)|(?:patient|his|her)(?:['’]s)? {_PICTURE})\b{_SHOWN_CUE}",
        also=_KEPT_WORDS,
    ),
    plain_pattern(
        "photo",
        _PICTURE_WORDS,
        rf"\b{_KEPT_CUE}:?\s(?:\w{{1,10}}\s){{0,3}}?(?P<v>(?:{_FACE} {_PICTURE}|head[- ]?shot"
        rf"|{_PICTURE} {_PERSONS})(?: {_PERSONS})?)\b",
        also=_KEPT_WORDS,
    ),
    plain_pattern(
        "photo",
        all_words(PICTURES("picture_endings")),
        rf"(?<![\w'’-])(?P<v>[\w'’-]{{0,40}}?(?<![a-z]){_of('picture_files')}"
        rf"(?![a-z])[\w'’-]{{0,40}}{_IMAGE})",
    ),
)

# User names such as "@tomweaver"; tried if a text holds the sign.
HANDLE_PATTERNS = (
    plain_pattern(
        "other_id", _NO_WORDS, r"(?<![\w.@/])(?P<v>@(?-i:[a-z])[a-z0-9_.]{2,28}[a-z0-9_])(?![\w@$])"
    ),
)
