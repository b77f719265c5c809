"""A mention of a material, and the patterns and small words by which an input is read as one.

Belongs here: these, and the parts of an input. Does not: their use (mentions), or nouns and verbs
(words/mentions.yaml).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioinstruct_dagster.curation.quality.grounding.source_words import (
    PART_EDGES,
    QUALITY_PACKAGE,
    parts_between,
)
from bioinstruct_dagster.curation.word_lists import word_list

MENTION_LISTS = "mentions.yaml"
MOST_HEAD_PLACE = 8  # words up to the noun of a material
MOST_TITLE_WORDS = 40
LEAST_TITLE_WORDS = 2
MOST_COMMAS = 2  # with as many, the words after a material enumerate its content
MOST_LABEL_WORDS = 6
PARTS = re.compile(
    r"\s+(?=Question\s?:)|\s*(?:\n|\\n)+\s*"
    r"|(?<!\bSt\.)(?<!\b[DM]r\.)(?<!\bM[rs]s\.)(?<!\bNo\.)(?<=[^\sA-Z.][.!?])[\"”’)]?\s+(?=[\"“A-Z\[(])"
    r"|;\s"
)
BREAK = re.compile(r"[.!?;\n\\:]")
LABEL = re.compile(r"([^\W\d_][\w'’/() -]{0,50}?)\s*(?::|\s[-–—]\s)\s*(.*)", re.DOTALL)
OPENER = re.compile(
    r"(?:(?:attached|enclosed|included|input|uploaded)\s?:|here (?:is|are)|this is|these are"
    r"|attached (?:is|are)|please (?:find|see|read|refer to|review)"
    r"|see|refer to|read|i (?:have|am|just) \w+(?: you)?|(?:i|we) (?:attach|enclose"
    r"|upload)(?:ed)?)\s*\b",
    re.IGNORECASE,
)
# A text in place of a value that is to be found elsewhere or not at all.
STAND_IN = re.compile(
    r"\W*(?:(?:please )?(?:see|refer to|as|per|in|cf\.?) (?:the |an? )?(?:\w+ ){0,3}"
    r"(?:chart|file|record|above|below|attached|attachment|enclosed|system|notes?|report|appendix"
    r"|emr|ehr)"
    r"|(?:to be|will be) (?:\w+ ?){1,3}|not (?:yet )?(?:\w+ )?(?:provided|given|included|available"
    r"|attached|shown|supplied|specified)|attached|enclosed|pending|unknown|n/?a|none given|tbd|tba"
    r"|x{4,}|above|below|omitted|redacted|blank|empty|unavailable|unspecified)?\W*",
    re.IGNORECASE,
)
BLANKS = re.compile(r"_{2,}|\.{3,}|…|\[\s*\]|\{\s*\}")
# Each label, quotation or blank has one of them.
MENTION_MARKS = (":", '"', "__", "...", "…", "[", "{")
COUNTS = frozenset({"two", "three", "four", "several", "some"})
MOST_GENERAL_WORDS = 10
# Words that say that a person was described in another place.
ELSEWHERE = frozenset(
    {
        "same",
        "above",
        "previous",
        "earlier",
        "before",
        "bed",
        "room",
        "yesterday",
        "below",
        "described",
        "mentioned",
        "following",
        "seen",
        "question",
        "last",
        "discussed",
        "ward",
        "phone",
        "sent",
    }
)
PHASE = re.compile(r"\b(phase|type|stage|class|grade|level) (?:I{1,3}V?|IV)\b", re.IGNORECASE)
MARKS = ".,;:()[]\"'“”‘’*"
WHETHERS = frozenset({"whether", "if", "how"})
LEAST_NAME_WORDS = 2  # of the name of a document without its noun
MOST_NAME_WORDS = 10
MOST_LABEL_CHARS = 60
MOST_FIRST_WORDS = 14  # searched for a material, quickly
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
BLANK_FORM = re.compile(
    r"(?:[\w /()-]{1,40}[:=]\s*(?:_{2,}|\.{3,}|…|\[\s*\]|\?+|-{2,})\s*[\w/%²]{0,6}[,;.\s]*)+"
)
QUOTED = re.compile(r"[\"“][^\"”]{6,300}[\"”]")
# What a study was to find out.
WHETHER = re.compile(r"\b(?:whether|if|how)\b[^.;,:]{3,160}")
CODE = re.compile(r"[a-z]*\d[\w.-]*")
AGE = re.compile(r"\d{1,3}-(?:years?|months?|weeks?|days?)(?:-olds?)?")
OPENINGS = frozenset({"given", "based", "using", "according"})
NUMBERED = frozenset({"table", "figure", "chart", "graph"})
RESULTS = frozenset({"report", "reports", "results", "findings", "values", "readings"})
TALKS = frozenset({"dialogue", "dialog", "chat", "log"})
FILED = frozenset({"note", "report", "record", "summary"})  # "Operative note: appendectomy"
MOST_FILED_WORDS = 4
DATA_SETS = frozenset({"title", "dataset", "database", "registry"})
STEM_LETTERS = 5
MOST_NEW_SHARE = 0.4  # of the words of a part that tells the task again
INNER_ARTICLES = frozenset({"a", "an"})
QUANTIFIERS = frozenset({"all", "both", "half", "each", "one", "with", "given", "based"})
PREPOSITIONS = frozenset(
    {"", "by", "in", "on", "at", "for", "from", "during", "with", "before", "after", "to", "as"}
)
# Words of an aside on a picture: its side, its view, its person.
ASIDE = frozenset(
    {
        "right",
        "left",
        "both",
        "bilateral",
        "pa",
        "ap",
        "lateral",
        "frontal",
        "axial",
        "sagittal",
        "coronal",
        "lead",
    }
)
OF_WHOM = (["for"], ["of"], ["from"], ["in"])
EXAMPLES = frozenset({"such", "including", "includes", "include", "like", "namely"})
RELATIVES = frozenset({"that", "which", "who", "whose"})
PHRASE_MARKS = frozenset({",", "(", ")", "and", "or", "&", "/", '"', "“", "”"})


def mention_list(name: str) -> frozenset[str]:
    """The words of a list of `words/mentions.yaml`."""
    return word_list(QUALITY_PACKAGE, MENTION_LISTS, name)


def parts_of(text: str) -> Iterator[str]:
    """The parts of an input, one after the other (see `parts_between`)."""
    if BREAK.search(text, 0, len(text) - 1) is None:
        return iter([text.strip(PART_EDGES)])  # most names
    return parts_between(PARTS, text)


@dataclass(frozen=True)
class Mention:
    """A material that an input mentions.

    Attributes:
        noun: the material's noun, in the singular; empty for an empty label.
        bare: whether the input holds nothing but general words beside it.
        blank: whether the input is a label with nothing behind it.
        is_thing: whether the noun alone may be a thing that a task speaks of, such as "MRI".
        is_member: whether the noun is that of a member, such as "diagnoses for a patient".
        is_sentence: whether the input has a verb.
    """

    noun: str
    bare: bool
    blank: bool = False
    is_thing: bool = False
    is_member: bool = False
    is_sentence: bool = False
