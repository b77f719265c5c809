"""Finds inputs that stand for a missing text: a link alone, a placeholder, an echo.

Belongs here: these three, which hold no word of the text itself. Does not: an input that names its
source (source_names), or plain words (words/sources.yaml); patterns, such as that of a link, do.
"""

import re
from collections.abc import Iterator
from functools import cache

from bioinstruct_dagster.curation.quality.grounding.source_words import (
    LETTERS,
    has_measurement,
    nouns_of,
    singular,
    source_classes,
    source_list,
)
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordedPattern

# A link, an identifier of a publication or the name of a file.
LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>()\[\]]{0,2000}[^\s<>()\[\].,;:]|\bdoi:?\s?\S+|\b10\.\d{4,9}/\S+|\bPMC?(?:ID)?:?\s?\d{5,}"
    r"|\bNCT\d{6,}|\b[\w-]{1,60}\.(?:pdf|docx?|txt|csv|xlsx?|pptx?|jpe?g|png|dcm|dicom|json|xml)\b"
    r"|\b[a-z0-9][a-z0-9-]{1,60}\.(?:com|org|net|gov|edu|info|io)\b(?![@.])",
    re.IGNORECASE,
)
_LINK = WordedPattern(LINK)
# A part that each link has. It is quick to search for.
LINK_HINT = re.compile(
    r"://|\.[A-Za-z]{2}|[Dd][Oo][Ii]|10\.\d|[Pp][Mm](?:[Ii][Dd]|[Cc])|[Nn][Cc][Tt]\d"
)
# An article or a word such as "given" or "any", and a noun phrase: "a drug".
ECHO_PHRASE = re.compile(
    r"(?i)((?:an?|some|any|(?:the )?(?:given|specific|particular|certain))\s)?([\w\s’'-]{3,90})\.?"
)
# Marks in place of a text: @CODE$, ${note}, {report}, <text>, ____, ….
MARK = re.compile(
    r"@[A-Za-z_][A-Za-z_0-9 ]{1,40}\$|\$?\{{1,2} ?[A-Za-z_][\w .'-]{0,60}\}{1,2}"
    r"|%\([a-z_]{1,40}\)s|%s"
    r"|\b(?:X{3,}|Y{3,}|Z{3,}|x{3,}|y{3,}|z{3,})\b"
    r"|<{1,2}/?[A-Za-z][\w ,'-]{0,60}>{1,2}|_{3,60}|\.{3,60}|…|\[\.{2,5}\]|\[…\]"
)
# Labels without what they announce: "Premise: XXX. Hypothesis: YYY.". Lines and dots are no part of
# it: they are gaps to be filled in.
UNFILLED_FORM = re.compile(
    r"(?:[A-Z][\w /-]{1,30}:\s{0,3}(?:@\w{2,40}\$|\{{1,2}[\w .'-]{1,60}\}{1,2}|X{3,9}|Y{3,9}|Z{3,9}"
    r"|<[a-z][\w ,'-]{0,60}>|\[[a-z][a-z ]{1,30}\])[\s.,;]{0,4}){2,12}"
)
# A thing with a letter for a name: "Drug X".
LETTERED = re.compile(
    r"\b(?:drug|medication|medicine|disease|condition|treatment|test|gene|procedure|vaccine"
    r"|compound|substance|device|therapy|statement|option|sentence|choice|answer|study|article|text"
    r"|brand|regimen|product|supplement|antibiotic|herb|hospital|method|intervention|ingredient|company"
    r"|abstract|report|claim|patient|case|scenario|sample|value|symptom|code|question|passage)s?"
    r" (?:[A-DX-Z]|XYZ|ABC)\b(?:(?:,| and| or|, and|, or) [A-DX-Z]\b)*",
    re.IGNORECASE,
)
BRACKETED = re.compile(r"\[[A-Za-z][^\[\]]{0,80}\]")
# Each mark and each bracket has one of these parts, in small letters, and each such thing has a
# letter for a name. Both are quick to search for.
MARK_HINTS = ("@", "{", "<", "[", "…", "%s", "%(", "__", "...", "xxx", "yyy", "zzz")
LETTER_HINT = re.compile(r" (?:[A-DX-Z]|XYZ|ABC)\b")
# A mark that says that a part of the text is still to be written.
UNFILLED = re.compile(
    r"\[(?:insert|list|provide|enter|specify|include|paste|upload)\b[^\[\]]{0,80}\]|@CODE\w*\$",
    re.IGNORECASE,
)
UNNAMED_DRUG = re.compile(r"\b(?:[Dd]rug|[Mm]edication|[Mm]edicine)s? ([XYZ])\b(?! ?\d)")
LOREM = re.compile(r"lorem ipsum\b.*", re.IGNORECASE | re.DOTALL)
# A person of whom only a name or a number is given.
PERSON = re.compile(
    r"(?:Patient|Client|Subject)(?: (?:name|ID|id|number|no\.?|identifier))?\s?[:#]?\s?"
    r"(?:#?\d{1,12}|[A-Z]{1,3}|[A-Z][a-z]{1,20}(?: [A-Z]\.?)? [A-Z][a-z]{1,20})\.?"
)
PERSON_WORDS = ("Patient", "Client", "Subject")  # with which each such text begins
MARK_PARTS = ("@", "{", "<", "__", "...", "…", "%s", "%(", "[..")  # each mark has one of them
OPENINGS = ("[", "<", "(", "{")
PLACEHOLDER_PARTS = (
    *(
        "goes here",
        " separately",
        " to be ",
        "will be ",
        " not ",
        "insert ",
        "paste ",
        "upload ",
        "attach",
    ),
    *("see ", "refer to ", "given ", "provided ", "enclosed ", "above ", "following "),
)
NAMED_BY_LETTERS = frozenset({"factor"})  # "Factor X" is a protein
CODE_SYSTEM = re.compile(r"\bICD-\d+(?:-[A-Z]+)?\b|\b[a-z]+ \d{1,2}\b(?=\s*[:=-])", re.IGNORECASE)
MOST_MARK_CHARS = 300
# No placeholder is longer, unless it stands in brackets.
MOST_PLACEHOLDER_CHARS = 120
MOST_ECHO_CHARS = 120
MOST_KIND_WORDS = 4  # before a stand-in, as in "name of drug: XYZ"
CLAUSES = re.compile(r"[,:;.(]")
MOST_POINTED_WORDS = 5  # searched after a word such as "given"


_LETTERED = WordedPattern(LETTERED)


@cache
def _placeholder_pattern() -> WordedPattern:
    """A request to insert a text, or a reference to a text elsewhere."""
    first = alternatives(source_list("placeholders"))
    pattern = re.compile(
        rf"[\[<({{]+\s*(?:{first})\b[^\]>)}}]{{0,120}}[\]>)}}]+\W*"
        r"|[\[<({][\w -]{2,40} goes here[\]>)}]"
        r"|(?:the |your )?[\w -]{2,40} (?:goes here|(?:given|provided|sent|filed) separately"
        r"|to be (?:provided|added|inserted|supplied)"
        r"|will be (?:provided|added|inserted|supplied)|not (?:shown|included|attached))\.?"
        r"|(?:please )?(?:insert|paste|upload|attach) [^.]{0,80}(?:here|below)?\.?"
        r"|(?:please )?(?:see|refer to) (?:the )?(?:attached|enclosed|above|below)[^.]{0,60}\.?"
        r"|(?:the )?(?:given|provided|attached|enclosed|above|following) (?P<kind>[\w -]{2,40})\.?",
        re.IGNORECASE,
    )
    return WordedPattern(pattern)


def _may_hold_link(text: str) -> bool:
    return _LINK.may_match(text) and LINK_HINT.search(text) is not None


def _may_be_placeholder(text: str) -> bool:
    """Whether the text has a part that placeholders have. It is quick, and few texts have one."""
    if text[:1] in OPENINGS:
        return True
    if len(text) > MOST_PLACEHOLDER_CHARS:
        return False
    folded = text.lower()
    return any(part in folded for part in PLACEHOLDER_PARTS)


class StandIns:
    """Finds links, placeholders and echoes by the rule's lists."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._class_of = source_classes(rule)
        self._articles = source_list("articles")
        self._links = self._articles.union(rule.links, rule.works, rule.records, rule.recordings)
        self._points = frozenset(rule.points)
        self._fillers = self._articles.union(rule.fillers, rule.holders)
        lists = ("kinds", "codes", "tokens", "about", "joints", "verbs", "vague_verbs")
        self._frame = self._fillers.union(self._class_of, *map(source_list, lists))
        self._verbs = source_list("verbs")
        self._named = source_list("placeholders").union(self._class_of)
        self._stand_ins = source_list("stand_ins")

    def without_links(self, text: str) -> str:
        """The text without its links."""
        return LINK.sub("", text) if _may_hold_link(text) else text

    def is_link(self, text: str) -> bool:
        """Whether the text is a link, with at most words that add no content."""
        if not _may_hold_link(text):
            return False
        rest, found = LINK.subn(" ", text)
        return bool(found) and self._links.issuperset(nouns_of(rest))

    def is_mark(self, text: str) -> bool:
        """Whether the text is a mark in place of a text, such as "[insert note]" or "Drug: XYZ"."""
        if len(text) > MOST_MARK_CHARS:
            return text[:11].lower() == "lorem ipsum"
        body = text.rpartition(":")[2].strip() if text.count(":") == 1 else text
        may_be_placeholder = _placeholder_pattern().may_match(text)
        for one in {text, body}:
            if one[:5].lower() == "lorem" and LOREM.match(one):
                return True
            if not may_be_placeholder or not _may_be_placeholder(one):
                continue
            if found := _placeholder_pattern().pattern.fullmatch(one):
                kind = nouns_of(found.group("kind") or "")
                return not kind or kind[-1] in self._class_of
        folded = text.lower()
        has_mark = any(hint in folded for hint in MARK_HINTS)
        has_letter = has_mark or (_LETTERED.may_match(text) and LETTER_HINT.search(text))
        if has_letter and self._is_marked(text, has_mark=has_mark):
            return True
        marked = (
            has_mark and any(part in body for part in MARK_PARTS) and MARK.search(body) is not None
        )
        if body.count(" ") > MOST_KIND_WORDS and not marked:
            return False
        words = nouns_of(MARK.sub(" xxx ", body) if marked else body)
        return 0 < len(words) <= MOST_KIND_WORDS and (
            words[-1] in self._stand_ins
            and words[0] not in NAMED_BY_LETTERS
            and all(word in self._stand_ins or word in self._class_of for word in words)
            and not any(map(str.isdigit, body))
        )

    def _is_marked(self, text: str, *, has_mark: bool) -> bool:
        """Whether a text with marks, or with things named by letters, is still to be written."""
        if (
            UNFILLED.search(text)
            or UNFILLED_FORM.fullmatch(text)
            or len(set(UNNAMED_DRUG.findall(text))) > 1
        ):
            return True
        if (
            ":" not in text
            and not self._verbs.isdisjoint(text.lower().split())
            and not (has_mark and any(mark.strip(".…") for mark in MARK.findall(text)))
        ):
            return False  # "The patient was given …" is the beginning of a sentence
        rest = BRACKETED.sub(self._bracket, MARK.sub(" ", text)) if has_mark else text
        rest = LETTERED.sub(" ", rest) if _LETTERED.may_match(text) else rest
        return rest != text and self._is_frame(rest)

    def _bracket(self, found: re.Match[str]) -> str:
        """A space for "[list of drugs]"; "[aspirin, codeine]" as it is."""
        nouns = nouns_of(found.group(0))
        return " " if self._named.intersection(nouns) else found.group(0)

    def _is_frame(self, text: str) -> bool:
        """Whether only labels and small words are left of a text without its marks."""
        text = CODE_SYSTEM.sub(" ", text).lower()
        return not any(map(str.isdigit, text)) and all(
            word in self._frame or singular(word) in self._frame for word in LETTERS.findall(text)
        )

    def is_person(self, text: str) -> bool:
        """Whether the text only gives the name or the number of a patient."""
        return text.startswith(PERSON_WORDS) and PERSON.fullmatch(text) is not None

    def is_echo(self, text: str, instruction: str) -> bool:
        """Whether the text only repeats words of the instruction."""
        return len(text) <= MOST_ECHO_CHARS and self._is_echo(text, instruction)

    def _is_echo(self, text: str, instruction: str) -> bool:
        """Whether the input adds no word: "A drug" for an instruction about "a given drug"."""
        echoed = ECHO_PHRASE.fullmatch(text)
        if echoed is None or has_measurement(text):
            return False
        nouns = nouns_of(echoed.group(2))
        if not echoed.group(1) and len(nouns) > 1:
            return False  # "Heart disease" may be a topic; "a heart disease" is an echo
        kinds = {noun for noun in nouns if self._class_of.get(noun) == "particular"}
        known = self._fillers.union(nouns_of(instruction))
        return known.issuperset(nouns) and any(
            # The first source after "given" is the one that the instruction means.
            next((noun for noun in after if noun in self._class_of), "") in kinds
            for after in self._pointed_at(instruction)
        )

    def _pointed_at(self, instruction: str) -> Iterator[list[str]]:
        for clause in CLAUSES.split(instruction):
            nouns = nouns_of(clause)
            for place, noun in enumerate(nouns):
                if noun in self._points:
                    yield nouns[place + 1 : place + MOST_POINTED_WORDS]
