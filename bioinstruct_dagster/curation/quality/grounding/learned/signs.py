"""The signs of a row from which the judge learns: words, classes of words, and counts, by kind.

A sign is a kind and a value, such as `input word` and `report`. Belongs here: the signs of what is
asked and given, and of what the output tells beyond that. Does not: tokens (tokens), weights
(weights), or the decision (judge).
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from bioinstruct_dagster.curation.quality.grounding.learned.tokens import (
    MATERIALS,
    Token,
    tokens_of,
)
from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list
from bioinstruct_dagster.curation.quality.grounding.source_words import has_measurement

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
SEVERAL_TOLD = frozenset({"output word", "task and figures"})  # kinds with several values
SignList = list[tuple[str, Collection[str]]]


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


def asked_signs(instruction: str, text: str) -> AskedSigns:
    """The signs of an instruction and its input.

    Args:
        instruction: of the task.
        text: the input without white space around it.
    """
    task, given = tokens_of(instruction), tokens_of(text)
    verb, shape = _verb(task), _shape(given)
    pointers = list(_pointed(task))
    pointed = {target.noun for _, target in pointers}
    words = {one.noun for one in task if one.is_word}
    kinds = {one.kind for one in task}
    signs: SignList = [
        ("verb", (verb,)),
        (TASK_WORD, words),
        ("points", {f"{pointer} {target.kind}" for pointer, target in pointers}),
        ("points at", pointed),
    ]
    if shape == "none":
        signs += [("empty input", ("points" if pointed else "does not point",))]
        signs += [("task word, empty input", words)]
    else:
        signs += _input_signs(text, given, shape)
        first = _first(given)
        held = {one.noun for one in given if one.kind in MATERIALS}
        asked = kinds & (MATERIALS | {"person"})
        repeats = "repeats" if pointed & held else "lacks"
        signs += [
            ("named in both", (str(min(2, len(held & words))),)),
            ("pointed noun", (f"{repeats}, {shape}",) if pointed else ()),
            ("verb and input", (f"{verb} {shape}", f"{verb} {first}")),
            ("task and shape", {f"{kind} {shape}" for kind in asked}),
            ("task and first", {f"{kind} {first}" for kind in asked}),
        ]
    return AskedSigns(signs, verb, shape, MATERIALS & kinds)


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


def _verb(task: Sequence[Token]) -> str:
    """The first word of the main clause, as a rule its verb."""
    if not task:
        return ""
    if task[0].noun in GIVEN:
        nouns = [one.noun for one in task]
        if "," in nouns[:-1]:
            return nouns[nouns.index(",") + 1]
    return task[0].noun


def _pointed(task: Sequence[Token]) -> Iterator[tuple[str, Token]]:
    """Each pointer such as "the", with the first noun for a material after it."""
    for place, one in enumerate(task):
        if one.noun in POINTERS:
            for target in task[place + 1 : place + 1 + MOST_POINTED]:
                if target.kind in MATERIALS:
                    yield one.noun, target
                    break


def _shape(given: Sequence[Token]) -> str:
    """What kinds of words an input has, in short."""
    if not any(one.is_word for one in given):
        return "none"
    kinds = {one.kind for one in given}
    material = "" if kinds.isdisjoint(SHOWN_MATERIALS) else "material"
    parts = (material, *[kind for kind in ("verb", "figure", "finding") if kind in kinds])
    return "+".join(filter(None, parts)) or "plain"


def _first(given: Sequence[Token]) -> str:
    """The class of the first word that is not a small or general one."""
    kinds = (one.kind for one in given if one.is_word)
    return next((kind for kind in kinds if kind not in {"small", "general"}), "general")


def _input_signs(text: str, given: Sequence[Token], shape: str) -> SignList:
    words = sum(one.is_word for one in given)
    first = _first(given)
    kinds = [one.kind for one in given]
    runs = [kind for place, kind in enumerate(kinds) if place == 0 or kind != kinds[place - 1]]
    triples = zip(runs, runs[1:], runs[2:], strict=False)
    return [
        ("shape", (shape,)),
        ("input length", (_step(words, LENGTHS),)),
        ("first", (first, f"{first} {_step(words, FEW_LENGTHS)}")),
        ("first word", (given[0].noun,)),
        ("ends", (text[-1] if not text[-1].isalnum() else "word",)),
        ("measurement", (str(has_measurement(text)),)),
        ("small letter", (str(text[0].islower()),)),
        ("input word", {one.noun for one in given}),
        ("input class", set(kinds)),
        ("beginning", (" ".join(runs[:MOST_CLASSES]),)),
        ("two classes", {f"{one} {two}" for one, two in pairwise(runs)}),
        ("three classes", {f"{one} {two} {three}" for one, two, three in triples}),
    ]


def _stems(text: str) -> set[str]:
    return {word[:STEM_LETTERS] for word in WORD.findall(text.lower())}


def _stems_of(words: Collection[str]) -> set[str]:
    return {word[:STEM_LETTERS] for word in words if len(word) >= LEAST_LETTERS}


def _step(count: int, steps: Sequence[int]) -> str:
    """The first step that the count does not exceed."""
    return next((str(step) for step in steps if count <= step), "more")
