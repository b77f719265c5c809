"""The labelled patterns: which label belongs to which kind of identifier, and the value's form.

Belongs here: labels built from the lists of `words/labels.yaml`. Does not: the text between a label
and its number (labelled_numbers), telephone numbers (telephones), or pictures and biometric
identifiers (pictures).
"""

from bioinstruct_dagster.curation.privacy.labelled_numbers import (
    GAP,
    GROUPS,
    NUMBER,
    SPOKEN_DIGIT,
    plain_pattern,
    strong_label,
    weak_label,
)
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, all_words, any_of, cues

_SSN = r"(?P<v>[\dx*]{3}[-. ]?[\dx*]{2}[-. ]?\d{4}|\d{4})(?![\w-])"
_PLATE = r"(?P<v>(?-i:(?=[A-Z -]{0,5}\d)[A-Z0-9]{1,4}(?:[ -]?[A-Z0-9]{1,4}){1,2}))(?!\w)"
_NO_WORDS = frozenset[str]()
# Words of which a text with a label such as "medical record" or "med rec" holds one.
_RECORD_WORDS = frozenset(("rec", "recs", "record", "records", "medrec", "id", "mr"))


def _of(*names: str) -> str:
    return any_of(*map(LABELS, names))


def _cues(*names: str) -> frozenset[str]:
    return cues(*map(LABELS, names))


# Tried if a text holds something like a number. Some abbreviations are also words (MR, SS, DL, SN,
# Rx, unit, group). They count as labels only before a word or a sign for "number".
LABEL_PATTERNS = (
    strong_label(
        "mrn",
        _cues("record_labels", "record_keepers", "patient_words") | {"mr"},
        rf"{_of('record_labels')}|{_of('record_keepers')} {_of('record_papers')}"
        rf"|{_of('patient_words')} {_of('patient_papers')}|mr(?=\s?(?:#|no\b|num))",
        value=GROUPS,
        also=(
            _cues("record_labels", "record_papers", "patient_papers")
            - {"medical", "hospital", "med"}
        )
        | _RECORD_WORDS,
    ),
    weak_label(
        "mrn",
        _cues("weak_record_labels") | {"unit"},
        rf"{_of('weak_record_labels')}|unit(?=\s{NUMBER})",
    ),
    plain_pattern(
        "mrn",
        _cues("bare_record_labels"),
        rf"\b{_of('bare_record_labels')}\s(?P<v>[A-Z]{{0,3}}\d{{6,10}}|[A-Z]{{1,3}}-\d{{4,10}}(?:-\w)?)(?![\w-])",
        score=0.75,
        shape=rb"0(?:0{5}|(?<=[A-Za-z]-0)000)",
    ),
    # "the MRN on file is 44871", "her hospital number, he says, is A-44821".
    plain_pattern(
        "mrn",
        _cues("sure_record_labels"),
        rf"\b{_of('sure_record_labels')}\b[^.;!?\n\d]{{0,30}}?[^.;!?\n\w]"
        r"(?P<v>(?=(?:[A-Z/-]{0,4}\d){5})[A-Z0-9]{1,12}(?:[-/ ][A-Z0-9]{1,12}){0,4})(?![\w-])",
        least=5,
        score=0.75,
        also=frozenset(("mrn", "number", "no", "id", "wristband", "bracelet")),
    ),
    strong_label("ssn", _cues("ssn_labels") | {"ss"}, rf"{_of('ssn_labels')}|ss\s?#", value=_SSN),
    plain_pattern(
        "ssn", _NO_WORDS, r"(?P<v>\d{3}-(?<![\w-]\d{3}-)\d{2}-\d{4})(?![\w-])", shape=b"000-00-0000"
    ),
    plain_pattern("ssn", frozenset({"x", "xxx"}), r"(?<!\w)(?P<v>x{3}-x{2}-\d{4})(?!\w)"),
    strong_label(
        "health_plan",
        _cues("insurances", "insurance_number_labels"),
        rf"{_of('insurances')} ?{_of('insurance_papers')}?{GAP}{NUMBER}"
        rf"|{_of('insurance_number_labels')}",
        value=GROUPS,
    ),
    strong_label(
        "health_plan",
        _cues("insurances"),
        rf"{_of('insurances')} ?{_of('insurance_papers')}",
        value=GROUPS,
        least=6,
    ),
    weak_label(
        "health_plan",
        _cues("weak_insurance_labels") | {"group"},
        rf"{_of('weak_insurance_labels')}|group(?=\s?{NUMBER})",
        value=GROUPS,
    ),
    weak_label(
        "account",
        (_cues("account_labels", "weak_account_labels") - {"a"}) | {"c"},
        _of("account_labels", "weak_account_labels"),
        value=GROUPS,
    ),
    strong_label("account", _cues("account_labels"), _of("account_labels"), value=GROUPS, least=6),
    strong_label(
        "license",
        _cues("license_labels") | {"dl"},
        rf"{_of('license_labels')}|(?<!/)dl(?=\s?[:#]|\s(?:no|num))",
        value=GROUPS,
        least=5,
    ),
    weak_label(
        "license",
        _cues("weak_license_labels"),
        rf"{_of('weak_license_labels')}(?: of \w{{1,12}})?",
        value=GROUPS,
    ),
    strong_label(
        "license",
        _cues("license_words"),
        rf"{_of('license_holders')} {_of('license_words')}",
        value=GROUPS,
    ),
    strong_label("vehicle", _cues("vehicle_labels"), _of("vehicle_labels"), least=6),
    strong_label(
        "device",
        _cues("device_labels", "devices") | {"sn"},
        rf"{_of('device_labels')}|sn(?=\s?[:#])|{_of('devices')} {_of('device_numbers')}",
        also=_cues("device_labels", "device_numbers") | {"sn"},
    ),
    weak_label("device", _cues("weak_device_labels"), _of("weak_device_labels")),
    plain_pattern(
        "device",
        _NO_WORDS,
        r"(?P<v>\(01\)\d{14}(?:\(\d{2}\)[\w/-]{1,20}){1,4})",
        shape=rb"\(00\)0{14}\(",
    ),
    plain_pattern(
        "other_id",
        frozenset(("insurance", "ni", "nino")),
        r"\b(?P<v>[A-Z]{2}\s?\d\d\s?\d\d\s?\d\d\s?[A-D])\b",
    ),
    strong_label(
        "other_id",
        _cues("other_labels", "numbered_persons", "numbered_papers"),
        rf"{_of('other_labels')}|{_of('numbered_persons')} {_of('person_numbers')}"
        rf"|{_of('numbered_papers')} ?{_of('paper_numbers')}|rx\s?#",
        also=_cues("other_labels", "person_numbers", "paper_numbers"),
    ),
)

# "my record number is four four seven one two"; in texts without a digit, too.
_SPOKEN_PATTERNS = (
    plain_pattern(
        "mrn",
        _cues("sure_record_labels"),
        rf"\b{_of('sure_record_labels')}\b[^.;!?\n]{{0,30}}?"
        rf"(?P<v>\b{SPOKEN_DIGIT}(?:[ ,-]{{1,2}}{SPOKEN_DIGIT}){{3,12}}\b)",
        also=frozenset(("oh", "zero", "four", "five", "six", "seven", "eight", "nine")),
    ),
    plain_pattern(
        "phone",
        frozenset(("oh", "zero", "five", "seven", "nine", "eight")),
        rf"(?P<v>\b{SPOKEN_DIGIT}(?:(?:, | |-){SPOKEN_DIGIT}){{6,13}}\b)",
        also=frozenset(("number", "phone", "call", "cell", "reach", "mobile", "it's", "line")),
    ),
)

# A number plate may have few digits, so these patterns depend on the words in the text alone.
PLATE_PATTERNS = (
    *_SPOKEN_PATTERNS,
    # In a text that speaks of a vehicle: "the plate was KXR 4821", but not "plate A1".
    plain_pattern(
        "vehicle",
        _cues("vehicle_words"),
        rf"\bplates?(?:\s(?:{NUMBER}|#))?[^\w\n.;!?]{{1,4}}(?:{_of('plate_verbs')}\s)?[\"'“]?"
        rf"(?=(?:[ -]?[A-Z0-9]){{5}}){_PLATE}",
        also=frozenset(("plate", "plates")),
    ),
    plain_pattern(
        "vehicle",
        all_words(LABELS("plates")),
        rf"\b(?:{_of('vehicles')} {_of('plates')}|{_of('lone_plates')})"
        rf"(?:\s(?:{NUMBER}|#))?[^\w\n.;!?]{{1,4}}(?:{_of('plate_verbs')}\s)?[\"'“]?{_PLATE}",
    ),
)
