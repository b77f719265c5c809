"""What in a text may be an identifier: runs of words in capitals, and numbers that no value is.

Belongs here: one cheap pass over a text, and which of its runs are worth reading. Does not: what
tells an identifier from a look-alike (features, weights). Every repetition is bounded.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.names.forms import GIVEN_NAMES, KNOWN_NAMES
from bioinstruct_dagster.curation.privacy.reader.told_figures import told_figures
from bioinstruct_dagster.curation.privacy.reader.words import (
    FIRST_WORDS,
    LABEL_WORDS,
    LONE_WORDS,
    KnownWords,
    is_common_name,
    lone_words,
)
from bioinstruct_dagster.curation.privacy.reader.written import written
from bioinstruct_dagster.curation.privacy.regions import large_words
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import (
    DATES,
    NAMES,
    NOTED,
    PLACES,
    READER,
    all_words,
    any_of,
)

# It begins with one set of characters, the frequent ones first, because the search for one is fast.
_TOKEN = re.compile(
    r"[A-Z0-9À-ÖØ-ÞĀ-Ž\d](?<![^\W_].)"
    r"(?:(?<=\d)(?:[\w./:-]*\w)?|(?<!\d)(?:[\w'’-]|[.&](?=[\w-]))*)"
)
_FIGURE = re.compile(r"\d")
MONTHS = READER("months")
DAYS = READER("weekdays")
_SMALL_DAYS = READER("small_date_words")
_TOKEN_WITH_DAYS = re.compile(rf"{_TOKEN.pattern}|\b{any_of(_SMALL_DAYS)}\b")
_DATE_WORDS = MONTHS | DAYS
_PARTICLES = READER("joining_words")
_ALPHA_GAPS = frozenset(
    (" ", "-", "-", " & ", *(f" {word} " for word in _PARTICLES), "'", "’", " '", " “", ' "')
)
_NUMBER_GAPS = frozenset(
    (" ", "-", " - ", ".", ". ", "/", ") ", ")", " (", "-(", " of ", " the ", ", ", " / ", "–")
) | {" de ", " '", " ’"}
_ENDS = READER("never_last") | frozenset(map(str.lower, NAMES("credentials")))
_TYPES = all_words(NOTED("facility_types"))
_STREETS = PLACES("streets")
_NO_STARTS = NAMES("not_names") - _TYPES - _STREETS
_SHORT_CAPITALS = 5
_LONG_NUMBER = 5
_SHORTEST = 2  # letters of an initial, digits of a day
_CODE_SYSTEMS, _CODE_AWAY = READER("code_systems"), 20
_BEFORE_DAYS = frozenset(
    ("the", "on", "by", "till", "until", "since", "from", "for", "le", "dated", "due")
)
_LEAST_DIGITS = _LEAST_LETTERS = 3
# Values: "12,500", "3.25", "250mg", "10-20", "2010-2015", "120/80", "1:1000".
_UNIT = r"[A-Za-z%]{0,7}"
_VALUE = re.compile(
    rf"\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+\.\d+(?:[-–/]\d+\.\d+)?{_UNIT}|\d{{1,4}}{_UNIT}"
    rf"|\d{{1,4}}(?:st|nd|rd|th)?[-–:x]\d{{1,4}}{_UNIT}|\d+(?:\.\d+)?[-/]\d+\.\d+"
    rf"|\d{{1,5}}[.:]\d{{1,5}}{_UNIT}|\d{{1,4}}/\d{{1,4}}|\d+/[A-Za-zμµ]{{1,3}}[\d²³]?"
    r"|\d{1,3}(?:/\d{1,3}){3}|[A-Z]\d{2,4}[A-Z]"
)
_SCORE = re.compile(r"[A-Z]{2,4}\d")  # "FEV1", of which the letters are a month somewhere
_COUNT = re.compile(r"\d{1,5}/\d{1,6} \(\d{1,3}\.\d")  # "17/65 (26.15%)"
# A day and a month, a day alone, a short telephone number.
_SHORT = re.compile(
    r"(?:[1-9]|[0-2]\d|3[01])/(?:[1-9]|[0-2]\d|3[01])|[1-3]?\d(?:st|nd|rd|th)|\d{3}-\d{4}|\d{5,14}"
)
HIGH_AGES = frozenset(map(str, range(90, 116)))
_HIGH_AGE = re.compile(r"(?:9\d|10\d|11[0-5])(?:-?(?:y\w{0,4}|[mfMF])(?:-old)?)?")
_NO_AGE_AFTER = re.compile(
    rf"[ -]?(?:%|{any_of(unit for unit in DATES('units_after_numbers') if len(unit) > 1)}(?![a-z]))"
)
_AGE_AFTER = re.compile(r"[ -]?(?:years?|yrs?|y/o|yo|y\.o|y)\b(?:[ -]old)?")
# Numbers that are free to call, numbers of articles, trials and variants, and ranges with a unit.
_NO_PERSONS = re.compile(
    r"10\.\d{4}/|1?[ -]?\(?8(?:00|33|44|55|66|77|88)[ )-]{1,2}|(?:PMC|NCT|PMID|rs)\d{3}"
    rf"|\d{{1,4}}[-–]\d{{1,4}}{_NO_AGE_AFTER.pattern}"
)
_NUMBERED, _NUMBERED_BESIDE = READER("numbered_things"), READER("numbered_beside_a_detail")
_NOTHING = frozenset[str]()
# Before a number for short messages, and before a score.
_NO_CODE_BEFORE = re.compile(
    r"\b[Tt]ext\s\S{1,12}\sto\s$|\b(?i:pain|strength|power|scored?|scores|scale|mmse|moca|gcs|apgar"
    r"|acuity|rated)(?:\s(?:was|is|of|at|now|level|score|scale|rated|a)){0,3}[\s:=]{1,2}$"
)
_ORDINAL = rf"(?:the )?{any_of(READER('ordinals'))}"
_DAY_BEFORE = re.compile(rf"\b(?i:{_ORDINAL})(?: of)? $")
_DAY_AFTER = re.compile(rf" (?:the )?(?i:{_ORDINAL}|\d\d?(?:st|nd|rd|th))\b")
_SMALL_CUES = READER("before_small_names")
_AFTER_CUE = re.compile(r"[,.:(]{0,4}\s{0,8} (?:[^\W\d_A-Z]\. ?)?(?P<word>[^\W\d_A-Z][^\W\d_]*)")
_SMALL_RUN = re.compile(r"[^\W\d_][\w'’-]*(?:[ ,]{1,2}[^\W\d_A-Z][\w'’-]*){0,3}")
_SMALL_WORD = re.compile(r"[^\W\d_A-Z][\w'’-]+")
_PLACEHOLDER = re.compile(r"\b(?:A ?B ?C(?: ?D)?|X ?Y ?Z|X{2,4})\b")
_LETTERS = re.compile(r"[^\W\d_]+")


class Candidate(NamedTuple):
    """A run of words or figures that may be an identifier.

    Attributes:
        start: where it begins.
        end: where it ends.
        words: its words, as they stand there.
        form: "words", "figures", "web" (an address or a file's name) or "age" (a written age).
    """

    start: int
    end: int
    words: tuple[str, ...]
    form: str


_Token = tuple[int, int, str]


def candidates(text: ScannedText, known: KnownWords, *, told: bool = True) -> Iterator[Candidate]:
    """The candidates of a text.

    Args:
        text: the text.
        known: the words that are known.
        told: whether something else in the text tells of a person. If nothing does, known names in
            small letters count behind a label or a greeting only.
    """
    raw = text.raw
    boring = lone_words(known)
    numbered = _numbered_words(text, told=told)
    run: list[_Token] = []
    figures = False
    end = -1
    token = _TOKEN if text.words.isdisjoint(_SMALL_DAYS) else _TOKEN_WITH_DAYS
    for match in token.finditer(raw):
        start, finish = match.span()
        word = match.group()
        numeric = not word.isalpha() and _FIGURE.search(word) is not None
        numeric = numeric or word.lower() in _DATE_WORDS
        if run:
            joins = numeric == figures and _joins(raw[end:start], run[-1][2], word, figures=figures)
            if not joins:
                if len(run) > 1 or figures or run[0][2].lower() not in boring:
                    yield from _read(raw, run, known, figures=figures, numbered=numbered)
                elif told and is_common_name(raw, run[0][0], run[0][2], known):
                    yield Candidate(run[0][0], run[0][1], (run[0][2],), "words")
                run = []
        run.append((start, finish, word))
        figures, end = numeric, finish
    if run:
        yield from _read(raw, run, known, figures=figures, numbered=numbered)
    if told or not text.words.isdisjoint(_SMALL_CUES):
        yield from _small_names(text, text.words - known.small, known.small, told=told)
    for start, finish, word, form in written(text):
        yield Candidate(start, finish, (word,), form)
    for start, finish in told_figures(text):
        yield Candidate(start, finish, tuple(raw[start:finish].split()), "figures")


def _places_of(raw: str, word: str) -> Iterator[int]:
    """Where a word stands as a whole."""
    at = raw.find(word)
    while at >= 0:
        end = at + len(word)
        if not raw[at - 1 : at].isalnum() and not raw[end : end + 1].isalpha():
            yield at
        at = raw.find(word, end)


def _small_names(
    text: ScannedText, unknown: frozenset[str], known: frozenset[str], *, told: bool
) -> Iterator[Candidate]:
    """Names in small letters: known ones, and unknown words behind a label or a greeting."""
    raw = text.raw
    named = KNOWN_NAMES.intersection(unknown) if told else ()
    places = {at for word in named for at in _places_of(raw, word) if raw[at - 1 : at] == " "}
    for cue in text.words & _SMALL_CUES:
        for at in _places_of(text.lowered, cue):
            after = _AFTER_CUE.match(raw, at + len(cue))
            word = after["word"] if after else ""
            # "The patient reportedly …": few names end so, and those are known.
            adverb = word.endswith("ly") and word not in KNOWN_NAMES
            if after and word in unknown and len(word) >= _LEAST_LETTERS and not adverb:
                places.add(after.start("word"))
    free = 0
    for start in sorted(places):
        match = _SMALL_RUN.match(raw, start) if start >= free else None
        if match is None:
            continue
        parts = []
        for part in _SMALL_WORD.finditer(raw, start, match.end()):
            if part.group() in known:
                break
            parts.append(part)
        if parts:
            free = parts[-1].end()
            yield Candidate(start, free, tuple(part.group() for part in parts), "words")


def _joins(gap: str, before: str, after: str, *, figures: bool) -> bool:
    short = len(before) <= _SHORTEST
    if not figures:
        return gap in _ALPHA_GAPS or (gap == ". " and (short or before.lower() in FIRST_WORDS))
    if gap not in (", ", ". "):
        return gap in _NUMBER_GAPS
    if before.lower() in _DATE_WORDS or after.lower() in _DATE_WORDS:
        return True
    return gap == ". " and short and before.isdigit() and after.isdigit()


def _read(
    raw: str, run: list[_Token], known: KnownWords, *, figures: bool, numbered: frozenset[str]
) -> Iterator[Candidate]:
    if figures:
        if not _SCORE.fullmatch(raw, run[0][0], run[-1][1]):
            yield from _number(raw, run, numbered=numbered)
        return
    run = _after_at(raw, run, known)
    while len(run) > 1 and _is_no_start(raw, *run[0]):
        run = run[1:]
    if len(run) > 1 and _opens_sentence(raw, run, known.small):
        run = run[1:]
    while len(run) > 1 and run[-1][2].lower() in _ENDS:
        run = run[:-1]
    words = tuple(word for _, _, word in run)
    if _may_be_name(raw, run[0][0], run[-1][1], words, known):
        yield Candidate(run[0][0], run[-1][1], words, "words")


def _is_no_start(raw: str, start: int, _: int, word: str) -> bool:
    """Whether the first word of a run is none of an identifier: "Mr", "Denies"."""
    low = word.lower().strip(".")
    return low in FIRST_WORDS or (low in _NO_STARTS and _begins(raw, start))


def _after_at(raw: str, run: list[_Token], known: KnownWords) -> list[_Token]:
    """The words behind "at" if those before it are known: "Intake at Haven"."""
    for place in range(len(run) - 1, 0, -1):
        if raw[run[place - 1][1] : run[place][0]] == " at ":
            before = [word.lower() for _, _, word in run[:place]]
            if all(
                low in known.small
                or low in known.medical
                or low in known.drugs
                or (len(low) <= _SHORT_CAPITALS and run[at][2].isupper())
                for at, low in enumerate(before)
            ):
                return run[place:]
    return run


def _opens_sentence(raw: str, run: list[_Token], small: frozenset[str]) -> bool:
    """Whether a common word opens a sentence before an unknown one: "Ask Parveen"."""
    low = run[0][2].lower()
    return (
        low in small
        and low not in KNOWN_NAMES
        and low not in _TYPES
        and low not in _STREETS
        and low not in LONE_WORDS
        and run[1][2].lower() not in small
        and _begins(raw, run[0][0])
    )


def _may_be_name(raw: str, start: int, end: int, words: tuple[str, ...], known: KnownWords) -> bool:
    lowered = [word.lower().removesuffix("'s").removesuffix("’s") for word in words]
    if _PLACEHOLDER.search(raw, max(0, start - 2), end) or LABEL_WORDS.issuperset(lowered):
        return False
    if len(words) == 1:
        return _may_be_alone(raw, end, words[0], lowered[0], known)
    if all(len(word) == 1 for word in words) and "." not in raw[start:end]:
        return False  # letters of an abbreviation, one by one
    small = known.small
    if all(map(str.isupper, words)):
        # A heading in capitals.
        return (
            any(word not in small and len(word) > _SHORT_CAPITALS for word in lowered)
            or (not small.issuperset(lowered) and _is_surname_first(raw, end))
            or not GIVEN_NAMES.isdisjoint(lowered)
            or not _TYPES.isdisjoint(lowered)
        )
    # The label before a colon.
    return not (raw[end : end + 1] == ":" and small.issuperset(lowered))


def _may_be_alone(raw: str, end: int, word: str, low: str, known: KnownWords) -> bool:
    if len(low) == 1 or low in lone_words(known) or low[-3:-1].endswith(("'", "’")):
        return False
    if low in KNOWN_NAMES:
        return True
    if low.startswith(known.beginnings) or low in large_words():
        return False
    if not word.isupper() or "." in low or len(low) > _SHORT_CAPITALS:
        return True
    return len(low) >= _LEAST_LETTERS and _is_surname_first(raw, end)


def _is_surname_first(raw: str, end: int) -> bool:
    """Whether a given name follows behind a comma: "CHUA, Mei"."""
    return raw.startswith(", ", end) and raw[end + 2 : end + 4].istitle() and raw[end + 3].islower()


def tells_little(raw: str, one: Candidate, known: KnownWords) -> bool:
    """Whether a candidate holds no known name, and is small, common or opens a sentence.

    Where nothing else tells of a person, it is hardly ever sure to be an identifier: "Physical
    Therapy" is a department, and "Kinver Physical Therapy" somebody's practice.
    """
    lowered = [word.lower() for word in one.words]
    if one.form != "words" or not KNOWN_NAMES.isdisjoint(lowered):
        return False
    if raw[one.start].islower() or (len(lowered) == 1 and _begins(raw, one.start)):
        return True
    return known.small.issuperset(lowered) and (
        len(lowered) == 1
        or any(low in known.medical or low.startswith(known.beginnings) for low in lowered)
    )


def _begins(raw: str, start: int) -> bool:
    """Whether a place begins a sentence or a line."""
    before = raw[max(0, start - 3) : start].rstrip(" \"'“‘(")
    return not before or before[-1] in ".!?:\n;•*-‖"


def _number(raw: str, run: list[_Token], *, numbered: frozenset[str]) -> Iterator[Candidate]:
    start, end = run[0][0], run[-1][1]
    text = raw[start:end]
    short = len(run) == 1 and text.isdecimal() and len(text) < _LONG_NUMBER
    if short and (text not in HIGH_AGES or _NO_AGE_AFTER.match(raw, end)):
        if _is_numbered(raw, start, numbered):
            yield Candidate(start, end, (text,), "figures")
        return
    words = tuple(word for _, _, word in run)
    digits = sum(map(str.isdigit, text))
    if not short and any(part in MONTHS for part in _LETTERS.findall(text.lower())):
        if before := _DAY_BEFORE.search(raw, max(0, start - 30), start):
            start = before.start()
        elif after := _DAY_AFTER.match(raw, end):
            end = after.end()
        elif not digits:
            return
    elif len(run) == 1 and _HIGH_AGE.fullmatch(text):
        if after := _AGE_AFTER.match(raw, end):
            end = after.end()
    elif not (_is_code(raw, start, words, digits) or _is_numbered(raw, start, numbered)):
        return
    yield Candidate(start, end, words, "figures")


def _is_code(raw: str, start: int, words: tuple[str, ...], digits: int) -> bool:
    """Whether figures are neither a value nor the number of an article or of a system of codes."""
    if (
        not digits
        or _NO_PERSONS.match(raw, start)
        or _NO_CODE_BEFORE.search(raw, max(0, start - 40), start)
    ):
        return False
    before = raw[max(0, start - _CODE_AWAY) : start].lower().split()
    if not _CODE_SYSTEMS.isdisjoint(word.strip(":") for word in before[-2:]):
        return False
    if len(words) > 1:
        if _COUNT.match(raw, start):
            return False
        return digits >= _LEAST_DIGITS or any(word.lower() in DAYS for word in words)
    if _SHORT.fullmatch(words[0]):
        # "On the 3rd", but not "3rd line" or "first seen".
        return words[0][-1].isdecimal() or (before[-1:] or [""])[-1] in _BEFORE_DAYS
    return digits >= _LEAST_DIGITS and _VALUE.fullmatch(words[0]) is None


def _numbered_words(text: ScannedText, *, told: bool) -> frozenset[str]:
    """The words before which a short number of this text may be an identifier, if it holds any."""
    words = _NUMBERED | _NUMBERED_BESIDE if told else _NUMBERED
    return _NOTHING if text.words.isdisjoint(words) and "#" not in text.raw else words


def _is_numbered(raw: str, start: int, numbered: frozenset[str]) -> bool:
    """Whether a word such as "Room" stands right before a short number."""
    before = raw[max(0, start - 12) : start].split() if numbered else []
    return bool(before) and (
        before[-1].strip("(:.,").lower() in numbered
        or (before[-1].endswith("#") and not before[-1][0].isdecimal())
    )
