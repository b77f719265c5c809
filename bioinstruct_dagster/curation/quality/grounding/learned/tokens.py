"""The tokens of a text, and the class of each: a document, a result, a person, a figure.

A word that no example holds still has a class, so that the judge learns forms such as "document of
a person". Belongs here: tokens and their classes. Does not: what is made of them (signs), or the
nouns and verbs themselves (words/mentions.yaml, words/sources.yaml).
"""

import re
from functools import cache, lru_cache
from typing import NamedTuple

from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list
from bioinstruct_dagster.curation.quality.grounding.source_words import singular, source_list

MOST_REMEMBERED = 20_000  # words whose class is cached
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
    return list(map(_token, TOKEN.findall(text)))


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
    listed = (
        kind
        for kind, words in _classes()
        if word in words or (kind in _NOUN_KINDS and noun in words)
    )
    return word if word in JOINTS else next(listed, "") or _form(text, word)


def _form(text: str, word: str) -> str:
    """The class of a word that no list holds."""
    if text.isupper() and len(text) >= LEAST_ACRONYM_LETTERS:
        return "acronym"
    if word.endswith("ed"):
        return "-ed"
    return "-ing" if word.endswith("ing") else "content"


_NOUN_KINDS = MATERIALS | {"person"}


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
