"""The tokens of a text, and the class of each: a document, a result, a person, a figure.

A word that no example holds still has a class, so that the judge learns forms such as "document of
a person". Belongs here: tokens and their classes. Does not: what is made of them (signs), or the
nouns and verbs themselves (words/mentions.yaml, words/sources.yaml).
"""

import re
from functools import cache, lru_cache
from itertools import chain
from typing import NamedTuple

from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list
from bioinstruct_dagster.curation.quality.grounding.source_words import singular, source_list

MOST_REMEMBERED = 50_000  # words whose class is cached, and parts of texts whose tokens are
LEAST_ACRONYM_LETTERS = 2
LEAST_PLURAL_LETTERS = 4
TOKEN = re.compile(
    r"(?!http)[^\W\d_]+(?:['’-][^\W\d_]+)*|[:;?()\"“”,]|\.{3}|\.|\d[\d.,/%]*|https?://\S+"
    r"|\[[^\]\n]{0,80}\]|\{[^}\n]{0,40}\}|…|_{2,}"
)
GAPS = ("[", "{", "_", "...", "…")
PLAIN_MARKS = frozenset(":;?(,.")
# Small words that keep their own name: "report of", "report in".
JOINTS = frozenset(
    {
        "of",
        "for",
        "on",
        "about",
        "from",
        "in",
        "with",
        "by",
        "to",
        "at",
        "between",
        "and",
        "or",
        "as",
        "during",
        "after",
        "before",
    }
)
# Classes of nouns for a material that a task may need.
MATERIALS = frozenset({"document", "result", "image", "list", "member"})


class Token(NamedTuple):
    """A word or mark of a text.

    Attributes:
        kind: its class.
        noun: it in small letters, a noun in the singular.
        is_word: whether it begins with a letter or a figure.
    """

    kind: str
    noun: str
    is_word: bool


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, in order."""
    if "[" in text or "{" in text:
        return list(map(_token, TOKEN.findall(text)))  # a token may hold spaces
    # The same tokens as those of the expression, in a fifth of the time: texts share most words.
    return list(chain.from_iterable(map(_PARTS.__getitem__, text.split())))


class _Parts(dict[str, tuple[Token, ...]]):
    """The tokens of each part of a text between white space, found once."""

    def __missing__(self, part: str) -> tuple[Token, ...]:
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[part] = tokens = tuple(map(_token, _split(part)))
        return tokens


def _split(part: str) -> list[str]:
    """The tokens of a part without white space; most are a word, perhaps with one mark behind."""
    if not part.startswith("http"):
        if part.isalpha():
            return [part]
        if part[-1] in PLAIN_MARKS and part[:-1].isalpha():
            return [part[:-1], part[-1]]
    return TOKEN.findall(part)


_PARTS = _Parts()


@lru_cache(MOST_REMEMBERED)
def _token(text: str) -> Token:
    word = text.lower()
    noun = singular(word) if len(word) >= LEAST_PLURAL_LETTERS else word  # "was" is no plural
    return Token(_kind(text, noun), noun, text[0].isalnum())


def _kind(text: str, noun: str) -> str:
    if text.startswith("http"):
        return "link"
    if text.startswith(GAPS):
        return "gap"
    if text[0].isdigit():
        return "figure"
    if not text[0].isalnum():
        return text if text in PLAIN_MARKS else "quote"
    word = text.lower()
    if word in JOINTS:
        return word
    by_word, by_noun = _ranks()
    rank = min(by_word.get(word, _NO_RANK), by_noun.get(noun, _NO_RANK))
    return _classes()[rank][0] if rank < _NO_RANK else _form(text, word)


def _form(text: str, word: str) -> str:
    """The class of a word that no list holds."""
    if text.isupper() and len(text) >= LEAST_ACRONYM_LETTERS:
        return "acronym"
    if word.endswith("ed"):
        return "-ed"
    return "-ing" if word.endswith("ing") else "content"


_NOUN_KINDS = MATERIALS | {"person"}
_NO_RANK = 99  # above the place of any class


@cache
def _ranks() -> tuple[dict[str, int], dict[str, int]]:
    """The place of the first class that holds a word, and of the first class of nouns."""
    by_word: dict[str, int] = {}
    by_noun: dict[str, int] = {}
    for rank, (kind, words) in enumerate(_classes()):
        for word in words:
            by_word.setdefault(word, rank)
            if kind in _NOUN_KINDS:
                by_noun.setdefault(word, rank)
    return by_word, by_noun


@cache
def _classes() -> tuple[tuple[str, frozenset[str]], ...]:
    """The classes and their words; the first class that holds a word counts."""
    return (
        ("small", source_list("articles")),
        ("person", mention_list("of_persons") | mention_list("persons")),
        ("document", mention_list("documents")),
        ("result", mention_list("results")),
        ("image", mention_list("images")),
        ("list", mention_list("lists")),
        ("member", mention_list("members")),
        ("finding", source_list("says") | source_list("finding_adjectives")),
        ("verb", source_list("verbs")),
        ("carrier", mention_list("carriers")),
        ("general", source_list("kinds") | mention_list("generic")),
    )
