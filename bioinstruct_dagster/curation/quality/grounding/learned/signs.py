"""The signs of a row from which the judge learns: words, classes of words, and counts, by kind.

A sign is a kind and a value, such as `input word` and `report`. Belongs here: the signs of what is
asked and given, and of what the output tells beyond that. Does not: tokens (tokens), weights
(grounding_weights), or the decision (judge).
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from itertools import chain, compress, pairwise
from operator import ne
from typing import NamedTuple

from bioinstruct_dagster.curation.quality.grounding.learned.tokens import (
    MATERIALS,
    Token,
    tokens_of,
)
from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list

MOST_INPUT_WORDS = 45  # of an input that may lack something; the labelled rows have no longer ones
MOST_INPUT_CHARS = 600
MOST_OUTPUT_CHARS = 1_500
GIVEN = frozenset({"given", "based", "using", "from", "for", "in", "on", "according", "after"})
POINTERS = frozenset(
    {
        "the",
        "this",
        "these",
        "following",
        "given",
        "provided",
        "his",
        "her",
        "their",
        "attached",
        "above",
        "listed",
        "that",
        "those",
        "a",
        "an",
        "each",
    }
)
EMPTY = "none"  # the shape of an input without a word
DULL = frozenset({"small", "general"})
ASKED = MATERIALS | {"person"}
SHOWN_MATERIALS = MATERIALS - {"member"}
MOST_POINTED = 4  # words from a pointer to its noun
LENGTHS = (1, 2, 3, 5, 8, 12, 18, 25, 35)
FEW_LENGTHS = (1, 2, 4, 8, 16, 30)
NEW_COUNTS = (0, 1, 3, 6, 12, 25, 50)
FIGURE_COUNTS = (0, 1, 3, 6)
OUTPUT_LENGTHS = (3, 8, 15, 30, 60, 100)
MOST_CLASSES = 6  # of the beginning of an input
QUARTERS = 4
STEM_LETTERS = 5
LEAST_LETTERS = 4
TELLING = frozenset(
    {"was", "were", "is", "are", "may", "can", "should", "patient", "he", "she", "study", "showed"}
)
WORD = re.compile(r"[^\W\d_][\w'’-]*")
FIGURE = re.compile(r"\d[\d.,]*")
OUTPUT_FIGURE = re.compile(r"\b\d[\d.,]*\b(?![.)]\s)")  # but not the number of an item


TASK_WORD = "task word"
SignList = list[tuple[str, Collection[str]]]


class _Joined(dict[tuple[str, ...], str]):
    """Classes that follow each other, joined once: there are few classes, and many texts."""

    def __missing__(self, kinds: tuple[str, ...]) -> str:
        self[kinds] = joined = " ".join(kinds)
        return joined


_JOINED = _Joined()


class _Read(NamedTuple):
    """The tokens of a text by what is known of them, in order."""

    kinds: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    are_words: tuple[bool, ...] = ()

    @classmethod
    def of(cls, tokens: Sequence[Token]) -> "_Read":
        return cls(*zip(*tokens, strict=True)) if tokens else cls()


class AskedSigns(NamedTuple):
    """What an instruction asks and its input gives.

    Attributes:
        signs: the values of each kind of sign, each value once.
        verb: of the task.
        shape: what kinds of words the input has; `none` if it has no word.
        materials: the classes of the materials that the instruction names.
    """

    signs: SignList
    verb: str
    shape: str
    materials: frozenset[str]


def is_short(text: str) -> bool:
    """Whether an input is so short that the judge reads it; an empty one is read by its forms."""
    return 0 < len(text) <= MOST_INPUT_CHARS and text.count(" ") < MOST_INPUT_WORDS


def asked_signs(instruction: str, text: str) -> AskedSigns:
    """The signs of an instruction and its input.

    Args:
        instruction: of the task.
        text: the input without white space around it.
    """
    task, given = map(_Read.of, (tokens_of(instruction), tokens_of(text)))
    verb = _verb(task)
    words = set(compress(task.nouns, task.are_words))
    kinds = set(task.kinds)
    pointers, pointed = _pointed(task)
    signs: SignList = [
        ("verb", (verb,)),
        (TASK_WORD, words),
        ("points", pointers),
        ("points at", pointed),
    ]
    read = _Input(text, given)
    if read.shape == EMPTY:
        signs += [("empty input", ("points" if pointed else "does not point",))]
        signs += [("task word, empty input", words)]
    else:
        signs += read.signs()
        asked = kinds & ASKED
        held = read.materials
        repeats = "lacks" if pointed.isdisjoint(held) else "repeats"
        signs += [
            ("named in both", (str(min(2, len(held & words))),)),
            ("pointed noun", (f"{repeats}, {read.shape}",) if pointed else ()),
            ("verb and input", (f"{verb} {read.shape}", f"{verb} {read.first}")),
            ("task and shape", [f"{kind} {read.shape}" for kind in asked]),
            ("task and first", [f"{kind} {read.first}" for kind in asked]),
        ]
    return AskedSigns(signs, verb, read.shape, MATERIALS & kinds)


def told_signs(output: str, text: str, instruction: str, asked: AskedSigns) -> SignList:
    """The signs of what an output tells beyond its row.

    Args:
        output: of the row; it is not empty.
        text: the input.
        instruction: of the task.
        asked: the signs of both.
    """
    output = output[:MOST_OUTPUT_CHARS]
    words = set(WORD.findall(output.lower()))
    stems = _stems_of(words - mention_list("plain_output"))
    held = stems & _stems(text)
    new = stems - held - _stems(instruction)
    figures = set(OUTPUT_FIGURE.findall(output))
    if figures:
        figures -= set(FIGURE.findall(f"{text} {instruction}"))
    several = _step(len(figures), FIGURE_COUNTS)
    has = "new" if figures else "no"
    total = max(1, len(stems))
    return [
        ("new figures", (several,)),
        ("new figures for input", (f"{several} {asked.shape}",)),
        ("new words", (_step(len(new), NEW_COUNTS),)),
        ("share of new words", (str(round(QUARTERS * len(new) / total)),)),
        ("share of input words", (str(round(QUARTERS * len(held) / total)),)),
        ("output length", (_step(output.count(" ") + 1, OUTPUT_LENGTHS),)),
        ("new decimals", (str(any("." in one.strip(".") for one in figures)),)),
        ("output word", TELLING & words),
        ("verb and figures", (f"{asked.verb} {has}",)),
        ("task and figures", {f"{kind} {has}" for kind in asked.materials}),
    ]


def _verb(task: _Read) -> str:
    """The first word of the main clause, as a rule its verb."""
    nouns = task.nouns
    if not nouns:
        return ""
    if nouns[0] in GIVEN and "," in nouns[:-1]:
        return nouns[nouns.index(",") + 1]
    return nouns[0]


def _pointed(task: _Read) -> tuple[set[str], set[str]]:
    """Each pointer such as "the" with the class of the first material after it, and its noun."""
    kinds, nouns, _ = task
    pointers: set[str] = set()
    pointed: set[str] = set()
    if MATERIALS.isdisjoint(kinds):
        return pointers, pointed
    places = [place for place, kind in enumerate(kinds) if kind in MATERIALS]
    for place in places:
        for before in range(place - 1, max(-1, place - 1 - MOST_POINTED), -1):
            if kinds[before] in MATERIALS:
                break
            if nouns[before] in POINTERS:
                pointers.add(f"{nouns[before]} {kinds[place]}")
                pointed.add(nouns[place])
    return pointers, pointed


class _Input:
    """An input, read as a row of classes of words.

    Attributes:
        shape: what kinds of words it has, in short; `EMPTY` if it has no word.
        first: the class of its first word that is not a small or general one.
        materials: the nouns for a material that it names.
    """

    def __init__(self, text: str, given: _Read) -> None:
        self._text, self._given = text, given
        self._words = list(compress(given.kinds, given.are_words))
        self._kinds = set(given.kinds)
        self.materials: set[str] = set()
        if not self._kinds.isdisjoint(MATERIALS):
            self.materials = set(compress(given.nouns, map(MATERIALS.__contains__, given.kinds)))
        self.shape = self._shape() if self._words else EMPTY
        self.first = next((kind for kind in self._words if kind not in DULL), "general")

    def _shape(self) -> str:
        parts = [] if self._kinds.isdisjoint(SHOWN_MATERIALS) else ["material"]
        parts += [kind for kind in ("verb", "figure", "finding") if kind in self._kinds]
        return "+".join(parts) or "plain"

    def signs(self) -> SignList:
        """The signs of the input alone."""
        text, count = self._text, len(self._words)
        kinds = self._given.kinds
        runs = list(compress(kinds, map(ne, kinds, chain(("",), kinds))))  # each change of class
        pairs = set(pairwise(runs))
        triples = set(zip(runs, runs[1:], runs[2:], strict=False))
        return [
            ("shape", (self.shape,)),
            ("input length", (_step(count, LENGTHS),)),
            ("first", (self.first, f"{self.first} {_step(count, FEW_LENGTHS)}")),
            ("first word", (self._given.nouns[0],)),
            ("ends", ("word" if text[-1].isalnum() else text[-1],)),
            ("small letter", (str(text[0].islower()),)),
            ("input word", set(self._given.nouns)),
            ("input class", self._kinds),
            ("beginning", (" ".join(runs[:MOST_CLASSES]),)),
            ("two classes", list(map(_JOINED.__getitem__, pairs))),
            ("three classes", list(map(_JOINED.__getitem__, triples))),
        ]


def _stems(text: str) -> set[str]:
    return {word[:STEM_LETTERS] for word in WORD.findall(text.lower())}


def _stems_of(words: Collection[str]) -> set[str]:
    return {word[:STEM_LETTERS] for word in words if len(word) >= LEAST_LETTERS}


def _step(count: int, steps: Sequence[int]) -> str:
    """The first step that the count does not exceed."""
    place = bisect_left(steps, count)
    return str(steps[place]) if place < len(steps) else "more"
