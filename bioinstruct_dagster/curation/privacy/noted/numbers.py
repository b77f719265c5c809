"""Numbers that identify by their form or by a thing near them: "notes filed under 6252-22".

Belongs here: numbers that no label announces at once. Does not: numbers right after a label
(labels, loose_numbers). The words are in `words/noted.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, TEXT_LIMIT, Span
from bioinstruct_dagster.curation.privacy.labelled_numbers import is_date
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, any_of

# It begins with the digit, because the search for one character is the fastest.
_RUN = re.compile(
    r"\d(?:\d{2}\s\d{3}(?:\s\d{2,4})?(?!\s?\d)|\d\s\d\d\s\d\d\s\d\d|\d\s\d{3}\s\d{3}(?!\s?\d)"
    r"|\d{3}[ ]\d{4}(?:[ ]\d{2,4})?(?![ ]?\d)"
    r"|(?:(?:[A-Z]{0,3}[./-]?|/[A-Z]{1,3}|-[A-Z]{1,3}-?)\d){3,20})"
)
_BEFORE_RUN = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:[A-Z]{1,4}[./-]){1,2}[A-Z]{0,3}|(?<![A-Za-z0-9])[A-Z]{1,6}\s?)$"
)
_AFTER_RUN = re.compile(r"[./-]?[A-Z]{1,3}(?![A-Za-z0-9])|[/-][A-Z0-9]{1,3}(?![A-Za-z0-9])")
_QUANTITY_AFTER = re.compile(
    rf"[\s-]?(?:%|‰|°|[×x]\s?10|\(|\+|/\s?[a-zµμ(]|{any_of(NOTED('quantities_after'))}(?![A-Za-z]))"
    r"|[.,:]\d|[\d'’^*/]|\s?[-–=<>±/~]\s?[\d.]",
    re.IGNORECASE,
)
_QUANTITY_BEFORE = re.compile(
    rf"(?:[$€£¥=<>≥≤~±+^*:]\s?|(?<![A-Za-z]){any_of(NOTED('quantities_before'))}\.?\s)$",
    re.IGNORECASE,
)
_THING = re.compile(
    rf"(?<![A-Za-z]){any_of(NOTED('identified_things'))}(?![A-Za-z])", re.IGNORECASE
)
_SURE = re.compile(
    rf"(?<![A-Za-z]){any_of(NOTED('sure_identified_things'))}(?![A-Za-z])", re.IGNORECASE
)
_GROUP_THING = re.compile(
    rf"(?<![A-Za-z]){any_of(NOTED('group_things'))}(?![A-Za-z])", re.IGNORECASE
)
_PREFIXES = NOTED("not_identified_prefixes")
_PUBLIC = re.compile(
    r"\b(?:pmid|pmc\w*|doi|isbn|issn|nct|isrctn|eudract|prospero|crd|grant|cas|genbank|omim|uniprot|rrid"
    r"|clinicaltrials|catalog|protocol|icd|cpt|loinc|snomed|sequence|chromosome|patent|e/p|text(?:ing)?\s\w{1,12}\sto)\b"
    r"\W{0,3}[^;!?\n]{0,24}$",
    re.IGNORECASE,
)
_MEASURE = re.compile(
    r"\d{1,3}/\d{1,3}(?:[./-]\d{1,3}){0,2}|\d{1,4}[.]\d{1,4}|\d{1,4}-\d{1,4}"
    r"|\d+\.\d+(?:-\d+(?:\.\d+)?)?|\d{1,3}(?:-\d{1,3}){1,4}|\d{1,2}/\d{4}|\d+(?:\.\d+)?/\d+"
    r"|\d\.\d{1,2}(?:/\d{1,3}(?:\.\d+)?){1,4}"  # gases in blood
)
# A history of pregnancies, a hotline (which telephones decides on), codes of registers.
_NO_IDENTIFIER = re.compile(
    r"G\d{1,2}P\d{1,4}|(?:1-)?8(?:00|33|44|55|66|77|88)-\d{3}-\d{4}|(?:NCT|CPT|ICD|LOINC|SNOMED|SCTID|RXCUI|MESH|PMID|PMC)\W?\d.*"
)
_GROUPED = re.compile(r"\d{1,3}-\d{4}|\d{1,3}(?:-\d{2,3}){2}")
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GOES_ON_BEFORE = tuple("$€£.,-–/_=<>~^+*@")
_JOINING = frozenset("./-")  # between the parts of a number
_BEFORE, _AFTER = 80, 25  # characters in which a thing is looked for
_SHORT, _LONG = 4, 6  # digits
_LISTED = 6  # characters between two numbers of a list
_SHAPE = re.compile(r"\d")


def noted_number_spans(text: ScannedText, *, group: bool) -> Iterator[Span]:
    """Numbers of records, samples, accounts and devices in a text about one person.

    Args:
        text: the text.
        group: whether it is also about groups of persons; then a thing must stand near.
    """
    raw, last, shape = text.raw, -_LISTED, ""
    for match in _RUN.finditer(raw):
        start, end = match.span()
        # Most runs are a pressure, a year or a value, which cost nothing here.
        if _is_plain(raw, start, end) and (
            (_MEASURE.fullmatch(match[0]) and not _GROUPED.fullmatch(match[0]))
            or (last < 0 and is_date(match[0]))
        ):
            continue
        before = raw[max(0, start - 12) : start]
        if left := _BEFORE_RUN.search(before):
            start -= len(left[0])
        elif before[-1:].isalnum() or before[-1:] in _GOES_ON_BEFORE:
            continue
        if right := _AFTER_RUN.match(raw, end):
            end = right.end()
        spaced = not left and raw[match.start() : end].count(" ") == 1
        if not (raw[end : end + 1].isalnum() or (spaced and match[0][3] == " ")):
            value = raw[start:end]
            listed = 0 < start - last <= _LISTED and _SHAPE.sub("0", value) == shape
            if listed or (
                not _is_measure(value, raw, end)
                and _is_identifier(value, raw, start, end, group=group)
            ):
                yield Span("other_id", start, end, DOUBTFUL_SCORE)
                last, shape = end, _SHAPE.sub("0", value)


def _is_plain(raw: str, start: int, end: int) -> bool:
    """Whether a run of digits touches no other signs but spaces and the end of a sentence."""
    before, after = raw[start - 1 : start], raw[end : end + 2]
    return not (before.isalnum() or before in _JOINING) and (
        not after or after[0] in " \n,;)" or (after[0] == "." and not after[1:].isalnum())
    )


def _is_measure(value: str, raw: str, end: int) -> bool:
    """Whether a value is a date, a year, a ratio, a range or a quantity."""
    body = value.lstrip(_CAPITALS)
    spaced = body.removeprefix(" ")
    return (
        is_date(value)
        or is_date(spaced)
        or (
            _MEASURE.fullmatch(spaced if spaced != body else value) is not None
            and not (_GROUPED.fullmatch(value) and _SURE.search(raw, max(0, end - 50), end))
        )
        or _QUANTITY_AFTER.match(raw, end) is not None
    )


def _is_identifier(value: str, raw: str, start: int, end: int, *, group: bool) -> bool:
    before = raw[max(0, start - _BEFORE) : start].rpartition(TEXT_LIMIT)[2]
    if _PUBLIC.search(before[-40:]) or _NO_IDENTIFIER.fullmatch(value):
        return False
    prefix = value[: len(value) - len(value.lstrip(_CAPITALS))]
    digits, plain = sum(map(str.isdigit, value)), value.isdigit()
    lettered = any(map(str.isalpha, value))
    if group or prefix in _PREFIXES:
        return (lettered or digits > _SHORT) and _GROUP_THING.search(before[-30:]) is not None
    if digits >= _LONG or (lettered and digits > _SHORT):
        return not (plain and value.endswith("000"))
    if _SURE.search(before[-40:]) and not _QUANTITY_BEFORE.search(before):
        return True
    near = re.split(r"[.;!\n]\s", before)[-1][-50:]
    after = re.split(r"[.;!?\n]", raw[end : end + _AFTER].partition(TEXT_LIMIT)[0])[0]
    return (lettered or digits > _SHORT) and bool(_THING.search(near) or _THING.search(after))
