"""Names of persons in running text, without a language model.

Belongs here: titles, labels and given names that announce a name, and what only looks like one:
eponyms, authors, placeholders. Does not: whether a name identifies (scan). Every repetition is
bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span, words
from bioinstruct_dagster.curation.privacy.name_words import GIVEN, NOT_NAMES

_WORD = (
    r"(?:(?:Mc|Mac|O['’]|D['’]|De|Di|La|Le|Van|Al-|El-)?[A-ZÀ-Þ][a-zß-ÿ'’]{1,20}"
    r"(?:-[A-ZÀ-Þ][a-zß-ÿ]{1,20})?)"
)
_UPPER = r"(?:[A-ZÀ-Þ]{2,20}(?:['’-][A-ZÀ-Þ]{2,20})?)"
_ANY = rf"(?:{_WORD}|{_UPPER})"
_PARTICLE = (
    r"(?:(?:van der|van den|van|von|de la|de los|de|del|della|da|dos|bin|ibn|al|el|la|le|ter|der)"
    r"[ ])?"
)
_MIDDLE = rf"(?:(?:[A-Z]\.?|{_WORD})[ ])?"
# A given name, perhaps a middle one, and a family name; then perhaps "Jr."
_FULL = rf"{_WORD}[ ]{_MIDDLE}{_PARTICLE}{_WORD}(?:,?[ ](?:Jr|Sr|II|III)\b\.?)?"
_FULL_UPPER = rf"{_UPPER}[ ](?:[A-Z]\.?[ ])?{_UPPER}"
_NO_GIVEN = r"(?!(?:RN|MD|DO|PA|NP|LPN|MPH|DDS|MRN|DOB|SSN|Ph|Pharm)\b)"
_COMMA = rf"{_ANY},[ ]{_NO_GIVEN}{_ANY}(?:[ ][A-Z]\b\.?)?"
_TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sr|Sra|Mme|Herr|Frau|Doctor|Professor|Nurse|Sister|Rev|Sgt|Capt"
    r"|Lt|Judge|Officer|Señora?)"
)
_NAME = rf"(?P<v>{_COMMA}|{_FULL}|{_FULL_UPPER})"
_RELATIVES = (
    "mother|father|wife|husband|daughter|son|brother|sister|spouse|partner|guardian|neighbor"
    "|neighbour|friend|caregiver|aunt|uncle|cousin|grandmother|grandfather|grandson|granddaughter"
    "|niece|nephew|fianc[eé]e?|boyfriend|girlfriend|roommate|son-in-law|daughter-in-law|infant|baby"
    "|twin"
)
_STAFF = (
    "attending(?: physician)?|provider|physician|surgeon|nurse|therapist|doctor|resident|pcp"
    "|witness"
)
_AROUND = 90  # characters on either side of two words in capitals
_LONE_WORDS = words(_RELATIVES) | {"named"}
_CAPITALS = re.compile(
    rf"[A-ZÀ-Þ][\w'’.-]{{1,22}},?[ ](?:[A-Z]\.?[ ])?{_PARTICLE}[A-ZÀ-Þ][\w'’]|\b(?i:name)\b"
)
# What announces a name: the words of which a text must hold one, the pattern, and the score.
_PATTERNS: tuple[tuple[frozenset[str], re.Pattern[str], float], ...] = (
    (
        words(_TITLE),
        re.compile(
            rf"\b{_TITLE}\b\.?\s(?P<v>(?:(?:[A-Z]\.|{_WORD})\s){{0,2}}?{_PARTICLE}{_ANY}"
            rf"(?:\s{_WORD})?)"
        ),
        0.85,
    ),
    (
        frozenset(("name", "surname")),
        re.compile(
            r"(?:(?:^|[\n.;,(|*]\s{0,3})|\b(?i:patient(?:['’]s)?|pt|full|legal|maiden|first|last"
            r"|family|given|birth|mother['’]s|father['’]s|contact|guardian|client|insured|guarantor"
            r"|decedent|caller|kin|his|her|my)\s)(?i:(?:sur)?name)"
            r"(?:\s(?:is|was)\s|\s?(?:\([A-Za-z, ]{1,20}\)\s?)?[*_]{0,2}[:=|–-][*_]{0,2}\s{0,2})"
            rf"{_NAME}"
        ),
        0.9,
    ),
    (
        frozenset(("name", "surname")),
        re.compile(
            r"\b(?i:patient(?:['’]s)?|first|last|family|sur|given|maiden)\s?(?i:name)"
            rf"(?:\s(?:is|was)\s|[*_]{{0,2}}[:=|][*_]{{0,2}}\s{{0,2}})(?P<v>{_WORD})\b"
        ),
        0.7,
    ),
    (
        words(
            f"{_RELATIVES}|{_STAFF}|patient pt client re regarding signed dictated seen referred"
            " kin contact guarantor cc caller subscriber policyholder insured employer"
        ),
        re.compile(
            rf"\b(?i:patient|pt|client|re|regarding|{_STAFF}|{_RELATIVES}|signed(?: by)?"
            r"|dictated by|seen by|referred by|(?:next of )?kin|(?:emergency )?contact|guarantor|cc"
            rf"|caller|subscriber|policyholder|insured|employer)[*_]{{0,2}}[:=|][*_]{{0,2}}\s{{0,2}}{_NAME}"
        ),
        0.85,
    ),
    (
        words(
            f"{_RELATIVES}|{_STAFF}|named called dear patient pt client signed dictated seen care"
            " contact sincerely regards accompanied known kin"
        ),
        re.compile(
            rf"\b(?i:named|called|dear|patient|pt|client|{_RELATIVES}|{_STAFF}|signed by"
            r"|dictated by|seen by|care of|contact|kin|sincerely|regards|accompanied by|known as)"
            rf"(?:['’]s name)?(?:\sis)?,?\s(?:(?:his|her|their)\s(?:{_RELATIVES}),?\s)?"
            rf"(?P<v>{_FULL}|{_FULL_UPPER})"
        ),
        0.75,
    ),
)
_LONE = re.compile(rf"\b(?:named|(?:his|her|their)\s(?:{_RELATIVES}),?)\s(?P<v>{_WORD})\b")
# Nobody but a person is "X Y, 45, ..." or "X Y is a 45-year-old" or "X Y (DOB ...)".
_DESCRIBED_HINT = re.compile(
    r"(?:,\s(?:an?\s)?(?:aged?\s)?\d{1,3}(?:[- ]years?|[- ]?y/?o\b|[,;.]\s|\s?[MF]\b|[- ]month)"
    r"|,?\sis\san?\s\d{1,3}[- ]|,?\s\(?(?i:d\.?o\.?b\b|mrn\b|born\b|date of birth|ssn\b|aged?\s\d)"
    r"|\s\(\d{1,3}\s?(?:y/?o|M\b|F\b|years?|,)|\s[-–|]\s(?:DOB|MRN))"
)
_BEFORE_HINT = re.compile(rf"(?<![\w-])(?:{_FULL}|{_FULL_UPPER}|{_COMMA})$")
_PAIR = re.compile(
    rf"(?<![\w'’-])(?P<g>{_WORD}|[A-Z]{{3,15}})[ ](?:(?:[A-Z]\.?|{_WORD})[ ])?"
    rf"{_PARTICLE}(?P<f>{_ANY})\b"
)

_INITIALS = re.compile(r"(?:[A-Z]\.?|[A-Z]{2,3}|[Xx]{2,6}|[A-Z]\.\s?[A-Z]\.?)")
# A placeholder that no pattern above sees: "Patient A", "Mr. X", "Patient #2".
_PATIENT_X = re.compile(
    r"\b(?:[Pp]atient|[Ss]ubject|[Cc]ase|[Pp]erson|Mr\.?|Mrs\.?|Ms\.?"
    r"|Dr\.?)\s(?:[A-Z]{1,2}\b(?!['’-])\.?|X{2,5}\b)"
)
_PLACEHOLDER_WORDS = words("patient subject case person mr mrs ms dr doe roe")
_DOES = re.compile(
    r"\b(?:John|Jane|Jon|Baby)\s(?:[A-Z]\.?\s)?(?:Doe|Roe)\b|\bDOE, (?:JOHN|JANE)\b"
    r"|\bDoe, (?:John|Jane)\b"
)
_EPONYM_AFTER = re.compile(
    r"(?:['’]s?)?\s(?:disease|syndrome|palsy|sign|test|criteria|score|scale|index|law|lymphoma"
    r"|sarcoma|tumou?r|phenomenon|reflex|maneuver|manoeuvre|procedure|operation|splint|catheter"
    r"|stain|fracture|contracture|classification|disorder|anomaly|chorea|ulcer|nodes?|triad|murmur"
    r"|ataxia|dystrophy|thyroiditis|encephalopathy|esophagus|duct|bodies|cells?|method|model"
    r"|equation|formula|curve|estimator?|regression|tube|line|position|repair|rule|principle"
    r"|theory|transform)\b|,?\s(?:et al|and colleagues)\b"
)
# Authors, discoverers and the like: of the world, not of a note.
_AUTHORS = re.compile(
    r"\bauthors?\b[^\n]{0,400}$|\b(?:(?:written|developed|described|published|proposed|coined"
    r"|introduced|discovered|invented|founded|led) by|journal|et al|doi|editors?|citation"
    r"|references?|discovered|described|invented|president|nobel|physicist|scientist|researcher"
    r"|theorist|pioneer|founder|actor|actress|singer|novel|book|film)\b[^.!?\n]{0,60}$",
    re.IGNORECASE,
)


def name_spans(text: ScannedText) -> Iterator[Span]:
    """What reads as a person's name; "John Doe" too, but no initials."""
    for start, end, score in _candidates(text):
        begin, finish = _trimmed(text.raw, start, end)
        if finish > begin and not is_else(text.raw, begin, finish):
            yield Span("name", begin, finish, score)


def _candidates(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    if text.says(_LONE_WORDS):
        for match in _LONE.finditer(text.raw):
            yield (*match.span("v"), 0.6)
    # Most texts name nobody: two words in capitals, one after the other, are rare.
    stretches = list(_stretches(text.raw))
    if not stretches:
        return
    tried = [(pattern, score) for cues, pattern, score in _PATTERNS if text.says(cues)]
    for begin, end in stretches:
        for pattern, score in tried:
            for match in pattern.finditer(text.raw, begin, end):
                yield (*match.span("v"), score)
        if text.has_digit:
            yield from _described(text.raw, begin, end)
        if text.says(GIVEN):
            yield from _given(text.raw, begin, end)


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Where a name could stand, with what may announce it; stretches do not overlap."""
    begin = end = -1
    for match in _CAPITALS.finditer(text):
        if begin >= 0 and match.start() - _AROUND <= end:
            end = match.end() + _AROUND
            continue
        if begin >= 0:
            yield begin, end
        begin, end = max(0, match.start() - _AROUND), match.end() + _AROUND
    if begin >= 0:
        yield begin, end


def _given(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for match in _PAIR.finditer(text, begin, end):
        if match["g"].lower() in GIVEN and match["f"].lower() not in NOT_NAMES:
            yield (*match.span(), 0.7)


def _described(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for hint in _DESCRIBED_HINT.finditer(text, begin, end):
        before = max(0, hint.start() - 60)
        if name := _BEFORE_HINT.search(text[before : hint.start()]):
            yield before + name.start(), hint.start(), 0.8


def placeholder_spans(text: ScannedText) -> Iterator[Span]:
    """Placeholders that never identify: "Patient A", "Mr. X", "John Doe"."""
    if not text.says(_PLACEHOLDER_WORDS):
        return
    for pattern in (_PATIENT_X, _DOES):
        for match in pattern.finditer(text.raw):
            yield Span("name", *match.span(), 0.5)


def is_placeholder(name: str) -> bool:
    """Whether a name is one that stands for nobody."""
    return _INITIALS.fullmatch(name) is not None or _DOES.fullmatch(name) is not None


def again(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Where the words of names stand again: "Mr. Finch" after "Harold Finch"."""
    parts = {part for name in names for part in re.split(r"[\s,]+", name) if _tells(part)}
    if not parts:
        return
    pattern = re.compile(
        r"(?<![\w-])(?:" + "|".join(map(re.escape, sorted(parts)[:40])) + r")(?![\w-])"
    )
    for match in pattern.finditer(text):
        if not _EPONYM_AFTER.match(text, match.end()):
            yield Span("name", *match.span(), 0.55)


_INITIAL = 2  # letters; "J." and "Jo" tell too little


def _tells(part: str) -> bool:
    return (
        len(part) > _INITIAL
        and part[0].isupper()
        and part.lower() not in NOT_NAMES
        and "." not in part
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without words at its end that belong to no name; empty if it begins with one."""
    parts = list(re.finditer(r"[^\s,]+", text[start:end]))
    while parts and parts[-1].group().strip(".'’").lower() in NOT_NAMES:
        parts.pop()
    if not parts or parts[0].group().lower() in NOT_NAMES:
        return start, start
    last = parts[-1].group()
    return start, start + parts[-1].end() - 2 * last.endswith(("'s", "’s"))


def is_else(text: str, start: int, end: int) -> bool:
    """Whether what reads as a name is an eponym, an author or initials."""
    return (
        _EPONYM_AFTER.match(text, end) is not None
        or _AUTHORS.search(text[max(0, start - 400) : start]) is not None
        or _INITIALS.fullmatch(text[start:end]) is not None
    )
