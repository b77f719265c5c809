"""Ages over 89 that a sentence tells without "years old": "Mother is alive, 94", "I'll be ninety".

Belongs here: what makes a number an age (a relative, a question for the age, a label), and words
for very old persons. Does not: ages with "years old" or the like (ages). The words are in
`words/dates.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import DATES, any_of, pieces

ONES = "(?:one|two|three|four|five|six|seven|eight|nine)"
WRITTEN = (
    rf"(?:[Nn]inety(?:[- ]{ONES})?"
    rf"|(?:[Aa]|[Oo]ne)[- ]hundred(?:[- ](?:and[- ])?(?:{ONES}|ten|eleven|twelve))?)"
)
WRITTEN_HELD = trigger(("ninety", "hundred", "nineties", "ninetieth", "hundredth"))
DECADES = trigger(("nineties", "nonagenarian", "centenarian", "supercentenarian"))
_AGED_HELD = trigger(("aged",))

_NO_AGE_AFTER = (
    rf"(?!\s?(?:{any_of(DATES('units_after_numbers'))})(?![A-Za-z])|[\d%/:–]|-\d|\.\d|,\d)"
)
# Above 109, a number without "years old" is more often a weight or a pressure.
_AGE = rf"(?:(?<![\w.$€£<>≥≤/–-])(?:9\d|10\d)|\b{WRITTEN})\b{_NO_AGE_AFTER}"
# It begins with the digit, because the search for one character is the fastest.
_DIGITS_HINT = re.compile(rf"[91](?<![\w.-][91])(?:(?<=9)\d|(?<=10)\d|0\d)(?!\w){_NO_AGE_AFTER}")
_WRITTEN_HINT = re.compile(r"\b(?:[Nn]inety|[Hh]undred)\b")
_ENDS = (
    r"(?=\s?(?:[,.;:)!?\n]|$)|\s(?:and|with|of|who|when|now|years?|yrs?|this|next|last|in|but|so|"
    r"today|soon|already|because|due|after|from|alive|is|has|tomorrow|at|then|if|my|dear|doctor)\b"
    r"|\s[A-Z]&[A-Z]|\son\s(?:my|her|his|the|[A-Z]))"
)
_RELATIVES = any_of(DATES("aged_relatives"))
_LINK = any_of(DATES("age_links"))
_PERSON = r"(?:[A-Z][\w'’.-]{1,15}\s?){1,3}"
_SPEAKER = r"(?:[A-Z][a-z]+(?:_[a-z]+)?(?:\s\d)?:\s)?"
_BE = (
    r"(?:['’](?:m|s|re|ll\sbe|ll\sturn)|\s(?:am|is|was|are|will\sbe|be|turns?|turned|turning|will\sturn"
    r"|just\sturned|going\sto\sbe|(?:am|is|was)\sgoing\sto\s(?:be|turn)|made\sit\sto|lived\sto|live\sto|got\sto|get\sto"
    r"|reached|died\sat|passed\sat))"
)
_MODERATELY = r"(?:now|almost|only|just|already|nearly|about|going\sto\sbe|to\sbe|around|like|over)"
_TOLD = re.compile(
    rf"\b(?i:{_RELATIVES})\b(?:,\s{_PERSON},?)?(?:\s{_LINK}(?![\w'’])|\sd\.|\s?[,(:;–-]|['’]s){{0,8}}"
    rf"\s?(?P<r>{_AGE}){_ENDS}"
    rf"|\b(?:I|[Ss]he|[Hh]e|who|[Pp]atient|[Pp]t|[Yy]ou){_BE}(?:\s{_MODERATELY}){{0,2}}\s"
    rf"(?P<p>{_AGE}){_ENDS}"
    rf"|\b(?i:how\sold|your\sage|age\s(?:is|was)|age\?|[hi][ie][sr]\sage|the\sage|age,\splease"
    rf"|patient['’]s\sage|age\sagain|years\sold)"
    rf"[^\n?]{{0,50}}\?\s{{0,3}}{_SPEAKER}(?:[\w'’]{{1,8}}[,.]?\s){{0,4}}?(?P<q>{_AGE})(?=[,.;!?\n]|\s|$)"
    rf"|(?:^|[.!?:\n,]\s{{0,2}})[Aa]t(?:\sthe\sage\sof|\sage)?\s(?P<a>{_AGE})(?:,|\syears?,?)?\s"
    r"(?=(?:he|she|I|you|my|his|her|we|they|the\spatient)\b)"
    rf"|\b(?:good|bad|great|well|healthy|fit|sharp|spry)\sfor\s(?P<g>{_AGE}){_ENDS}"
    rf"|(?<![\w.$<>≥≤–-])(?P<e>{_AGE})\s?(?:[Yy]|[Yy]rs?|[Yy]ears?)\.?(?:\s?/\s?[MF]\b|\sold\b)"
    rf"|\b(?:[Ll]ady|[Gg]entleman|[Ww]oman|[Mm]an|[Pp]atient|[Mm]rs?\.?\s[A-Z]\w{{0,15}}|[Mm]s\.?\s[A-Z]\w{{0,15}}),?\s\(?(?P<f>{_AGE})(?=\)|,\s[a-z])"
    rf"|\bgoing\son\s(?P<i>{_AGE}){_ENDS}|\b(?:almost|nearly)\s(?P<j>{_AGE})(?=\s(?:now|years)|[,.!])"
    rf"|\b(?:[Ss]he|[Hh]e|I)['’]ll\sbe\s(?P<m>{_AGE})(?=\scome\b)|\bI\sam\s(?P<s>90\s(?:plus|\+))"
    rf"|\b(?:her|his|my|their)\s(?P<x>ninety-[a-z]{{4,8}}th|9\dth)\syear\b"
    rf"|\b(?:live|make\sit|lived|reach)\sto(?:\sbe)?\s(?P<t>{_AGE})(?=\s?[,.!?])"
    rf"|\bget\sto(?:\sbe)?\s(?P<k>{_AGE})(?=\slike\sme)"
    rf"|\b(?i:age)(?:\s?/\s?sex)?(?:\s(?:at|on|of)\s[a-z]{{3,14}}(?:\s[a-z]{{3,14}})?)?"
    rf"(?:\s?\((?:y|yrs?|years|in\syears)\))?(?:\s?[:=–-]\s?|\s)(?P<l>{_AGE})(?!\s?(?:to|or|and)\b)"
    rf"|\b(?:[Ww]idow(?:er)?|[Rr]etired\s[a-z]{{3,14}}|[Rr]etiree|[Ff]armer|[Tt]eacher|[Gg]entleman"
    rf"|[Ll]ady|[Ww]oman|[Mm]an|[Mm]ale|[Ff]emale|[Hh]ousewife|[Vv]eteran)(?:,|\sof|\saged)\s(?P<n>{_AGE})"
    r"(?=[,.;)\n]|\s(?:who|with|years|admitted|seen|was|is|today|in\sclinic|referred|living)\b|$)"
    rf"|\b(?i:oldest)\b[^.;\n]{{0,40}}?(?:\s(?:was|is|being|at|aged?)|,)\s(?P<o>{_AGE})"
    r"(?=[,.;)]|\s(?:years?|at|when|and)\b|$)"
    rf"|\b(?:looks?|looking|pushing|nearing|approaching|hitting|(?:than|for)\s(?:her|his|my|your)"
    rf"|stated\sage\s(?:of\s)?|are\swhat,)\s(?P<w>{_AGE})(?=[,.;!?]|\s(?:years|and|now|today|this|next)\b|$|\n)"
    rf"|\b(?:until|till|since|to|by)\s(?:the\s)?age\s(?:of\s)?(?P<u>{_AGE})(?=,?\s(?:he|she|I)\b)"
    rf"|\b(?P<y>{WRITTEN})[- ](?:years?|yrs?)[- ](?:young|of\sage)"
    r"|(?<![\w.$<>≥≤–-])(?P<d>9\d\+)[- ]?(?:years?|yrs?|yo\b|y/o\b)?\s?(?:lady|gentleman|woman|"
    r"man|male"
    r"|female|old\s(?:lady|gentleman|woman|man))"
)
# "Two patients, aged 91 and 95 years".
_LISTED = re.compile(
    r"\b(?i:two|three|four|five|six|both)\b[^.\n]{0,50}?\baged?(?:\sof)?\s"
    r"(?P<v>\d{1,3}(?:(?:,\s|,?\sand\s)\d{1,3}){1,5})(?!\s(?:and|or)\s(?:over|older|above)|[%\d]|-\d|\.\d)"
)
_OLD_IN_LIST = re.compile(r"\b(?:9\d|1[01]\d)\b")
_DECADE = re.compile(
    r"\b[Ii]n\s(?:his|her|their|my)\s(?:(?:very\s)?(?:early|mid|late)[- ]?)?(?P<v>nineties|['’]"
    r"?90['’]?s)\b"
    r"|\b(?:his|her|their|my)\s(?P<w>(?:early|mid|late)[- ](?:to[- ]late[- ])?(?:nineties|90['’"
    r"]?s))\b"
    r"|\b(?i:a|an|this|our|old|elderly|frail|pleasant|delightful|the|is|was)\s"
    r"(?:[a-z]{3,12}\s)?(?P<x>nonagenarian|(?:super)?centenarian)(?!s|['’]s)\b"
    r"(?!\s(?:populations?|stud(?:y|ies)|cohort|famil|groups?|individuals|subjects|people|patients"
    r"|genom|sample|age))"
)
_BEFORE, _AFTER = 90, 60  # characters around such a number
_GROUP_BEFORE = re.compile(
    rf"{any_of(DATES('groups_before_ages'))}\s{{0,2}}(?:the\s)?(?:age[ds]?\s)?(?:of\s)?$",
    re.IGNORECASE,
)
_GROUP_AFTER = re.compile(rf"\s?(?:s\b|{any_of(DATES('not_one_age_after'))})", re.IGNORECASE)


def told_age_spans(text: ScannedText) -> Iterator[Span]:
    """The ages over 89 that the sentence around a number or a word tells."""
    if text.marks.held & WRITTEN_HELD:
        yield from _told(text.raw, pieces(_WRITTEN_HINT, text.raw, _BEFORE, _AFTER))
    if text.has_digit:
        yield from _told(text.raw, pieces(_DIGITS_HINT, text.raw, _BEFORE, _AFTER))
        if text.marks.held & _AGED_HELD:
            for match in _LISTED.finditer(text.raw):
                for age in _OLD_IN_LIST.finditer(text.raw, *match.span("v")):
                    yield Span("age_over_89", *age.span(), 0.75)
    if text.marks.held & DECADES or "90s" in text.raw or "90's" in text.raw:
        # They name no year, so they only hint at an age.
        for match in _DECADE.finditer(text.raw):
            yield Span("age_over_89", *match.span(str(match.lastgroup)), DOUBTFUL_SCORE)


def _told(raw: str, parts: Iterable[tuple[int, int]]) -> Iterator[Span]:
    for begin, end in parts:
        for match in _TOLD.finditer(raw, begin, end):
            group = str(match.lastgroup)
            start, finish = match.span(group)
            if group not in "qrpy" and (
                _GROUP_AFTER.match(raw, finish)
                or _GROUP_BEFORE.search(raw[max(0, start - 40) : start])
            ):
                continue
            yield Span("age_over_89", start, finish, 0.75)
