"""What is seen of a candidate: its words, its form, the words around it and the kind of text.

Belongs here: a candidate's features, as short texts. Does not: finding candidates (candidates),
features of a word alone (word_features), or the weight of a feature (weights).
"""

import re
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.kinds import TEXT_LIMIT
from bioinstruct_dagster.curation.privacy.noted.persons import (
    PERSONS,
    is_about_groups,
    is_about_one_person,
    is_note,
)
from bioinstruct_dagster.curation.privacy.reader.candidates import DAYS, MONTHS, Candidate
from bioinstruct_dagster.curation.privacy.reader.told_figures import SIGN_WORDS
from bioinstruct_dagster.curation.privacy.reader.word_features import (
    WordSigns,
    classes_of,
    form_of,
    long_form_of,
    plain,
)
from bioinstruct_dagster.curation.privacy.texts import ScannedText

_BEFORE, _AFTER = 48, 40  # characters that are read for the words around
_WORDS_BEFORE, _WORDS_AFTER = 6, 5  # how many of them count
_NEXT = 3  # of which the place counts, too
_AROUND = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d[\d.,/:-]*|[^\w\s]|\n|\u2016")
_SPEAKER = re.compile(
    r"(?:^|\n)(?:Doctor|Dr|Clinician|Nurse|Patient|Guest_\w{4,9}|[A-Z]{1,2}|Caller|Operator): "
)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SHORT_NUMBER = re.compile(r"\d{1,4}")
_LETTERS = re.compile(r"[^\W\d_]+")
_PARTS = re.compile(r"[/?&=._-]")
_HIGH_AGE = re.compile(r"(?:9\d|10\d|11[0-5])(?:[ -]?(?:y|m\b|f\b).*)?$", re.IGNORECASE)
_ROMAN_MONTH = re.compile(
    r"(?<![^\W_])(?:x?i{1,3}|i[vx]|vi{0,3}|xi{0,2})[ ./-]{1,2}\d", re.IGNORECASE
)
_SPELLED = re.compile(r"(?:[^\W\d_][-.]){3,}[^\W\d_]")
_MONTHS, _DAYS = range(1, 13), range(1, 32)
_LONG_ENOUGH = 3  # digits of a number in a path; letters of the name of a month


class TextFacts(NamedTuple):
    """What a text tells of all of its candidates.

    Attributes:
        features: the features of the text.
        about: what the text is about, in one word.
        of_many: whether it speaks of groups and of no single person.
    """

    features: tuple[str, ...]
    about: str
    of_many: bool


def facts_of(text: ScannedText) -> TextFacts:
    """What kind of text it is: of one person or of many, a note, a conversation."""
    person, groups = is_about_one_person(text), is_about_groups(text)
    about = f"{'p' if person else ''}{'g' if groups else ''}{'n' if is_note(text) else ''}"
    spoken = ": " in text.raw and _SPEAKER.search(text.raw) is not None
    of_many = groups and not text.marks.held & PERSONS
    return TextFacts((f"about={about}", f"spoken={spoken}"), about, of_many)


def features_of(text: ScannedText, one: Candidate, facts: TextFacts, signs: WordSigns) -> set[str]:
    """The features of a candidate.

    Args:
        text: its text.
        one: the candidate.
        facts: what the text tells.
        signs: what is seen of words.
    """
    raw = text.raw
    seen = signs.seen
    # The texts of a row are read as one, but each begins and ends anew.
    begin, end = max(0, one.start - _BEFORE), one.end + _AFTER
    limit = raw.rfind(TEXT_LIMIT, begin, one.start)
    begin = begin if limit < 0 else limit + len(TEXT_LIMIT) + 1
    limit = raw.find(TEXT_LIMIT, one.end, end)
    end = end if limit < 0 else limit - 1
    before = [
        seen(word) for word in reversed(_AROUND.findall(raw, begin, one.start)[-_WORDS_BEFORE:])
    ]
    after = [seen(word) for word in _AROUND.findall(raw, one.end, end)[:_WORDS_AFTER]]
    if len(before) < _WORDS_BEFORE:
        before.append("<start>")
    if len(after) < _WORDS_AFTER:
        after.append("<end>")
    if one.form == "figures":
        found, code = _of_figures(raw[one.start : one.end], one)
    elif one.form == "words":
        found, code = _of_words(text, one, signs, starts=before[0] in _STARTS)
    else:
        found, code = _of_web(one.words[0], one.form)
    found.update(facts.features)
    found.add(f"{code}~{facts.about}")
    _add_around(found, before, after, code)
    return found


_STARTS = frozenset((".", "!", "?", ":", "\n", ";", "\N{DOUBLE VERTICAL LINE}", "<start>"))
_FAMILIAR = frozenset("kMn")  # codes of words that are known or medical


def _of_words(
    text: ScannedText, one: Candidate, signs: WordSigns, *, starts: bool
) -> tuple[set[str], str]:
    words = one.words
    size = min(len(words), 5)
    found = {"words", f"size={size}"}
    codes = ""
    for word in words:
        features, letter = signs.features(word)
        found.update(features)
        codes += letter
    code = codes[:4]
    forms = [form_of(word) for word in words[:4]]
    first, last = plain(words[0]), plain(words[-1])
    found.update(
        (
            f"codes={code}",
            f"forms={' '.join(forms)}",
            f"last={last}",
            f"first={first}",
            f"lastcode={code[-1]}",
            f"firstcode={code[0]}",
            f"starts={starts}~{code}",
        )
    )
    found.update([f"last.in={name}" for name in signs.lists(last)])
    found.update([f"first.in={name}" for name in signs.lists(first)])
    if _FAMILIAR.issuperset(codes):
        found.add("all_known")
    elif _FAMILIAR.isdisjoint(codes):
        found.add("none_known")
    raw = text.raw
    if size == 1:
        if raw.count(words[0]) > 1:
            found.add("again")
        if f" {first}" in raw:
            found.add("small_elsewhere")
    if words[-1].endswith(("'s", "’s")):
        found.add("possessive")
    if any("." in word for word in words):
        found.add("dotted")
    if size == 1 and _SPELLED.fullmatch(words[0]):
        found.add("spelled")
    _add_commas(found, raw, one, forms, starts=starts)
    return found, f"{size}{code if size <= len('ab') else code[0] + codes[-1]}"


def _add_commas(
    found: set[str], raw: str, one: Candidate, forms: list[str], *, starts: bool
) -> None:
    """Add what stands beyond a comma: "WEATHERSPOON, ODESSA" is two candidates."""
    if raw.startswith(", ", one.end) and raw[one.end + 2 : one.end + 3].isupper():
        found.add(f"comma_capital={starts}~{forms[-1]}")
    if raw.endswith(", ", 0, one.start):
        previous = raw[max(0, one.start - 16) : one.start - 2].split()[-1:]
        if previous and previous[0][0].isupper():
            found.add(f"capital_comma={form_of(previous[0])}~{forms[0]}")


def _of_figures(raw: str, one: Candidate) -> tuple[set[str], str]:
    digits = sum(map(str.isdecimal, raw))
    letters = sum(map(str.isalpha, raw))
    form = form_of(raw)
    found = {
        "figures",
        f"form={form}",
        f"longform={long_form_of(raw)[:14]}",
        f"digits={min(digits, 12)}",
        f"letters={min(letters, 4)}",
        f"parts={min(len(one.words), 5)}",
    }
    parts = _LETTERS.findall(raw)
    if _YEAR.search(raw):
        found.add("year")
    numbers = [int(part) for part in _SHORT_NUMBER.findall(raw)][:3]
    if len(numbers) > 1 and numbers[0] in _MONTHS and numbers[1] in _DAYS:
        found.add("month_day")
    if len(numbers) > 1 and numbers[1] in _MONTHS and numbers[0] in _DAYS:
        found.add("day_month")
    if raw.startswith("0"):
        found.add("zero")
    if parts:
        found.add(f"begin={parts[0].upper()}")
    kind = _kind_of_figures(raw, [part.lower() for part in parts], digits)
    if kind:
        found.add(kind)
        return found, kind
    separators = "".join(sorted(set(form) - {"9"}))
    return found, "code" if letters else f"#{min(digits, 8)}{separators}"


def _kind_of_figures(raw: str, parts: list[str], digits: int) -> str:
    """What figures plainly are: a day of a month, a high age, a spoken code; else nothing."""
    kinds = (
        ("month", any(len(part) >= _LONG_ENOUGH and part in MONTHS for part in parts)),
        ("age", _HIGH_AGE.match(raw)),
        ("day", not DAYS.isdisjoint(parts)),
        ("roman", _ROMAN_MONTH.search(raw)),
        ("said", not digits or not SIGN_WORDS.isdisjoint(parts)),
    )
    return next((kind for kind, fits in kinds if fits), "")


def _of_web(word: str, form: str) -> tuple[set[str], str]:
    """An address or the name of a file; what its host is named says little of other hosts."""
    address = word.lower().removeprefix("https://").removeprefix("http://")
    host, slash, path = address.partition("/")
    told = path if slash else host
    kind = "mail" if "@" in word else "age" if form == "age" else "path" if path else "name"
    if " dot " in word:
        kind = "spoken"
    found = {"web", f"web={kind}"}
    if kind == "mail":
        found.update(f"local={part}" for part in _PARTS.split(address.split("@")[0]))
    elif kind == "age":
        found.add(f"w={word}")
    elif kind == "spoken":
        found.add(f"slash={' slash ' in word}")
    else:
        for part in _PARTS.split(told):
            found.update((f"part={form_of(part)}", f"step={part}"))
        if any(len(part) >= _LONG_ENOUGH for part in re.findall(r"\d+", told)):
            found.add("path_number")
    return found, kind


def _add_around(found: set[str], before: list[str], after: list[str], code: str) -> None:
    """Add what the words around a candidate tell, the nearest first."""
    short = code[:2]
    first, follower = before[0], after[0]
    found.update([f"b{place}={word}" for place, word in enumerate(before[:_NEXT])])
    found.update([f"a{place}={word}" for place, word in enumerate(after[:_NEXT])])
    found.update((f"b0={first}~{code}", f"a0={follower}~{short}"))
    if len(before) > 1:
        found.add(f"b01={first} {before[1]}")
        if first == ":":
            found.add(f"label={before[1]}")
            found.update([f"label.is={name}" for name in classes_of(before[1])])
    if len(after) > 1:
        found.add(f"a01={follower} {after[1]}")
    words_before = [word for word in before if word.isalpha()]
    words_after = [word for word in after if word.isalpha()]
    near = words_before[0] if words_before else ""
    found.add(f"bw={near}~{short}")
    for name in classes_of(near):
        found.update((f"b.is={name}", f"b.is={name}~{short}"))
    if words_after:
        found.update([f"a.is={name}" for name in classes_of(words_after[0])])
    for word in words_before:
        found.add(f"nb={word}")
        found.update([f"nb.is={name}" for name in classes_of(word)])
    for word in words_after:
        found.add(f"na={word}")
        found.update([f"na.is={name}" for name in classes_of(word)])
