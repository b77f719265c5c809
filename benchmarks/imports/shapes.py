"""Instruction sets of four published shapes, with any number of rows, made from a seed.

Belongs here: the rows of a set, and how its columns are mapped. Does not: the words and sentences
(`words.yaml`), or importing a set (measured).
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Row = dict[str, str]

WORDS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("words.yaml").read_text("utf-8"))
_SLOT = re.compile(r"\{([^\W\d_]+)\}")
_MEDICAL_SHARE = 0.1  # of an Alpaca-like set
_WITH_INPUT = 0.4  # of an Alpaca-like set, as published
_OF_A_KIND = 3  # numbers of one entity: "type 1" to "type 3"


class Texts:
    """Fills patterns of sentences with words. Equal seeds give equal texts."""

    def __init__(self, seed: int, lists: Mapping[str, Sequence[str]]) -> None:
        self.random = random.Random(seed)  # noqa: S311
        self._lists = lists

    def fill(self, pattern: str) -> str:
        """The pattern with a word in each slot; a slot in capitals begins a sentence."""
        return _SLOT.sub(self._word, pattern)

    def text(self, patterns: Sequence[str], fewest: int, most: int, *, between: str = " ") -> str:
        """Different sentences in a row."""
        number = self.random.randint(fewest, most)
        return between.join(map(self.fill, self.random.sample(patterns, number)))

    def _word(self, slot: re.Match[str]) -> str:
        name = slot[1]
        ranges = {"age": (18, 88), "n": (20, 900), "m": (2, 12)}
        if name in ranges:
            return str(self.random.randint(*ranges[name]))
        if name == "dose":
            return str(self.random.choice((5, 10, 20, 25, 40, 50, 100, 250, 500)))
        if name == "temp":
            return f"{self.random.uniform(36.2, 39.8):.1f}"
        word = self.random.choice(self._lists[name.lower()])
        return word[0].upper() + word[1:] if name[0].isupper() else word


@dataclass(frozen=True)
class Shape:
    """A shape of instruction sets.

    Attributes:
        name: in the report.
        what: of what the rows consist, for the report.
        columns: the value of BIOINSTRUCT_IMPORT_COLUMNS; empty if the names are our own.
        rows: makes the rows: their number and a seed.
    """

    name: str
    what: str
    columns: str
    rows: Callable[[int, int], Iterator[Row]]


def one_instruction(number: int, seed: int) -> Iterator[Row]:
    """One instruction for all rows, each with its own question as the input."""
    texts = Texts(seed, WORDS["english"])
    for _ in range(number):
        yield {
            "instruction": "Answer this medical question truthfully.",
            "input": texts.text(WORDS["questions"], 1, 2),
            "output": texts.text(WORDS["answers"], 2, 5),
        }


def templated_questions(number: int, seed: int) -> Iterator[Row]:
    """A dozen questions about each of many diseases."""
    texts = Texts(seed, WORDS["english"])
    entities = [
        f"{adjective} {disease}" + (f" type {kind}" if kind else "")
        for kind in range(_OF_A_KIND + 1)
        for adjective in WORDS["english"]["adjective"]
        for disease in WORDS["english"]["disease"]
    ]
    texts.random.shuffle(entities)
    questions = [(entity, pattern) for entity in entities for pattern in WORDS["templates"]]
    for entity, pattern in questions[:number]:
        yield {
            "question": pattern.replace("{entity}", entity),
            "answer": f"{entity[0].upper()}{entity[1:]}: " + texts.text(WORDS["answers"], 2, 6),
        }


def chinese_questions(number: int, seed: int) -> Iterator[Row]:
    """Chinese questions of patients that share numbers and Latin abbreviations."""
    texts = Texts(seed, WORDS["chinese"])
    for _ in range(number):
        yield {
            "question": texts.text(WORDS["chinese_questions"], 1, 2, between=""),
            "answer": texts.text(WORDS["chinese_answers"], 2, 5, between=""),
        }


def general_instructions(number: int, seed: int) -> Iterator[Row]:
    """General instructions, a tenth of them medical; two fifths have an input."""
    texts = Texts(seed, WORDS["english"])
    for _ in range(number):
        if texts.random.random() < _MEDICAL_SHARE:
            asked = texts.text(WORDS["questions"], 1, 1)
            given, answer = "", texts.text(WORDS["answers"], 1, 3)
        else:
            asked = texts.fill("{verb} {topic} for {audience} in a {tone} tone, with {m} {thing}.")
            given = texts.text(WORDS["general_answers"], 1, 2)
            answer = texts.text(WORDS["general_answers"], 1, 4)
        with_input = texts.random.random() < _WITH_INPUT
        yield {"instruction": asked, "input": given if with_input else "", "output": answer}


_QUESTION_AND_ANSWER = "instruction=question,output=answer"
SHAPES = (
    Shape("medAlpaca-like", "one instruction, many inputs", "", one_instruction),
    Shape(
        "MedQuAD-like",
        "questions from twelve templates",
        _QUESTION_AND_ANSWER,
        templated_questions,
    ),
    Shape(
        "Huatuo-like",
        "Chinese questions and answers",
        _QUESTION_AND_ANSWER,
        chinese_questions,
    ),
    Shape(
        "Alpaca-like",
        "general instructions, a tenth of them medical",
        "",
        general_instructions,
    ),
)
