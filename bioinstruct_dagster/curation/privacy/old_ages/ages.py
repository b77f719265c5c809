"""Ages over 89 of one person.

Belongs here: how such an age is written, and which words make it a limit or the age of a group.
Does not: dates (dates). The words are in `words/dates.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.names.forms import WORD
from bioinstruct_dagster.curation.privacy.old_ages.told import WRITTEN as _WRITTEN
from bioinstruct_dagster.curation.privacy.old_ages.told import WRITTEN_HELD
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import DATES, any_of, last_words
from bioinstruct_dagster.curation.privacy.vocabulary import WORD as LETTERS

# It begins with the digit, because the search for one character is the fastest.
OLD_NUMBER = re.compile(r"[91](?<!\d[91])(?:(?<=9)\d|(?<=1)[01]\d)(?!\d)")
_AGE_AFTER = re.compile(r"[- ]?(?:y|/?\(?[FM]\b)|[ ](?:fe)?male|[ ](?:lady|gentle|man\b|woman)")
_AGE_BEFORE = re.compile(
    rf"(?:\b(?:male|female|[mf]|man|woman),?\s|\bage[ds]?\b[^\d\n]{{0,16}}|\b(?i:{any_of(DATES('age_verbs'))})\s"
    r"|\b(?:ll be|will be|will turn|his|her|my|their|patient:|is|was|'s|’s|turned|turns|now|alm"
    r"ost|nearly|about|over|[a-z],|lived to|to be|died at|away at|passed at|diagnosed at|of|at)\s"
    r"|\bm(?:r|rs|s)\.?\s[\w'’-]{2,20},\s)$",
    re.IGNORECASE,
)
# The last words of what _AGE_BEFORE matches; after "age" further words may stand.
_LAST_BEFORE = last_words(DATES("age_verbs")) | frozenset(
    (
        *("male", "female", "m", "f", "man", "woman", "be", "turn", "his", "her", "my", "their"),
        *("patient", "is", "was", "s", "turned", "turns", "now", "almost", "nearly", "about"),
        *("over", "to", "at", "of"),
    )
)
_AROUND = 30  # characters on either side of such a number
_TENS = r"(?:9\d|1[01]\d)"
_YEARS_OLD = r"[- ]?(?:years?|yrs?)[- ]?(?:old|young)"
_AGES = re.compile(
    rf"(?<![\w.$€£<>≥≤/–-])(?P<v>{_TENS})(?:{_YEARS_OLD}|[- ]?y\.?/?o\.?(?!\w)"
    r"|[- ]?yrs?\b\.?(?=\s(?:old|[MF]\b|male|female|lady|gentleman|man|woman))"
    r"|[- ]years?[- ]of[- ]age"
    r"|[- ]?(?:years?|yrs?|y)\b\.?(?=[,;.)]|\s(?:and|who|with|admitted|presented|was|has|is)\b|$))"
    rf"|\b(?:[Aa]ge|AGE|[Aa]ged)[*_]{{0,2}}(?:\s(?:is|was|of)\s|\s?[:=]\s?|\s\(years\):?\s"
    rf"|\s)[*_]{{0,2}}"
    rf"(?P<a>{_TENS})\b(?!\s?[-–%/]\s?\d|\.\d|\s(?:to|or|and)\s|\s?(?:%|mg|kg|cm|min|hours|days"
    rf"|weeks|months))"
    rf"|(?<![\w-])(?P<n>{_WRITTEN})[- ]years?[- ]old"
    rf"|\b{any_of(DATES('age_verbs'))}\s(?P<t>{_TENS})\b(?=\s(?:years|this|last|in|on|and|now)"
    r"|[,.!?](?!\d)|$)"
    rf"|(?:(?:^|[.\n:(]\s{{0,2}})(?:\w{{1,9}}\s(?:is\s)?)?|\b(?:[Aa]n?|[Tt]his|[Pp]t|[Pp]atient)\s)"
    rf"(?P<s>{_TENS})\s{any_of(DATES('aged_persons'))}\b(?!-)(?!\s{any_of(DATES('animals'))})"
    rf"|(?:^|[\n(,;:]\s?|[Pp]t\s|\b(?:[Aa]|is|an)\s)(?P<f>{_TENS})\s?/?[FM]\b(?!\.\w)"
    rf"|\b(?:[Ff]emale|[Mm]ale|[MF]|[Ww]oman|[Mm]an),?\s(?:aged?\s)?(?P<g>{_TENS})\b(?=[,;.)]|\s[a-z]|$)"
    rf"(?!\.\d|\s(?:mg|kg|cm|mm|ml|min|of\b|to\b|out\b|%))"
    rf"|\b(?:[Aa]ged?|[Aa]ge\sof|turned|turning|(?:[Ss]he|[Hh]e)(?:\sis|['’]s)|I(?:\sam|['’]m))"
    rf"\s(?P<w>{_WRITTEN})\b(?!\s(?:percent|pounds|kilos|times|over|milligrams|degrees))"
    rf"|\bI(?:['’]ll|\swill)\s(?:be|turn)\s(?P<i>{_TENS})\b(?=\s(?:in|next|this|on|soon|tomorrow|years)|[,.!?])"
    rf"|\b(?:his|her|my|their|the\spatient's)\s(?P<b>{_TENS})(?:st|nd|rd|th)\sbirthday"
    rf"|\bold\sare\syou\b[^\n?]{{0,20}}\?\s{{0,2}}(?:[Pp]atient:\s)(?:\w{{2,5}},\s)?(?:(?:[Ii]\sam|I['’]m|[Ss]he\sis|[Hh]e\sis)\s)?(?P<q>{_TENS}|{_WRITTEN})\b"
    rf"|\b(?:lived\sto(?:\sbe)?|died\sat|passed\s(?:away\s)?at|diagnosed\sat|deceased\sat)\s(?:age\s)?(?P<d>{_TENS})\b"
    rf"(?!\s?[%:]|\.\d|\s(?:days|weeks|months|hours|minutes|mg|percent|am|pm))"
    rf"|\b(?:man|woman|lady|gentleman|boy|girl|patient)\sof\s(?P<m>{_TENS})\b(?=\syears|[,.;]|\swho|\swith)"
    rf"|\b(?:[Mm]rs?|MRS?|[Mm]s)\.?\s{WORD},\s(?P<c>{_TENS})(?=,|\.\s|\sand)"
    rf"|(?:{any_of(DATES('aged_ones'))})(?:['’]s|\sis|\swas|\swill\sbe|['’]ll\sbe|\sturned|\sturns|,)\s(?:now\s|almost\s|nearly\s|about\s|over\s)?(?P<p>{_TENS}|{_WRITTEN})"
    rf"(?=[,.!?;](?!\d)|\s(?:and|now|but|years|when|who|so|this|next|has|in\s[A-Z])|\n|$)"
    rf"|\b(?:his|her|my|their)\s(?:one\s)?(?P<r>(?:ninety|hundred)[- ](?:and\s)?\w{{4,10}}|nine"
    rf"tieth|hundredth)\sbirthday"
    rf"|\bin\s(?:his|her|their)\s(?:early\s|mid[- ]|late\s)?(?P<u>nineties|90s|90['’]s)\b"
    rf"|(?:^|[.!?]\s)[Aa]t\s(?P<o>{_TENS}),?\s(?=(?:he|she|my|I)\b)"
)
_GROUP_BEFORE = re.compile(
    rf"{any_of(DATES('not_one_age_before'))}\s{{0,2}}(?:the\s)?(?:age[ds]?\s)?(?:of\s)?$",
    re.IGNORECASE,
)
_GROUP_AFTER = re.compile(rf"\s?(?:s\b|{any_of(DATES('not_one_age_after'))})", re.IGNORECASE)
# "(101F)" after one of these is a temperature.
_HEAT = re.compile(rf"\b{any_of(DATES('heat'))}\b[^.;\n]{{0,60}}$", re.IGNORECASE)
_ANIMAL = re.compile(rf"\b{any_of(DATES('animals'))}", re.IGNORECASE)


# What belongs to the age: "92-year-old", "94 y".
_UNIT_AFTER = re.compile(
    r"[- ]?(?:years?|yrs?)(?:[- ]?(?:old|young)|[- ]of[- ]age)?\b|[- ]?y\.?/?o\b|[- ]?y\b"
)


def _matches(text: str, *, written: bool) -> Iterator[re.Match[str]]:
    if written:
        yield from _AGES.finditer(text)
        return
    last = 0
    for hint in OLD_NUMBER.finditer(text):
        begin = max(last, hint.start() - _AROUND)
        if _AGE_AFTER.match(text, hint.end()) or _is_age_before(text[begin : hint.start()]):
            match = _AGES.search(text, begin, hint.end() + _AROUND)
            if match:
                last = match.end()
                yield match


def _is_age_before(before: str) -> bool:
    lowered = before.lower()
    if "age" not in lowered:
        # A comma ends a person's name, and a letter that folds to another is left to the pattern.
        last = (lowered.split() or [""])[-1]
        if (
            last.isascii()
            and last[-1:] != ","
            and (LETTERS.findall(last) or [""])[-1] not in _LAST_BEFORE
        ):
            return False
    return _AGE_BEFORE.search(before) is not None


def age_spans(text: ScannedText) -> Iterator[Span]:
    """The ages over 89 in a text, without limits, ages of groups, temperatures and animals."""
    for match in _matches(text.raw, written=text.marks.held & WRITTEN_HELD != 0):
        group = str(match.lastgroup)
        start, end = match.span(group)
        before = text.raw[max(0, start - 80) : start]
        if (
            group not in "bqipru" and _GROUP_AFTER.match(text.raw, match.end())
        ) or _GROUP_BEFORE.search(before[-40:]):
            continue
        if group == "f" and _HEAT.search(before):
            continue
        if group in "sfg" and _ANIMAL.search(text.raw, match.end(), match.end() + 40):
            continue
        unit = _UNIT_AFTER.match(text.raw, end)
        end = unit.end() if unit else end
        # "In her nineties" identifies only beside a name.
        yield Span("age_over_89", start, end, 0.5 if group == "u" else 0.85)
