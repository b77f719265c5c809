"""Dates that are tied to a person, and ages over 89.

Belongs here: what makes a date a person's (a birth, a visit, a stay) and not a study's, a
guideline's or a publication's. Does not: persons' names. Every repetition is bounded.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span, words

_BORN, _EVENT_SCORE, _WEAK = 0.85, 0.75, 0.5

_MONTH_WORDS = words(
    "january february march april may june july august september october november december"
    " jan feb mar apr jun jul aug sep sept oct nov dec"
)
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG"
    r"|SEP|OCT|NOV|DEC)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
# With the day: "March 3", "March 3rd, 2021", "3 March 2021", "03-Mar-21".
_DAYS = re.compile(
    rf"(?<![\w.-])(?:{_MONTH}\b\.?\s{_DAY}\b(?:,?\s(?P<y1>{_YEAR})\b)?"
    rf"|{_DAY}(?:\sof)?[\s-]{_MONTH}\b(?:\.?,?[\s-](?P<y2>{_YEAR}\b|\d\d(?=[\s,.;)]"
    rf"|$)))?)(?![%/\w])"
)
_MONTHS = re.compile(rf"(?<![\w.-]){_MONTH}\b\.?,?\s(?:of\s)?{_YEAR}\b")
_SHORT = re.compile(r"(?<=\s)(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?![\w/%]|\.\d)")
_SHORT_CUE = re.compile(
    r"\b(?:(?:admitted|seen|discharged|visit|transferred|expired|died|born|presented|operated"
    r"|surgery|appointment|appt|delivered|placed|removed|started|date|evaluated)(?:\s(?:on|of))?"
    r"|dob|on)[:\s]{1,2}$",
    re.IGNORECASE,
)

_BIRTH = re.compile(
    r"\b(?:d\.?o\.?b|birth\s?da(?:te|y)|date of birth|(?:was|is|were|be) born|born|b\.)(?![\w])",
    re.IGNORECASE,
)
# A stay, a visit or a death is a person's even where the person is not named.
_STAY = re.compile(
    r"\b(?:admi(?:tted|ssion)|discharged?|d/c|dod|dos|died|deceased|death|passed away|pronounced"
    r"|seen|appointment|appt|visit(?:ed)?\s(?:on|date)|hospitali[sz]ed|date of (?:service|visit"
    r"|surgery|procedure|exam\w{0,8}"
    r"|injury|onset|consult\w{0,6}|collection)|encounter|transferred)\b",
    re.IGNORECASE,
)
_EVENT = re.compile(
    r"\b(?:evaluated|examined|exam|presented|visit(?:ed)?|follow-?up|f/u|underwent|operated"
    r"|operation|surgery|procedure|lmp|menstrual period|edd|due date|collected|drawn|dictated"
    r"|signed|scheduled|delivered|delivery|implant(?:ed|ation)|placed|inserted|diagnosed"
    r"|diagnosis|onset|injur(?:y|ed)|accident|consult(?:ed|ation)?|service|referred|referral"
    r"|arriv(?:ed|al)|biops(?:y|ied)|transplant(?:ed)?|vaccinat(?:ed|ion)|married|fell|struck"
    r"|stopped|returned|intubated|extubated|resected|expired|registration|registered)\b",
    re.IGNORECASE,
)
# Of the world, not of a person: publications, studies, approvals, ranges of time.
_WORLD = re.compile(
    r"\b(?:publish|publication|updated|accessed|retriev|guideline|recommendation|version|approv"
    r"|fda\b|ema\b|who\s(?:declared|issued|released|guideline)|cdc\b|trial|stud(?:y|ies)\b|enrol"
    r"|recruit|between|journal|conference|congress|releas|copyright|effective|pandemic|outbreak"
    r"|epidemic|declared|literature|search|database|cohort|participants|patients|cases\b"
    r"|population|survey|law\b|act\b|policy|regulation|issued|awareness|world|international"
    r"|doi\b|pubmed|medline|embase|cochrane|et al|article|season|recall(?:ed)?|press\b|announc"
    r"|licensed|marketing|invented|discovered|histor(?:ical|ian)|nobel|investigator|centers)",
    re.IGNORECASE,
)
_ONE_PERSON = re.compile(
    r"\b(?:patient|infant|child|neonate|decedent|pt|\d{1,3}[- ](?:year|yr|month)s?[- ]old|y/?o|he"
    r"|she|his|her|him|mr|mrs|ms|mom|mother|father|wife|husband|son|daughter|baby)\b(?!s)",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\b(?:hpi|chief complaint|mrn|discharge summary|progress note|clinic note|admission note"
    r"|operative (?:note|report)|dob|attending|history of present illness|subjective:|pt\b"
    r"|patient(?: name)?:|patient id)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!Mrs)(?<!\b[A-Z])[.!?;]\s|\n")
_BEFORE, _AFTER = 160, 80


def date_spans(text: ScannedText, numeric: Sequence[Span], named: Sequence[Span]) -> Iterator[Span]:
    """The dates of a text that are a person's, at the score that their context gives them.

    Args:
        text: the text.
        numeric: dates in figures, as Presidio sees them.
        named: the persons that the text names.
    """
    if not text.has_digit:
        return
    names = sorted(span.start for span in named)
    dates = [(span.start, span.end, True) for span in numeric]
    if text.says(_MONTH_WORDS):
        dates += (
            (*match.span(), bool(match["y1"] or match["y2"])) for match in _DAYS.finditer(text.raw)
        )
        yield from _months(text.raw, names)
    if "/" in text.raw:
        dates += (
            (*match.span(), False)
            for match in _SHORT.finditer(text.raw)
            if _SHORT_CUE.search(text.raw[max(0, match.start() - 30) : match.start()])
        )
    note = bool(dates) and _NOTE.search(text.raw) is not None
    for start, end, full in dates:
        score = _score(text.raw, start, end, names, note=note)
        if score:
            yield Span("date", start, end, score if full else _WEAK)


def _months(text: str, names: Sequence[int]) -> Iterator[Span]:
    """A month and a year tell of a person only where the sentence speaks of one."""
    for match in _MONTHS.finditer(text):
        before, after = _sentence(text, *match.span())
        tied = _BIRTH.search(before) or _STAY.search(before) or _EVENT.search(before)
        if (
            tied
            and not _WORLD.search(before + after)
            and (
                _ONE_PERSON.search(before + after) or _is_near(names, match.start(), before, after)
            )
        ):
            yield Span("date", *match.span(), _WEAK)


def _score(text: str, start: int, end: int, names: Sequence[int], *, note: bool) -> float:
    """How surely a date is a person's; 0.0 where it is not."""
    before, after = _sentence(text, start, end)
    if _BIRTH.search(before[-60:]):
        return _BORN
    if _WORLD.search(before) or _WORLD.search(after):
        return 0.0
    if _STAY.search(before):
        return _EVENT_SCORE
    one = _ONE_PERSON.search(before + after) is not None
    one = one or _is_near(names, start, before, after)
    if _EVENT.search(before) or _EVENT.search(after):
        return _EVENT_SCORE if one or note else _WEAK
    return _WEAK if one or note or names else 0.0


def _is_near(names: Sequence[int], start: int, before: str, after: str) -> bool:
    """Whether a name begins in the sentence; `names` are sorted places."""
    first = bisect_left(names, start - len(before))
    return first < len(names) and names[first] <= start + len(after) + _AFTER


def _sentence(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after the span in its sentence or line."""
    before, after = text[max(0, start - _BEFORE) : start], text[end : end + _AFTER]
    begins = 0
    for match in _BREAK.finditer(before):
        begins = match.end()
    ends = _BREAK.search(after)
    return before[begins:], after[: ends.start()] if ends else after


_OLD_HINT = re.compile(r"9\d|1[01]\d")
_TENS = r"(?:9\d|1[01]\d)"
_AGES = re.compile(
    rf"(?<![\w.$€£<>≥≤/–-])(?P<v>{_TENS})(?:[- ]?(?:years?|yrs?)[- ]?old|[- ]?y\.?/?o\.?(?!\w)"
    r"|[- ]years?[- ]of[- ]age)"
    rf"|\b(?:[Aa]ge|AGE|[Aa]ged)[*_]{{0,2}}(?:\s(?:is|was|of)\s|\s?[:=]\s?|\s\(years\):?\s"
    rf"|\s)[*_]{{0,2}}"
    rf"(?P<a>{_TENS})\b(?!\s?[-–%/]\s?\d|\.\d|\s(?:to|or|and)\s|\s?(?:%|mg|kg|cm|min|hours|days"
    rf"|weeks|months))"
    r"|(?P<n>[Nn]inety(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)[- ]years?[- ]old"
    rf"|\b(?:turned|turning|is now)\s(?P<t>{_TENS})\b(?=\s(?:years|this|last|in|on|and)|[,.])"
    rf"|(?<![\w.-])(?P<s>{_TENS})\s(?:female|male|man|woman|gentleman|lady)\b(?!-)"
    rf"|(?:^|\(|[Pp]t\s|\b[Aa]\s)(?P<f>{_TENS})[FM]\b"
)
_NOT_ONE = re.compile(
    r"(?:over|above|than|least|beyond|≥|>|<|≤|until|up to|between|to|-|–|and|or|adults|patients"
    r"|people|individuals|persons|participants|residents|those|women|men|subjects|groups?|under"
    r"|below|range|mean|median|average|reach(?:ed|ing)?)\s{0,2}(?:the\s)?(?:age[ds]?\s)?(?:of\s)?$",
    re.IGNORECASE,
)
_MANY_AFTER = re.compile(
    r"\s?(?:s\b|adults|patients|people|individuals|persons|participants|residents|women|men"
    r"|subjects|groups?|populations?|or (?:older|over|above|more)|and (?:older|over|above|up)"
    r"|years (?:or|and) (?:older|over|above)|trees?|hospital|building|institution)",
    re.IGNORECASE,
)


def age_spans(text: ScannedText) -> Iterator[Span]:
    """Ages over 89 of one person."""
    if "ninety" not in text.words and not (text.has_digit and _OLD_HINT.search(text.raw)):
        return
    for match in _AGES.finditer(text.raw):
        start, end = match.span(str(match.lastgroup))
        many = _MANY_AFTER.match(text.raw, match.end())
        if not many and not _NOT_ONE.search(text.raw[max(0, start - 40) : start]):
            yield Span("age_over_89", start, end, 0.85)
