"""Reads an input as the name of a source, such as "An article on asthma" or "A patient's results".

Belongs here: which noun phrases and titles name a source, and which parts are content. Does not:
links and placeholders (stand_ins), whether the name is enough (grounding), or the words
(words/sources.yaml, and the rule in data/quality_rules.yaml).
"""

import re
from dataclasses import dataclass, field, replace
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
MOST_EMPTY_LABEL = 4
MOST_DATA_SET_WORDS = 8
MOST_WORDS_BEFORE_LIST = 4  # as in "a long anonymous list of"
MOST_VAGUE_WORDS = 25
ARTICLES = frozenset({"a", "an", "the"})
QUANTIFIERS = frozenset({"all", "both", "half", "of", "each", "one", "some", "many", *ARTICLES})
ENUMERATES = frozenset({",", "and", "or", "&"})
UNNAMED = (["of", "a"], ["of", "an"])
DEFINING = (["that"], ["which"])  # words that may begin a definition
EXAMPLES = frozenset({"including", "such", "like", "containing", "comprising", "namely"})

LABEL = re.compile(r"([^\W\d_][\w'’/() -]{0,60}?)\s*(?::|\s[-–—])\s*(.*)", re.DOTALL)
# A period after an initial or a number ends no sentence.
PARTS = re.compile(r"\n+|\\n|(?<=[^\sA-Z.][.!?])[\"”’)]?\s+(?=[\"“A-Z])|;\s")
TOKEN = re.compile(r"\w[\w’'-]*|[,:;()\"“”/&]")
LETTERS = re.compile(r"[^\W\d_](?:[\w-]*[^\W_])?")
AGE = re.compile(r"\d[\s-]?(?:years?|months?|weeks?|days?|y)[\s/-]?(?:olds?|o)\b", re.IGNORECASE)
# A time, as in "results from the past 24 hours", is no result.
PERIOD = re.compile(
    r"\b(?:(?:over|for|from|during|in|within|of) )?(?:the )?(?:past|last|previous) "
    r"(?:(?:\d+|few|several|two|three|six|twelve) )?(?:hours?|days?|weeks?|months?|years?)\b"
    r"|\b(?:yesterday|recently)\b",
    re.IGNORECASE,
)
# A reference to a publication: an author with others, and a year.
CITATION = re.compile(r"[A-Z][\w'’-]+[\w ,.&-]{0,60}\bet al\b.{0,200}\b(?:19|20)\d\d\b.{0,40}")
# The beginning of many titles of studies, written without capitals.
STUDY_TITLE = re.compile(
    r"(?:the )?(?:effects?|impact|role|efficacy|effectiveness|safety|influence|association"
    r"|relationship|prevalence|comparison|evaluation|assessment|outcomes)"
    r"(?: and [\w-]+)? (?:of|between) .{8,}",
    re.IGNORECASE,
)
# "Abnormal results" names results and does not give them.
ABNORMAL = re.compile(
    r"\b(?:with|of|and) (?:some |several |multiple )?abnormal (?=results|findings|values|levels)",
    re.IGNORECASE,
)
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
        "norm": rule.norms,
    }
    return {noun: name for name, nouns in lists.items() for noun in nouns}


def has_measurement(text: str) -> bool:
    """Whether a text holds measured content: a figure with a unit, a ratio, a percentage."""
    return _measurement_pattern().search(PERIOD.sub("", text)) is not None


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
        loose: whether the same words may also be a topic, such as "Chest X-ray".
        word: the noun itself, such as "article"; empty for a title.
        members: the members of a list that the name announces, such as "code"; else empty.
    """

    noun: str
    bare: bool = False
    titled: bool = False
    unlabelled: bool = False
    is_sentence: bool = False
    loose: bool = False
    members: str = ""
    word: str = field(default="", compare=False)


class SourceNames:
    """Reads an input as the name of a source, by the rule's lists and `words/sources.yaml`."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._class_of = source_classes(rule)
        self._holders, self._asides = frozenset(rule.holders), frozenset(rule.asides)
        self._people = self._holders.difference(rule.points)
        self._titles = frozenset([*rule.titles, *rule.works, *rule.norms])
        self._data_sets = frozenset(rule.data_sets)
        self._tells = frozenset(rule.tells)
        self._about, self._says, self._verbs, self._merely, self._articles = (
            word_list(QUALITY_PACKAGE, SOURCE_LISTS, name)
            for name in ("about", "says", "verbs", "merely", "articles")
        )
        self._groups, self._lists, self._joints, self._codes, self._kinds = (
            word_list(QUALITY_PACKAGE, SOURCE_LISTS, name)
            for name in ("groups", "lists", "joints", "codes", "kinds")
        )
        self._talks, self._pictures, self._senders, self._tokens = (
            word_list(QUALITY_PACKAGE, SOURCE_LISTS, name)
            for name in ("talks", "pictures", "senders", "tokens")
        )
        self._adjectives = word_list(QUALITY_PACKAGE, SOURCE_LISTS, "finding_adjectives")
        self._vague = word_list(QUALITY_PACKAGE, SOURCE_LISTS, "vague_verbs")
        self._ends = self._about | self._verbs | self._joints | self._tells
        self._sentence, self._small = self._says | self._verbs, self._about | self._articles

    def sources_in(self, instruction: str) -> dict[str, str]:
        """The nouns for sources in an instruction, and the class of each."""
        return {one: self._class_of[one] for one in nouns_of(instruction) if one in self._class_of}

    def is_wanted(self, name: SourceName, wanted: set[str]) -> bool:
        """Whether the named source is of a class that the instruction means."""
        if name.noun == "norm":
            return bool(wanted & {"norm", "work"})
        if name.titled:
            return "work" in wanted or ("record" in wanted and not name.unlabelled)
        if name.noun == "particular":
            return True
        return bool(wanted & {"work", "record", "recording"})

    def read(self, text: str) -> SourceName | None:
        """The source that an input names; None if any part of the input is content."""
        if CITATION.fullmatch(text) and self._says.isdisjoint(TOKEN.findall(text.lower())):
            return SourceName("work", titled=True, unlabelled=True)
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
            if not body:  # a label without its text
                return self._phrase(found.group(1)) if len(label) <= MOST_EMPTY_LABEL else None
            if label and label[-1] in self._data_sets and self._is_data_set(body):
                return SourceName("record")
            if label and label[-1] in self._class_of and STUDY_TITLE.fullmatch(body):
                return SourceName("work", titled=True)
            titled = label and label[-1] in self._titles and "case" not in label
            name = self._title(body, labelled=True) if titled else None
            if name and self._class_of.get(label[-1]) == "norm":
                return SourceName("norm", titled=True)
            return name
        return self._phrase(part) or self._title(part, labelled=False)

    def _is_data_set(self, text: str) -> bool:
        """Whether the text is the proper name of a data set, such as "MIMIC-III"."""
        words = TOKEN.findall(text)
        return (
            0 < len(words) <= MOST_DATA_SET_WORDS
            and text[:1].isupper()
            and "," not in words
            and not has_measurement(text)
            and not self._sentence.intersection(map(str.lower, words))
        )

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
        if QUOTATION.fullmatch(text.strip()) or self._in_capitals(words):
            return SourceName("work", titled=True, unlabelled=True)
        if STUDY_TITLE.fullmatch(bare):
            return SourceName("work", titled=True, unlabelled=True, loose=True)
        return None

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
        text = text.replace("WHO ", "World-Health-Organization ")
        text = PERIOD.sub("", ABNORMAL.sub("with ", text)).strip(" .")
        if received := _receipt_pattern().match(text):
            text = text[received.end() :]
        tokens = TOKEN.findall(text.rstrip(".").lower())
        if members := self._announced_list(tokens):
            return SourceName("particular", members=members)
        head, rest = self._split(tokens)
        if not self._is_noun_phrase(head):
            return None
        if head and head[-1].isdigit():
            head = head[:-1]  # "Table 2"
        # "Notes" and "reports" are verbs too.
        if self._adjectives.intersection(head):
            return None  # "Normal chest X-ray"
        said = [*(head[:-1] if singular(head[-1]) in self._class_of else head), *rest] if head else rest
        said = [
            word
            for before, word in zip(["", *said], said, strict=False)
            if not (word == "diagnosed" and before in self._people)  # "a patient diagnosed with"
        ]
        if self._says.intersection(said):
            return None
        listed = False
        while head and rest[:1] == ["of"] and head[-1] in self._groups:
            inner, after = self._split(rest[1:])
            if not inner or singular(inner[-1]) not in self._class_of:
                break
            listed = listed or head[-1] in self._lists
            head, rest = head + inner, after
        if not head or len(head) > MOST_HEAD_WORDS:
            return None
        name = self._name_of(head, rest, listed=listed)
        return replace(name, word=singular(head[-1])) if name else None

    def _is_noun_phrase(self, head: list[str]) -> bool:
        """Whether no article stands within: "John sent a letter" is a sentence."""
        before = max((at for at, word in enumerate(head) if word in ARTICLES), default=0)
        return all(word in QUANTIFIERS for word in head[:before])

    def _announced_list(self, tokens: list[str]) -> str:
        """The members of a list that the text announces: "code" of "a list of ICD-10 codes"."""
        before = tokens[:MOST_WORDS_BEFORE_LIST]
        place = next((at for at, word in enumerate(before) if word in self._lists), None)
        if place is not None and tokens[place + 1 : place + 2] == ["of"]:
            head, rest = self._split(tokens[place + 2 :])
        else:
            # "Medication list of a patient", but no "list" that a word such as "of" precedes.
            head, rest = self._split(tokens)
            if len(head) < 2 or head[-1] != "list":  # noqa: PLR2004 - the list and its members
                return ""
            head = head[:-1]
        noun = singular(head[-1]) if head and len(head) <= MOST_HEAD_WORDS else ""
        known = noun in self._codes or self._class_of.get(noun) in {"particular", "recording"}
        if rest[:1] in DEFINING and rest[1:2] in (["are"], ["is"], ["were"]):
            rest = rest[2:]
        return noun if known and self._leaves_open(rest) and self._holds_no_item(rest) else ""

    def _holds_no_item(self, rest: list[str]) -> bool:
        """Whether the words after an announced list name none of its members."""
        if EXAMPLES.isdisjoint(rest):
            return ":" not in rest
        at = next(place for place, word in enumerate(rest) if word in EXAMPLES)
        return self._is_generic(["and", *rest[at + 1 :]], held=True)

    def _name_of(self, head: list[str], rest: list[str], *, listed: bool) -> SourceName | None:
        noun = self._class_of.get(singular(head[-1]), "")
        held = any(singular(word) in self._holders for word in head)
        if noun in {"work", "norm"} and self._leaves_open(rest):
            is_sentence = bool(self._tells.intersection(rest[:1]))
            return SourceName(
                noun,
                bare=not rest,
                titled=bool(rest),
                is_sentence=is_sentence,
                loose=rest[:1] in DEFINING,
            )
        if noun == "record" and self._leaves_open(rest):
            talk = singular(head[-1]) in self._talks
            filled = rest[:1] == ["with"] or bool(self._tells.intersection(rest[:1]))
            if filled and not talk and not self._is_generic(["and", *rest[1:]], held=True):
                return None
            return SourceName(noun, bare=not (rest or held), loose=rest[:1] in DEFINING)
        if noun in {"recording", "particular"}:
            of_holder = rest[:1] in (["of"], ["from"]) and any(singular(word) in self._holders for word in rest)
            if noun == "recording" and (held or of_holder) and self._leaves_open(rest):
                return None if rest[:1] == ["with"] else SourceName(noun)
            held = held or any(singular(word) in self._holders for word in rest)
            if self._is_generic(rest, held=held or listed):
                return SourceName(noun)
            if singular(head[-1]) == "description" and rest[:2] in UNNAMED and self._leaves_open(rest):
                return SourceName(noun, loose=True)
            if singular(head[-1]) == "information" and rest and self._leaves_open(rest):
                return SourceName(noun, loose=True)
            if noun == "recording" and rest[:1] != ["with"] and self._leaves_open(rest):
                return SourceName(noun, loose=True)
        return None

    def is_held(self, text: str) -> bool:
        """Whether the text speaks of a person, such as a patient."""
        return not self._people.isdisjoint(nouns_of(text))

    def is_token(self, text: str, instruction: str) -> bool:
        """Whether the text repeats the noun for a thing such as a code, and gives none."""
        nouns = nouns_of(text)
        return bool(nouns) and (
            nouns[-1] in self._tokens
            and all(noun in self._kinds or noun in self._articles for noun in nouns[:-1])
            and re.search(
                rf"\b(?:the|this|an?|given|following|provided) (?:[\w-]+ ){{0,2}}{nouns[-1]}\b",
                instruction.lower(),
            )
            is not None
        )

    def is_vague(self, text: str) -> bool:
        """Whether each word only names sources or their kind: "several symptoms and lab results"."""
        words = [word for word in TOKEN.findall(text.lower()) if word[0].isalnum()]
        if not 0 < len(words) <= MOST_VAGUE_WORDS or "?" in text:
            return False
        known = self._kinds | self._articles | self._about | self._joints | self._vague
        sources = 0
        for word in words:
            one = singular(word)
            if one in self._pictures or one in self._tokens or self._class_of.get(one, "recording") != "recording":
                sources += 1
            elif not (word in known or one in known or one in self._holders or word in self._verbs):
                return False
        return sources > 0

    def _split(self, tokens: list[str]) -> tuple[list[str], list[str]]:
        """The noun phrase at the beginning, and the words after it."""
        for place, token in enumerate(tokens):
            if token in self._ends or not token[0].isalnum():
                if self._is_plural(token, tokens[place - 1] if place else ""):
                    continue  # "recent studies", "user reviews"
                return tokens[:place], tokens[place:]
        return tokens, []

    def _is_plural(self, token: str, before: str) -> bool:
        """Whether a word that is a noun and a verb is a noun here."""
        return (
            token in self._tells
            and singular(token) in self._class_of
            and singular(before) not in self._class_of
        )

    def _leaves_open(self, rest: list[str]) -> bool:
        """Whether the words after a source's name give at most its topic."""
        if not rest:
            return True
        if rest[0] in ENUMERATES and not self._is_generic(rest, held=True):
            return False
        if ":" in rest[1:] and '"' not in rest and "“" not in rest:
            return False
        return not self._verbs.intersection(rest) or bool(self._merely.intersection(rest))

    def _is_generic(self, rest: list[str], *, held: bool) -> bool:
        """Whether particulars are general: "a patient's medical history and current symptoms"."""
        while rest and rest[0] in {"of", "for", "from", "about"}:
            inner = [
                word for word in rest[1:] if word not in self._articles and not word[0].isdigit()
            ]
            if not inner or singular(inner[0]) not in self._holders | self._senders:
                return False
            held, rest = True, inner[1:]
        items: list[list[str]] = [[]]
        for token in rest:
            if token in self._joints:
                items.append([])
            else:
                items[-1].append(token)
        return held and all(not item or singular(item[-1]) in self._class_of for item in items)
