"""Towns in sentences of a person's life: "He runs the hardware store in Machynlleth".

Belongs here: prepositions of place before an unknown word in capitals, beside a word of life. Does
not: "lives in" and home labels (places.homes), or facilities (facilities). The words are in
`words/noted.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.noted.capitals import BEFORE_TOWN, TOWN_WORDS, capitals_of
from bioinstruct_dagster.curation.privacy.noted.persons import ONE_PERSON
from bioinstruct_dagster.curation.privacy.places.forms import STATE
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, PLACES, any_of

# Words in capitals that are no town, in small letters.
NOT_TOWNS = NOTED("not_towns") | PLACES("not_places")
_WORD = r"[A-ZÀ-Þ][a-zà-ÿ'’]{1,20}(?:-(?:[a-z]{1,6}-)?[A-ZÀ-Þa-zà-ÿ][a-zà-ÿ]{1,20})?"
_TOWN = (
    rf"{_WORD}(?:\s(?:{_WORD}|or\sConsequences|upon\s{_WORD}|on\s{_WORD}|de\s{_WORD}"
    rf"|under\s{_WORD})){{0,2}}"
)
_TOWN_HERE = re.compile(
    rf"(?P<v>{_TOWN}(?:,\s{STATE}\b)?)(?![\w-]|['’]s?\s(?:disease|syndrome|sign|test|criteria|palsy|phenomenon|esophagus|lymphoma|thyroiditis|score|tumou?r|procedure|triad|solution|position|aneurysm|cyst|hernia)|\s(?:disease|syndrome|sign|test|criteria|score|chorea|species|scale))"
)
_PREPOSITION = re.compile(rf"(?<![\w-])(?i:{any_of(NOTED('town_prepositions'))})\s$")
_LONGEST = 17  # letters of a preposition
_WITH_STATE = re.compile(rf"(?<![\w-])(?P<v>{_TOWN},\s(?:{STATE}\b))(?![\w-])")
_LIFE = re.compile(
    rf"\b{any_of(NOTED('life_words'))}\b|[- ]old\b[^.;]{{3,30}}\bfrom\b", re.IGNORECASE
)
_MOTION = re.compile(rf"\b{any_of(NOTED('motions'))}\b", re.IGNORECASE)
_COUNTY = re.compile(
    rf"\b(?P<v>{_WORD}(?:\s{_WORD})?\s(?:County|Township|Parish|Borough|Shire))(?![\w-])(?!\s(?:Hospital|Jail))|\b(?:[Cc]ounty|[Vv]illage|[Tt]own(?:ship|land)?|[Cc]ity|[Hh]amlet|[Ss]uburb|[Bb]orough|[Cc]ommunity|[Ii]sland|[Pp]arish)\sof\s(?P<w>{_TOWN})"
)
_HOME = re.compile(
    rf"\b(?:[Hh]ome|[Hh]ometown|[Hh]ome\stown|[Rr]esidence|[Aa]ddress|[Bb]irthplace)(?:\son\sfile)?(?:\sis|\swas|:)\s(?P<v>{_TOWN})(?=[,.;)\n]|\sand\b|$)"
    rf"|\b(?:[Ll]ives?|[Ll]iving|[Rr]esides?)(?:\s[a-z]{{2,12}}){{0,4}}\s?[(,]\s?(?P<w>{_TOWN})(?=\)|\.)"
    rf"|\b[Ll]ives\s(?P<z>{_TOWN})(?=[,.;)\n]|\s(?:with|and|near)\b|$)"
)
_NATIVE = re.compile(
    rf"\b(?P<x>{_TOWN})\s(?:native|resident|local)\b|\ba\s(?P<y>{_TOWN})\s(?:girl|boy|man|woman|lad|lass|native|resident)\b"
)
_HOME_WORDS = frozenset(
    (
        *("home", "hometown", "residence", "address", "birthplace"),
        *("lives", "live", "living", "resides"),
    )
)
_HOME_HINT = re.compile(r"(?:is|was|:|,|\(|lives) [A-Z]|\([A-Z]")
_NATIVE_WORDS = frozenset(("native", "resident", "local", "girl", "boy", "lad", "lass"))
_NATIVE_HINT = re.compile(r"[A-ZÀ-Þ][a-zà-ÿ'’-]{2,20} (?:native|resident|local|girl|boy|lad|lass)")
_ASKED = re.compile(
    rf"\b[Ww]here\b[^?\n]{{0,80}}\?\s{{0,3}}(?:\w{{5,15}}(?:_\d)?:\s)?(?:(?:Um|Uh|Oh|Well|Yes|Yeah)?,?\s?)?(?:(?i:from|in|at|near|over\sin|out\sof|I['’]m\sfrom|I\slive\sin|I\swas\sin|we['’]re\sfrom|originally\sfrom|we\slive\sin)\s)?(?P<v>{_TOWN})(?=[,.!?]|\s(?:originally|but|and|so|area))"
)
# "(E. J. Kirsch, of Duluth)".
_OF = re.compile(rf"[a-z.],\s(?:of|from)\s(?P<v>{_TOWN})(?=[),;])")
_STATE_HINT = re.compile(r",(?<=[a-z],) [A-Z](?:[A-Z]\b|[a-z]{3})")
_COUNTY_HELD = trigger(
    (
        "county",
        "village",
        "town",
        "township",
        "city",
        "hamlet",
        "suburb",
        "borough",
        "community",
        "island",
        "parish",
        "shire",
        "townland",
    )
)
_WHERE = trigger(("where",))
_HOMES, _NATIVES = trigger(_HOME_WORDS), trigger(_NATIVE_WORDS)
# A place stands after these, and seldom anything else.
_STRONG = re.compile(
    r"\b(?:near|outside|north\sof|south\sof|east\sof|west\sof|[Ii]n|(?<!suffer\s)(?<!suffering\s)(?<!out\sof\s)(?<!relief\s)[Ff]rom)\s$"
)
_SOMEBODY_FROM = re.compile(r"\b[Aa]n?\s[a-z]{3,14}(?:\s[a-z]{3,14}){0,2}\sfrom\s$")
_BEFORE, _AFTER = 90, 50


def noted_town_spans(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    """The towns in the sentences of a person's life."""
    raw = text.raw
    for start, before in capitals_of(raw) if text.marks.before_capital & BEFORE_TOWN else ():
        if before not in TOWN_WORDS or not _PREPOSITION.search(
            raw, max(0, start - _LONGEST), start
        ):
            continue
        match = _TOWN_HERE.match(raw, start)
        if match and _is_town(match["v"]) and _has_life(raw, start, match.end(), tied=tied):
            yield Span("location", *match.span("v"), DOUBTFUL_SCORE)
    for pattern, begin, end in _tried(text):
        for match in pattern.finditer(raw, begin, end):
            group = str(match.lastgroup)
            if _is_town(match[group]) and (
                not tied
                or ONE_PERSON.search(raw, max(0, match.start() - _BEFORE), match.end() + _AFTER)
            ):
                yield Span("location", *match.span(group), DOUBTFUL_SCORE)


def _tried(text: ScannedText) -> Iterator[tuple[re.Pattern[str], int, int]]:
    """The other patterns that a text may hold, each with a part of the text."""
    whole = (0, len(text.raw))
    if _STATE_HINT.search(text.raw):
        yield (_WITH_STATE, *whole)
    held = text.marks.held
    if held & _COUNTY_HELD:
        yield (_COUNTY, *whole)
    if ", of " in text.raw or ", from " in text.raw:
        yield (_OF, *whole)
    if held & _WHERE:
        yield (_ASKED, *whole)
    for part in text.parts_around(_HOME_WORDS, 2, 60, _HOME_HINT) if held & _HOMES else ():
        yield (_HOME, *part)
    for part in text.parts_around(_NATIVE_WORDS, 60, 10, _NATIVE_HINT) if held & _NATIVES else ():
        yield (_NATIVE, *part)


def _is_town(name: str) -> bool:
    first = name.split(maxsplit=1)[0].strip(",").lower()
    return first not in NOT_TOWNS and not is_large(name.split(",", maxsplit=1)[0])


def _has_life(raw: str, start: int, end: int, *, tied: bool) -> bool:
    """Whether the sentence tells of a person's life; in notes, "in" and "from" are enough."""
    if raw.endswith("to ", 0, start) and not _MOTION.search(raw, max(0, start - 40), start):
        return False
    if not tied and _STRONG.search(raw, max(0, start - 12), start):
        return True
    before = re.split(r"[.;!?\n]\s", raw[max(0, start - _BEFORE) : start])[-1]
    if _SOMEBODY_FROM.search(before):
        return True
    after = re.split(r"[.;!?\n]", raw[end : end + _AFTER])[0]
    if tied and not (ONE_PERSON.search(before) or ONE_PERSON.search(after)):
        return False
    return bool(_LIFE.search(before) or _LIFE.search(after))
