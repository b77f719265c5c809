"""Reads a text as a noun phrase that names a source, such as "A patient's current medications".

Belongs here: the noun phrase, the words after it, and announced lists. Does not: titles, labels and
several parts (source_names), or the words (source_words).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from bioinstruct_dagster.curation.quality.grounding.source_words import (
    TIME,
    TOKEN,
    SourceName,
    SourceWords,
    has_measurement,
    noun_forms,
    singular,
    source_list,
)
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordTest

MOST_HEAD_WORDS = 10  # of a noun phrase that names a source
MOST_WORDS_BEFORE_LIST = 4  # as in "a long anonymous list of"
ARTICLES = frozenset({"a", "an", "the"})
QUANTIFIERS = frozenset({"all", "both", "half", "of", "each", "one", "some", "many", *ARTICLES})
ENUMERATES = frozenset({",", "and", "or", "&"})
EXAMPLES = frozenset({"including", "such", "like", "containing", "comprising", "namely"})
UNNAMED = (["of", "a"], ["of", "an"])
DEFINING = (["that"], ["which"])  # words that may begin a definition
ARE = (["are"], ["is"], ["were"])
FROM_WHOM = (["of"], ["from"])

ReadPhrase = Callable[[str], SourceName | None]

# "Abnormal results" names results and does not give them.
ABNORMAL = re.compile(
    r"\b(?:with|of|and) (?:some |several |multiple )?abnormal (?=results|findings|values|levels)",
    re.IGNORECASE,
)


def _names_nothing(_: str) -> None:
    """What a text names that holds no noun for a source."""


@cache
def _receipt_pattern() -> re.Pattern[str]:
    """Words that only say that a source was received."""
    verbs = alternatives(source_list("received"))
    return re.compile(
        r"(?:(?:here (?:is|are)|please find|attached (?:is|are)|see)"
        r"|(?:i|we|you|he|she|the (?:patient|doctor|nurse)|patient|doctor)\s"
        rf"(?:(?:have|has|had|just)\s){{0,2}}(?:{verbs}))\s+",
        re.IGNORECASE,
    )


class SourcePhrases:
    """Reads noun phrases by the rule's lists and `words/sources.yaml`."""

    def __init__(self, words: SourceWords) -> None:
        self._words = words
        self._merely, self._groups, self._lists = map(source_list, ("merely", "groups", "lists"))
        self._talks, self._senders, self._codes = map(source_list, ("talks", "senders", "codes"))
        self._materials = source_list("materials")
        self._findings = source_list("finding_adjectives")
        self._nouns = self._codes.union(words.class_of)
        self._generic = source_list("tokens").union(words.class_of)
        self._nouns_test = WordTest(noun_forms(self._nouns))
        self._ends = words.about | words.verbs | words.joints | words.tells

    def reader_for(self, text: str) -> ReadPhrase:
        """`read` for the parts of an input; if no part names a source, a function that says so."""
        return self.read if self._nouns_test.may_hold(text) else _names_nothing

    def read(self, text: str) -> SourceName | None:
        """The source that the text names, with at most a topic after it."""
        if not self._may_name(text) or has_measurement(text):
            return None
        text = text.replace("WHO ", "World-Health-Organization ")
        text = TIME.sub("", ABNORMAL.sub("with ", text)).strip(" .")
        if received := _receipt_pattern().match(text):
            text = text[received.end() :]
        tokens = TOKEN.findall(text.lower())
        if members := self._announced_list(tokens):
            return SourceName("particular", members=members)
        head, rest = self._split(tokens)
        if not self._is_noun_phrase(head) or self._says_more(head, rest):
            return None
        if rest[:1] == ["to"] and len(head) > 1 and singular(head[-2]) in self._words.class_of:
            return None  # "the study plans to collect samples"
        if head and head[-1].isdigit():
            head = head[:-1]  # "Table 2"
        listed = False
        while head and rest[:1] == ["of"] and head[-1] in self._groups:
            inner, after = self._split(rest[1:])
            if not inner or singular(inner[-1]) not in self._words.class_of:
                break
            listed = listed or head[-1] in self._lists
            head, rest = head + inner, after
        if not head or len(head) > MOST_HEAD_WORDS:
            return None
        name = self._name_of(head, rest, listed=listed)
        return replace(name, word=singular(head[-1])) if name else None

    def _may_name(self, text: str) -> bool:
        """Whether a noun for a source is in the text. It is quick, and most texts have none."""
        return any(
            word in self._nouns or singular(word.rstrip(".,:;)")) in self._nouns
            for word in text.lower().split()
        )

    def _is_noun_phrase(self, head: list[str]) -> bool:
        """Whether no article stands within: "John sent a letter" is a sentence.

        "Thin like a page" is a likeness, and "tissue paper" a material.
        """
        if "like" in head or not self._materials.isdisjoint(head[:-1]):
            return False
        before = max((at for at, word in enumerate(head) if word in ARTICLES), default=0)
        return all(word in QUANTIFIERS for word in head[:before])

    def _says_more(self, head: list[str], rest: list[str]) -> bool:
        """Whether a word tells what the source says, as in "Normal chest X-ray"."""
        if not self._findings.isdisjoint(head):
            return True
        if head and singular(head[-1]) in self._words.class_of:
            head = head[:-1]  # "notes" and "reports" are verbs too
        said = [*head, *rest]
        pairs = zip(["", *said], said, strict=False)
        return any(
            word in self._words.says
            # "A patient diagnosed with gout" is a topic.
            and not (word == "diagnosed" and before in self._words.people)
            for before, word in pairs
        )

    def _announced_list(self, tokens: list[str]) -> str:
        """The members of a list that the text announces: "code" of "a list of ICD-10 codes"."""
        before = tokens[:MOST_WORDS_BEFORE_LIST]
        place = next((at for at, word in enumerate(before) if word in self._lists), None)
        if place is not None and tokens[place + 1 : place + 2] == ["of"]:
            head, rest = self._split(tokens[place + 2 :])
        else:
            # "Medication list of a patient", but no "list" that a word such as "of" precedes.
            head, rest = self._split(tokens)
            if len(head) < 2 or head[-1] not in {"list", "codes"}:  # noqa: PLR2004
                return ""
            head = head[:-1] if head[-1] == "list" else head
        noun = singular(head[-1]) if head and len(head) <= MOST_HEAD_WORDS else ""
        known = noun in self._codes or self._words.class_of.get(noun) in {"particular", "recording"}
        if rest[:1] in DEFINING and rest[1:2] in ARE:
            rest = rest[2:]
        return noun if known and self._leaves_open(rest) and self._holds_no_item(rest) else ""

    def _holds_no_item(self, rest: list[str]) -> bool:
        """Whether the words after an announced list name none of its members."""
        if EXAMPLES.isdisjoint(rest):
            return ":" not in rest
        at = next(place for place, word in enumerate(rest) if word in EXAMPLES)
        return self._is_generic(["and", *rest[at + 1 :]])

    def _name_of(self, head: list[str], rest: list[str], *, listed: bool) -> SourceName | None:
        word = singular(head[-1])
        noun = self._words.class_of.get(word, "")
        held = any(singular(each) in self._words.holders for each in head)
        if noun in {"recording", "particular"}:
            return self._person_data(word, rest, held=held, listed=listed)
        if not noun or not self._leaves_open(rest):
            return None
        told, loose = bool(self._words.tells.intersection(rest[:1])), rest[:1] in DEFINING
        if noun != "record":
            return SourceName(noun, bare=not rest, titled=bool(rest), is_sentence=told, loose=loose)
        filled = told or rest[:1] == ["with"]
        if filled and word not in self._talks and not self._is_generic(["and", *rest[1:]]):
            return None
        return SourceName(noun, bare=not (rest or held), loose=loose)

    def _person_data(
        self, word: str, rest: list[str], *, held: bool, listed: bool
    ) -> SourceName | None:
        """The name of a recording, or of particulars of a person."""
        noun = self._words.class_of[word]
        held_after = any(singular(each) in self._words.holders for each in rest)
        is_open = self._leaves_open(rest)
        if noun == "recording" and is_open and rest[:1] != ["with"]:
            held_here = held or (rest[:1] in FROM_WHOM and held_after)
            generic = self._is_generic(rest, held=held or held_after or listed)
            return SourceName(noun, loose=not (held_here or generic))
        if self._is_generic(rest, held=held or held_after or listed):
            return SourceName(noun)
        described = word == "description" and rest[:2] in UNNAMED
        if noun == "particular" and is_open and (described or (word == "information" and rest)):
            return SourceName(noun, loose=True)
        return None

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
            token in self._words.tells
            and singular(token) in self._words.class_of
            and singular(before) not in self._words.class_of
        )

    def _leaves_open(self, rest: list[str]) -> bool:
        """Whether the words after a source's name give at most its topic."""
        if not rest:
            return True
        if rest[0] in ENUMERATES and not self._is_generic(rest):
            return False
        if ":" in rest[1:] and '"' not in rest and "“" not in rest:
            return False
        return not self._words.verbs.intersection(rest) or bool(self._merely.intersection(rest))

    def _is_generic(self, rest: list[str], *, held: bool = True) -> bool:
        """Whether particulars are general: "a patient's medical history and current symptoms"."""
        while rest and rest[0] in {"of", "for", "from", "about"}:
            inner = [
                word
                for word in rest[1:]
                if word not in self._words.articles and not word[0].isdigit()
            ]
            if not inner or singular(inner[0]) not in self._words.holders | self._senders:
                return False
            held, rest = True, inner[1:]
        items: list[list[str]] = [[]]
        for token in rest:
            if token in self._words.joints:
                items.append([])
            else:
                items[-1].append(token)
        return held and all(not item or singular(item[-1]) in self._generic for item in items)
