"""Numbers that identify by their form or by a thing near them: "the old notes, filed under 6252-22".

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
    r"\d(?:(?:[A-Z]{0,3}|[./-]|/[A-Z]{1,3}|-[A-Z]{1,3}-?)\d){3,20}|\d{3}[ ]\d{3}[ ]\d{3,4}|\d\d[ ]\d\d[ ]\d\d[ ]\d\d"
    r"|\d{4}[ ]\d{4}(?:[ ]\d{2,4})?"
)
_BEFORE_RUN = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:[A-Z]{1,4}[./-]){1,2}[A-Z]{0,3}|(?<![A-Za-z0-9])[A-Z]{1,6}\s?)$"
)
_AFTER_RUN = re.compile(r"[/-]?[A-Z]{1,3}(?![A-Za-z0-9])|[/-][A-Z0-9]{1,3}(?![A-Za-z0-9])")
_QUANTITY_AFTER = re.compile(
    rf"[\s-]?(?:%|‰|°|[×x]\s?10|\(|\+|/\s?[a-zµμ(]|{any_of(NOTED('quantities_after'))}(?![A-Za-z]))"
    r"|[.,:]\d|[\d'’^*/]|\s?[-–=<>±/~]\s?[\d.]",
    re.IGNORECASE,
)
_QUANTITY_BEFORE = re.compile(
    rf"(?:[$€£¥=<>≥≤~±+^*:]\s?|(?<![A-Za-z]){any_of(NOTED('quantities_before'))}\.?\s)$", re.IGNORECASE
)
_THING = re.compile(rf"(?<![A-Za-z]){any_of(NOTED('identified_things'))}(?![A-Za-z])", re.IGNORECASE)
_SURE = re.compile(
    rf"(?<![A-Za-z]){any_of(NOTED('sure_identified_things'))}(?![A-Za-z])", re.IGNORECASE
)
_PREFIXES = NOTED("not_identified_prefixes")
_PUBLIC = re.compile(
    r"\b(?:pmid|pmc\w*|doi|isbn|issn|nct|isrctn|eudract|prospero|crd|grant|cas|genbank|accession numbers?|"
    r"omim|mim|uniprot|rrid|trial|registry|registered|clinicaltrials|catalog|cat|protocol|icd|cpt|loinc|snomed|"
    r"e/p|ref|sequence|rs|chromosome|chr|position|zinc|fda|nda|patent|isin|hgvs|c|g|p)\b\W{0,3}[^;!?\n]{0,24}$",
    re.IGNORECASE,
)
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_GOES_ON_BEFORE = tuple("$€£.,-–/_=<>~^+*@")
_BEFORE, _AFTER = 80, 40  # characters in which a thing is looked for
_SHORT, _LONG, _CERTAIN = 4, 6, 8  # digits


def noted_number_spans(text: ScannedText, *, person: bool, group: bool) -> Iterator[Span]:
    """Numbers of records, samples, accounts and devices in a text.

    Args:
        text: the text.
        person: whether the text is about one person.
        group: whether it is also about groups of persons.
    """
    raw = text.raw
    for match in _RUN.finditer(raw):
        start, end = match.span()
        before = raw[max(0, start - 12) : start]
        if (left := _BEFORE_RUN.search(before)) is not None:
            start -= len(left[0])
        elif before[-1:].isalnum() or before[-1:] in _GOES_ON_BEFORE:
            continue
        if (right := _AFTER_RUN.match(raw, end)) is not None:
            end = right.end()
        if end < len(raw) and raw[end].isalnum():
            continue
        if _is_identifier(raw, start, end, person=person, group=group):
            yield Span("other_id", start, end, DOUBTFUL_SCORE)


def _is_identifier(raw: str, start: int, end: int, *, person: bool, group: bool) -> bool:
    value = raw[start:end]
    digits = sum(map(str.isdigit, value))
    letters = value.strip("0123456789 ./-")
    body = value.lstrip(_CAPITALS)
    prefix = value[: len(value) - len(body)]
    if is_date(value) or is_date(body.strip()) or _is_measure(body.strip() if body[:1] == " " else value) or _QUANTITY_AFTER.match(raw, end):
        return False
    before = raw[max(0, start - _BEFORE) : start]
    if TEXT_LIMIT in before:
        before = before[before.rindex(TEXT_LIMIT) :]
    if _PUBLIC.search(before[-40:]):
        return False
    if group and not _THING.search(before):
        return False
    plain = value.isdigit()
    if plain and len(value) == 4 and value[:2] in ("19", "20"):
        return False
    if prefix in _PREFIXES and not _THING.search(before):
        return False
    if digits >= _CERTAIN and (person or plain) and not (prefix and prefix in _PREFIXES):
        return plain is False or not _QUANTITY_BEFORE.search(before) or person
    if not person:
        return False
    if digits >= _LONG or (letters and digits > _SHORT):
        return not (plain and value.endswith("000"))
    after = raw[end : end + _AFTER].split(TEXT_LIMIT)[0]
    after = re.split(r"[.;!?\n]", after)[0]
    if _SURE.search(before[-40:]) and not _QUANTITY_BEFORE.search(before.removesuffix("number is ")):
        return True
    near = re.split(r"[.;!\n]\s", before)[-1]
    return bool(letters or digits > _SHORT) and bool(_THING.search(near[-50:]) or _THING.search(after[:25]))


def _is_measure(value: str) -> bool:
    """Whether a value is a ratio, a range, a decimal number, or a range of years."""
    return re.fullmatch(r"\d{1,3}/\d{1,3}(?:[./-]\d{1,3}){0,2}|\d{1,4}[.]\d{1,4}|\d{1,4}-\d{1,4}|\d+\.\d+(?:-\d+(?:\.\d+)?)?|\d{1,3}(?:-\d{1,3}){1,4}|\d{1,2}/\d{4}", value) is not None
