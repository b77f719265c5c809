"""Numbers of records, papers and devices in looser forms: "chart says number 4410-229", "UHID ...".

Belongs here: patterns whose number has groups, letters or spoken digits, and whose label is a word
of speech or of one country. Does not: numbers right after a plain label (labels). The labels are
in `words/labels.yaml`. Every repetition is bounded.
"""

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE
from bioinstruct_dagster.curation.privacy.labelled_numbers import (
    SPOKEN_DIGITS,
    LabelledPattern,
    plain_pattern,
)
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, any_of, cues

_SURE = 0.75
# Groups of digits and capitals with a digit: "KNH/2291/04", "APL 0033 1192", "0071-882-3".
_VALUE = (
    r"(?P<v>(?-i:(?=(?:[A-Z/.#-]{0,5} ?){0,2}\d)(?:[A-Z]{1,5}\d{0,2}(?:[ /.-]|(?=\d)))?"
    r"(?:[A-Z]{1,4}[/-])?\d{1,14}[A-Z]{0,3}"
    r"(?:[ /.-](?:\d{1,8}[A-Z]{0,3}|[A-Z]{1,3}\d{0,8})(?![a-z])){0,5}))(?![\w]|[.,:]\d|\s?(?:%|"
    r"mg|ml))"
)
# The same, but with at least one sign between its groups, or letters before its digits.
_GROUPED = (
    r"(?P<v>(?-i:[A-Z]{1,5}(?: \d{5,10}|[/-]?\d{3,10})(?:[/-][A-Z0-9]{1,8}){0,4}|[A-Z]{1,3}\d{0"
    r",3}(?:-\d{2,8}){1,3}|\d{2,8}(?:[/-]\d{1,8}){1,3}"
    r"(?:-?[A-Z]{1,2})?))(?![\w]|[.,:/-]\d|\s?(?:%|mg|ml|years|months|days|weeks|hours|minutes|patients))"
)
_GAP = (
    r"[ \t.:#=,*_-]{0,5}(?:(?:number|no|num|nr|id|ID)\b[ .:#=]{0,4})?"
    r"(?:(?:is|was|says|reads|shows|ending|ends|in|of|on file is|here is)\b[ .:]{0,4}){0,2}"
    r"(?:number |no\.? |# ?)?[\[(#]?"
)


def _of(*names: str) -> str:
    return any_of(*map(LABELS, names))


def _cues(*names: str) -> frozenset[str]:
    return cues(*map(LABELS, names))


_SPOKEN = (
    rf"(?P<v>\b{SPOKEN_DIGITS}"
    rf"(?:[ ,.-]{{1,2}}(?:(?:dash|hyphen|slash|then|and) )?{SPOKEN_DIGITS}){{3,13}}\b)"
)
# Spoken numbers almost always hold one of them.
_DIGIT_WORDS = frozenset(("double", "triple", "oh", "zero", "six", "seven", "eight", "nine"))

# Words of which a text with one of `grouped_record_labels` holds one.
_RECORD_WORDS = frozenset(
    (
        *(
            "no",
            "number",
            "id",
            "record",
            "rec",
            "uhid",
            "encounter",
            "chi",
            "csn",
            "har",
            "urn",
            "nhi",
        ),
        *("mrn", "mrns", "wristband", "nhs", "hcn", "phn", "mr", "mrno", "identifier", "sheet"),
        *(
            "ipd",
            "opd",
            "bht",
            "ticket",
            "registration",
            "biobank",
            "block",
            "slide",
            "invoice",
            "ref",
            "accession",
            "requisition",
            "barcode",
            "cassette",
        ),
    )
)
# Tried if a text holds something like a number.
LOOSE_NUMBER_PATTERNS: tuple[LabelledPattern, ...] = (
    plain_pattern(
        "mrn",
        _cues("grouped_record_labels"),
        rf"\b{_of('grouped_record_labels')}(?![a-z]){_GAP}{_VALUE}",
        least=4,
        score=_SURE,
        also=_RECORD_WORDS,
    ),
    plain_pattern(
        "mrn",
        _cues("doubtful_record_labels"),
        rf"(?<![\w-]){_of('doubtful_record_labels')}(?![a-z]){_GAP}{_GROUPED}",
        least=5,
        score=DOUBTFUL_SCORE,
        shape=rb"A(?: 0{5}|[/-]?000|0{0,3}-00)|00[/-]0",
    ),
    # "Ref: DJM/4471820".
    plain_pattern(
        "mrn",
        frozenset(("ref", "reference")),
        r"\b(?:ref|reference)\b[.: ]{1,3}(?P<v>(?-i:[A-Z]{2,5}/(?:[A-Z]{1,4}/)?\d{4,10}(?:/[A-Z"
        r"\d]{1,6})?))(?!\w)",
        score=DOUBTFUL_SCORE,
    ),
    # "I have you down as chart 88-1032", "my card says 7710-3345-A".
    plain_pattern(
        "mrn",
        frozenset(("down", "card", "bracelet", "wristband", "screen", "chart", "system")),
        r"\b(?:down (?:as|under)|(?:card|bracelet|wristband|screen|chart|system) (?:says|reads|"
        r"shows))"
        rf"(?: (?:chart|record|number|file|no|patient|the)\.?){{0,3}}:? {_GROUPED}",
        least=4,
        score=_SURE,
    ),
    # An answer to a question for the number on a wristband: "It says H8841207".
    plain_pattern(
        "mrn",
        frozenset(("number", "wristband", "bracelet", "card", "id")),
        rf"\b(?:number|wristband|bracelet|card|id)\b[^?\n]{{0,40}}\?\s{{1,2}}(?:Patient|Guest_"
        rf"\w{{4,9}}):\s(?:[\w'’]{{1,8}}[ ,]{{1,2}}){{0,4}}{_VALUE}",
        least=5,
        score=_SURE,
        also=frozenset(("patient",)),
    ),
    # "her old chart (204477)".
    plain_pattern(
        "mrn",
        frozenset(("chart", "record", "records", "file", "notes")),
        r"\b(?:chart|records?|file|notes) [(\[#](?P<v>\d{5,10})[)\]]?(?!\w)",
        least=5,
        score=_SURE,
    ),
    plain_pattern(
        "ssn",
        frozenset(("ssn", "social")),
        r"\b(?:ssn|social(?: security)?(?: number)?)\b[^.\n\d]{0,12}\b(?:ends?|ending|are|is)(?"
        r": in| with)? (?P<v>\d{4})(?![\w-])",
        score=_SURE,
    ),
    # "the patient (ID 30-1182)", "case (record no. RMH 771902)".
    plain_pattern(
        "mrn",
        frozenset(("id", "record", "file", "chart", "no", "number")),
        rf"[(\[](?:[^()\n]{{0,40}}[,;:] )?(?:(?:patient|hospital|record|file|chart|case|subject"
        rf") ?)?"
        rf"(?:id|record|file|chart|no|number)(?:\.? (?:no|number))?[.:# ]{{1,3}}{_GROUPED}",
        least=4,
        score=_SURE,
    ),
    plain_pattern(
        "other_id",
        _cues("national_number_labels"),
        rf"\b{_of('national_number_labels')}(?![a-z])(?: card)?{_GAP}{_VALUE}",
        least=6,
        score=_SURE,
    ),
    plain_pattern(
        "other_id",
        frozenset(("pan",)),
        r"\bPAN\b[^\n\w]{0,4}(?:(?:no|number|card)\b[^\n\w]{0,4})?"
        r"(?P<v>(?-i:[A-Z]{5}\d{4}[A-Z]))\b",
    ),
    plain_pattern(
        "license",
        frozenset(("licence", "license", "dl", "dvla", "driving")),
        rf"\b(?:driv\w{{2,4}}(?:['’]s)? licen[cs]e|dl|licen[cs]e)(?![a-z]){_GAP}"
        r"(?P<v>(?-i:[A-Z]{1,5}[ -]?\d{3,8}(?:[ -]?[A-Z0-9]{2,6}){0,3}))(?!\w)",
        least=5,
        score=_SURE,
    ),
    plain_pattern(
        "device",
        _cues("grouped_device_labels"),
        rf"\b{_of('grouped_device_labels')}(?![a-z])[ .:#=,-]{{0,4}}(?:card )?{_GAP}(?:S/?N |RE"
        rf"F )?{_VALUE}",
        least=4,
        score=_SURE,
    ),
    plain_pattern(
        "device",
        _cues("numbered_devices"),
        rf"\b{_of('numbered_devices')}(?![a-z])[ :#,]{{1,3}}(?:(?:S/?N|number|no\.?|card) )?#?"
        r"(?P<v>(?-i:[A-Z]{1,5}\d{0,2}[ -]?(?:[A-Z]{1,4}\d{0,2}-)?\d{5,10}(?:-[A-Z\d]{1,6})?))("
        r"?!\w)",
        score=_SURE,
    ),
    plain_pattern(
        "device",
        frozenset(("lot", "batch", "ref")),
        rf"\b(?:lot|batch|ref(?= REF))\b{_GAP}(?:REF )?{_GROUPED}",
        least=4,
        score=DOUBTFUL_SCORE,
    ),
)

# Plates by their form after a looser word, and numbers that are spoken; they may lack digits.
LOOSE_WORDED_PATTERNS: tuple[LabelledPattern, ...] = (
    plain_pattern(
        "vehicle",
        frozenset(
            ("reg", "registration", "plate", "plates", "tag", "vehicle", "car", "van", "registered")
        ),
        r"\b(?:reg|registration|plates?|tag|vehicle|car|van)\b[^\w\n]{0,3}(?:(?:no|number|is|was|reads|mark)\b"
        r"[^\w\n]{0,3}){0,2}(?P<v>(?-i:[A-Z]{2}\d{2} ?[A-Z]{3}|[A-Z]{2}[ -]\d{1,2}[ -][A-Z]{1,2"
        r"}[ -]\d{4}"
        r"|\d?[A-Z]{3}[ -]?\d{3,4}|\d{3,4}[ -][A-Z]{3}))(?!\w)",
        score=_SURE,
    ),
    plain_pattern(
        "mrn",
        _cues("sure_record_labels", "spoken_number_labels"),
        rf"\b{_of('sure_record_labels', 'spoken_number_labels')}\b[^.;!?\n]{{0,30}}?{_SPOKEN}",
        score=_SURE,
        also=_DIGIT_WORDS,
    ),
)
