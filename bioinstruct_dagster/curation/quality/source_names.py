"""Reads an input as the name of a source, such as "An article on asthma" or "A patient's results".

Belongs here: which noun phrases and titles name a source, and which parts are content. Does not:
links and placeholders (stand_ins), whether the name is enough (grounding), or the words
(words/sources.yaml, and the rule in data/quality_rules.yaml).
"""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.word_lists import alternatives, word_list

QUALITY_PACKAGE = "bioinstruct_dagster.curation.quality"  # the package of the word lists
SOURCE_LISTS = "sources.yaml"
MOST_REMEMBERED_NOUNS = 20_000  # nouns whose singular is cached
MOST_HEAD_WORDS = 10  # of a noun phrase that names a source
MOST_TITLE_WORDS = 60
LEAST_TITLE_WORDS = 3
MOST_LABEL_WORDS = 7

LABEL = re.compile(r"([^\W\d_][\w'’/() -]{0,60}?)\s*(?::|\s[-–—])\s*(.*)", re.DOTALL)
# A period after an initial or a number ends no sentence.
PARTS = re.compile(r"\n+|\\n|(?<=[^\sA-Z.][.!?])[\"”’)]?\s+(?=[\"“A-Z])|;\s")
TOKEN = re.compile(r"\w[\w’'-]*|[,:;()\"“”/&]")
LETTERS = re.compile(r"[^\W\d_](?:[\w-]*[^\W_])?")
AGE = re.compile(r"\d[\s-]?(?:years?|months?|weeks?|days?|y)[\s/-]?(?:olds?|o)\b", re.IGNORECASE)
# A quotation, perhaps with its author.
QUOTATION = re.compile(r"[\"“][^\"”]{12,300}[\"”]\.?(?:\s?[(,].{0,120})?")


@lru_cache(MOST_REMEMBERED_NOUNS)
def singular(word: str) -> str:
    """The approximate singular of a noun, without a possessive ending."""
    word = word.removesuffix("'s").removesuffix("’s").removesuffix("'").removesuffix("’")
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - not "dies"
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word


def nouns_of(text: str) -> list[str]:
    """The words of a text in small letters, in the singular."""
    return [singular(word) for word in LETTERS.findall(text.lower())]


def source_classes(rule: UngroundedRule) -> dict[str, str]:
    """The class of each noun that the rule lists as a source."""
    lists = {
        "particular": rule.particulars,
        "recording": rule.recordings,
        "record": rule.records,
        "work": rule.works,
    }
    return {noun: name for name, nouns in lists.items() for noun in nouns}


def has_measurement(text: str) -> bool:
    """Whether a text holds measured content: a figure with a unit, a ratio, a percentage."""
    return _measurement_pattern().search(text) is not None


@cache
def _measurement_pattern() -> re.Pattern[str]:
    units, words = (
        alternatives(word_list(QUALITY_PACKAGE, SOURCE_LISTS, name))
        for name in ("measures", "measure_words")
    )
    return re.compile(
        rf"\d[\d,.]{{0,12}}\s?(?:{units}|(?:{words})\b)|\d\.\d|/\d|[<>=≥≤]\s?\d", re.IGNORECASE
    )


@cache
def _receipt_pattern() -> re.Pattern[str]:
    """Words that only say that a source was received."""
    verbs = alternatives(word_list(QUALITY_PACKAGE, SOURCE_LISTS, "received"))
    return re.compile(
        r"(?:(?:here (?:is|are)|please find|attached (?:is|are)|see)"
        r"|(?:i|we|you|he|she|the (?:patient|doctor|nurse)|patient|doctor)\s"
        rf"(?:(?:have|has|had|just)\s){{0,2}}(?:{verbs}))\s+",
        re.IGNORECASE,
    )


@cache
def _person_pattern() -> re.Pattern[str]:
    persons = alternatives(word_list(QUALITY_PACKAGE, SOURCE_LISTS, "persons"))
    return re.compile(rf"(?:(?:an?|the)\s)?(?:[\w-]+\s)?(?:{persons})\b", re.IGNORECASE)


@dataclass(frozen=True)
class SourceName:
    """The source that an input names, and the form of the name.

    Attributes:
        noun: the class of the source, as in the rule.
        bare: whether the name gives neither a person nor a topic.
        titled: whether the name is a title, or gives the topic of a work.
        unlabelled: whether a title stands without a label.
        is_sentence: whether the name is a whole sentence, such as "This study compares …".
    """

    noun: str
    bare: bool = False
    titled: bool = False
    unlabelled: bool = False
    is_sentence: bool = False


class SourceNames:
    """Reads an input as the name of a source, by the rule's lists and `words/sources.yaml`."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._class_of = source_classes(rule)
        self._holders, self._asides = frozenset(rule.holders), frozenset(rule.asides)
        self._titles = frozenset([*rule.titles, *rule.works])
        self._tells = frozenset(rule.tells)
        self._about, self._says, self._verbs, self._merely, self._articles = (
            word_list(QUALITY_PACKAGE, SOURCE_LISTS, name)
            for name in ("about", "says", "verbs", "merely", "articles")
        )
        self._groups, self._lists, self._joints = (
            word_list(QUALITY_PACKAGE, SOURCE_LISTS, name) for name in ("groups", "lists", "joints")
        )
        self._ends = self._about | self._verbs | self._joints | self._tells
        self._sentence, self._small = self._says | self._verbs, self._about | self._articles

    def sources_in(self, instruction: str) -> dict[str, str]:
        """The nouns for sources in an instruction, and the class of each."""
        return {one: self._class_of[one] for one in nouns_of(instruction) if one in self._class_of}

    def is_wanted(self, name: SourceName, wanted: set[str]) -> bool:
        """Whether the named source is of a class that the instruction means."""
        if name.titled:
            return "work" in wanted or ("record" in wanted and not name.unlabelled)
        if name.noun == "particular":
            return True
        return bool(wanted & {"work", "record", "recording"})

    def read(self, text: str) -> SourceName | None:
        """The source that an input names; None if any part of the input is content."""
        parts = [part.strip(" \t-•*") for part in PARTS.split(text)]
        names: list[SourceName] = []
        for part in parts:
            if not part.strip(" .\"'“”") or part.endswith("?"):
                continue  # a question adds no content
            if names and self._is_aside(part):
                continue
            name = self._read_part(part)
            if name is None:
                return None
            names.append(name)
        if not names:
            return None
        return names[0] if len(names) == 1 else max(names, key=lambda name: name.titled)

    def _is_aside(self, part: str) -> bool:
        found = LABEL.fullmatch(part)
        label = nouns_of(found.group(1)) if found else []
        return bool(label) and label[-1] in self._asides and not has_measurement(part)

    def _read_part(self, part: str) -> SourceName | None:
        found = LABEL.fullmatch(part)
        if found and len(found.group(1).split()) <= MOST_LABEL_WORDS:
            label, body = nouns_of(found.group(1)), found.group(2).strip()
            if named := self._phrase(body):
                return named
            titled = label and label[-1] in self._titles and "case" not in label
            return self._title(body, labelled=True) if titled else None
        return self._phrase(part) or self._title(part, labelled=False)

    def _title(self, text: str, *, labelled: bool) -> SourceName | None:
        """The text as a work's title. Without a label, it must have quotes or capitals."""
        bare = text.strip().strip(".\"'“”‘’")
        words = bare.split()
        if not LEAST_TITLE_WORDS <= len(words) <= MOST_TITLE_WORDS:
            return None
        if has_measurement(bare) or AGE.search(bare) or _person_pattern().match(bare):
            return None
        if any(word.strip(",:;()\"'").lower() in self._sentence for word in words):
            return None
        if labelled:
            return SourceName("work", titled=True)
        quoted = QUOTATION.fullmatch(text.strip()) is not None
        return (
            SourceName("work", titled=True, unlabelled=True)
            if quoted or self._in_capitals(words)
            else None
        )

    def _in_capitals(self, words: list[str]) -> bool:
        """Whether the words have the capitals of a title and are no enumeration."""
        small = [word for word in words if word.lower() in self._small]
        long = [word for word in words if len(word) > 3 and word.lower() not in self._about]  # noqa: PLR2004
        return (
            bool(small)
            and len(long) >= LEAST_TITLE_WORDS
            and all(word[:1].isupper() for word in long)
            and sum(word.endswith(",") for word in words) < LEAST_TITLE_WORDS - 1
        )

    def _phrase(self, text: str) -> SourceName | None:
        """The text as a noun phrase for a source, with at most a topic after it."""
        if has_measurement(text):
            return None
        text = text.strip()
        if received := _receipt_pattern().match(text):
            text = text[received.end() :]
        tokens = TOKEN.findall(text.rstrip(".").lower())
        if self._says.intersection(tokens):
            return None
        head, rest = self._split(tokens)
        listed = False
        while head and rest[:1] == ["of"] and head[-1] in self._groups:
            inner, after = self._split(rest[1:])
            if not inner or singular(inner[-1]) not in self._class_of:
                break
            listed = listed or head[-1] in self._lists
            head, rest = head + inner, after
        if not head or len(head) > MOST_HEAD_WORDS:
            return None
        return self._name_of(head, rest, listed=listed)

    def _name_of(self, head: list[str], rest: list[str], *, listed: bool) -> SourceName | None:
        noun = self._class_of.get(singular(head[-1]), "")
        held = any(singular(word) in self._holders for word in head)
        if noun == "work" and self._leaves_open(rest):
            is_sentence = bool(self._tells.intersection(rest[:1]))
            return SourceName(noun, bare=not rest, titled=bool(rest), is_sentence=is_sentence)
        if noun == "record" and rest[:1] != ["with"] and self._leaves_open(rest):
            return SourceName(noun, bare=not (rest or held))
        if noun in {"recording", "particular"}:
            of_holder = rest[:1] == ["of"] and any(singular(word) in self._holders for word in rest)
            if noun == "recording" and (held or of_holder) and self._leaves_open(rest):
                return None if rest[:1] == ["with"] else SourceName(noun)
            if self._is_generic(rest, held=held or listed):
                return SourceName(noun)
        return None

    def _split(self, tokens: list[str]) -> tuple[list[str], list[str]]:
        """The noun phrase at the beginning, and the words after it."""
        for place, token in enumerate(tokens):
            if token in self._ends or not token[0].isalnum():
                return tokens[:place], tokens[place:]
        return tokens, []

    def _leaves_open(self, rest: list[str]) -> bool:
        """Whether the words after a source's name give at most its topic."""
        if not rest:
            return True
        if ":" in rest[1:] and '"' not in rest and "“" not in rest:
            return False
        return not self._verbs.intersection(rest) or bool(self._merely.intersection(rest))

    def _is_generic(self, rest: list[str], *, held: bool) -> bool:
        """Whether particulars are general: "a patient's medical history and current symptoms"."""
        while rest and rest[0] in {"of", "for", "from", "about"}:
            inner = [
                word for word in rest[1:] if word not in self._articles and not word[0].isdigit()
            ]
            if not inner or singular(inner[0]) not in self._holders:
                return False
            held, rest = True, inner[1:]
        items: list[list[str]] = [[]]
        for token in rest:
            if token in self._joints:
                items.append([])
            else:
                items[-1].append(token)
        return held and all(not item or singular(item[-1]) in self._class_of for item in items)
