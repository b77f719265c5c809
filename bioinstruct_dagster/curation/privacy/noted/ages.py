"""Ages over 89 beside a word for the person: "resident is 97", "in her ninety-fifth year".

Belongs here: a light context for such an age, and years of birth that tell it. Does not: ages with
"years old" (old_ages.ages) or after a relative (old_ages.told). The words are in
`words/noted.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.old_ages.told import ONES, WRITTEN, WRITTEN_HELD
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, any_of, any_start_of, pieces

_HIGH = r"(?:9\d|10\d|11[0-5])"
_NO_MORE = (
    r"\b"
    rf"(?![\w%°/:–-]|[.,]\d|\s?(?:%|°|[-–/x×]\s?\d|{any_of(NOTED('no_age_after'))}(?![A-Za-z]))|\s{ONES}\b|\s(?:and\s)?[a-z]{{3,5}}(?:ty|teen)\b|[-\s]?hundred)"
)
_AGE = rf"(?<![\w.$€£<>≥≤/–:-])(?:{_HIGH}|{WRITTEN}){_NO_MORE}"
_PERSON = any_start_of(NOTED("old_persons"))
_LINK = (
    r"(?:['’]s|['’]ll\sbe|['’]m|\sis|\swas|\sare|\sam|\swill\sbe|\sof|\saged?|\sturn(?:s|ed|ing)|\sbeing|\snow|\salmost|\snearly|\spast|\sover|\sjust|\sonly|\sabout|\sapproaching|\snearing|\spushing|\sreached|\shas\s(?:just\s)?turned"
    r"|\sabove|\sbeyond|\salready|\sat|\sage|\sthe|\sripe|\sold|\scurrently|\spresently|\slived\sto|\sdied|\sactually|\stoday|\shere|\swhat|\slike|\sum|\suh|\swell|\soh|\smust\sbe|\smaybe|\slet['’]s\ssee|\s\(|,|:|\s-)"
)
_TOLD = re.compile(
    rf"(?<![\w-])(?:{_PERSON})(?:{_LINK}){{1,5}}\s?(?P<a>{_AGE})"
    rf"|\b(?i:turn(?:ed|s|ing)?|aged?|nearing|approaching|pushing|(?:is|was|be|being)\s(?:past|over|beyond|almost|nearly|close\sto)|age\sof|age\sis|the\sage)\s(?P<b>{_AGE})"
    rf"|\b(?:her|his|their|my|the|a)\s(?P<c>(?:ninety|hundred)[-\s](?:and[-\s])?\w{{4,8}}|nineti\w{{3}}|hundredth|(?:one[-\s])?hundred[-\s](?:and[-\s])?\w{{4,8}}|9\d(?:st|nd|rd|th)|1[01]\d(?:st|nd|rd|th))\s(?:year|birthday|name\sday)"
    rf"|\b(?P<d>{_HIGH}|{WRITTEN})(?:\.\d|\s(?:and\sa\shalf|1/2|½))?[-\s]?(?:years?|yrs?|y)\b(?:[-\s](?:old|of\sage|young|lady|man|woman|gentleman|male|female))?(?!\s(?:of\s(?!age)|follow|surviv|ago|later|before|after\s(?:the|surgery|diagnosis)|in\s(?:prison|business)))"
    rf"|(?<![\w.$/–:-])(?P<e>{_HIGH})\s?(?:yo|y\.o\.?|y/o|yr\.?\sold|[FMfm](?![\w./-]))(?![A-Za-z])"
    rf"|\b[Bb]orn\s(?:in\s|c\.?\s|circa\s|around\s)?(?P<f>19[012]\d|193[0-4])\b"
)
_DIGITS_HINT = re.compile(r"[91](?<![\w.-][91])(?:(?<=9)\d|(?<=1)[01]\d|(?<=1)9[0123]\d)(?!\d)")
_WRITTEN_HINT = re.compile(r"\b(?:[Nn]inet(?:y|ieth)|[Hh]undred(?:th)?)\b")
_GROUP = re.compile(
    r"\b(?:patients|adults|people|individuals|participants|residents|those|women|men|subjects|between|mean|median|range|older\sthan|aged\s\d+\s(?:to|and)|pulse|heart\srate|rate|pressure|bp|temp|temperature|fever|weight|weighs?|saturation|sats?|sat|o2|oxygen|glucose|sugar|bun|iq|level|score|pound)\b[^.;\n]{0,40}$",
    re.IGNORECASE,
)
_GROUP_AFTER = re.compile(
    r"\s?(?:s\b|or\s(?:older|over|more)|and\s(?:older|over|above)|(?:adults|patients|people|individuals|participants|women|men)\b)"
)
_BEFORE, _AFTER = 60, 30


def noted_age_spans(text: ScannedText) -> Iterator[Span]:
    """The ages over 89 in a text about one person."""
    raw = text.raw
    hints = []
    if text.has_digit:
        hints.append(_DIGITS_HINT)
    if text.marks.held & WRITTEN_HELD:
        hints.append(_WRITTEN_HINT)
    for hint in hints:
        for begin, end in pieces(hint, raw, _BEFORE, _AFTER):
            for match in _TOLD.finditer(raw, begin, end):
                start, finish = match.span(str(match.lastgroup))
                if not (
                    _GROUP.search(raw, max(0, start - 60), start) or _GROUP_AFTER.match(raw, finish)
                ):
                    yield Span("age_over_89", start, finish, DOUBTFUL_SCORE)
