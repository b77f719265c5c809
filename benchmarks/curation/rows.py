"""Random rows and evaluation items from a seed, and evaluation items planted in rows.

Rows are as long as published rows (some 600 characters in three fields). They hold ages, doses,
dates, names and "no input" markers where real rows hold them, so that every rule has work to do.
Belongs here: the texts. Does not: measuring (measures).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.curation.texts import Instructions

LEAK_KINDS = ("word for word", "case, punctuation", "inside a text", "15 % reworded", "reordered")
_LEAK_SHARE = 0.01  # of the rows
_RARE = 150
# No run of eight words is the same in two sentences but by chance: no leak that is not planted.
_SENTENCES = """
A {age}-year-old {sex} with {w} {w} presents with {w} and {w} {w} for {n} days.
On {w} examination the {w} is {w}, pressure {n}/{m} mmHg, {w} rate {n} and {w} {w}.
The {w} patient was given {w} {dose} mg and {w} {w} {w} a day because of {w} {w} {w}.
Laboratory: {w} {dose}.{m} mg/dL, {w} {w} {n} U/L, {w} {m} %, {w} the rest {w}.
In a {w} trial of {n} patients, {w} reduced {w} {w} by {m} % against {w} {w}.
{W} is a {w} disorder of the {w} in which {w} {w} causes {w}, {w} and {w}.
She takes {w} and {w} {dose} mg daily; {w} {w} is a history of {w} {w} since {year}.
The most likely {w} is {w} {w}, followed by {w}; {w} should be ruled out by {w} {w}.
Between {year} and {year} {w} {w} of {w} {w} rose from {m} to {n} per {w} {w}.
Treatment of {w} begins with {w}; if {w} persists, {w} or {w} {w} after {m} weeks {w}.
No {w} {w} was found, but {w} {w} showed {w} of {m} cm next to {w} {w}.
Risk factors include {w}, {w} {w}, {w} {w} and a family history of {w} {w}.
The {w} gene ({W}{m}) {w} encodes a {w} that binds {w} {w} in the {w} {w}.
Monitor {w} {w} every {m} hours and stop {w} {w} when {w} falls under {n} {w}.
Doctor: How long has {w} {w} been {w}? Patient: About {m} {w}, since {w} {w} {w}.
He denies {w}, {w} and {w} {w}; weight {n} kg, {w} height 1.{n} m, {w} {w}.
These {w} {w} suggest {w} rather than {w}, because {w} {w} was {w} at {m} {w}.
""".strip().splitlines()
# Identifies a person, which few teachers' rows do.
_PERSONAL = "Mr. {W} was seen on {m}/{d}/{year} for {w} {w}, and his {w} had {w} {w} after {w}."
_NO_INPUT = ("N/A", "None", "(none)", "no input required", "Not applicable.", "-")
_QUESTIONS = (
    "What is the {w} of {w} {w} in {w} with {w}?",
    "Which {w} {w} is found in {w} {w} {w}?",
    "Does {w} {w} improve {w} after {w} {w}?",
    "Is {w} {w} associated with {w} {w} in {w}?",
)


@dataclass(frozen=True)
class Leak:
    """An evaluation item that was planted in a row."""

    row: int
    item: int
    kind: str


class Rows:
    """Draws rows and items. Equal seeds give equal rows and items."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._instructions = Instructions(seed)
        self._asked = Instructions(seed + 1)  # apart: no row reworks an item but those planted
        self._generator = np.random.default_rng(seed)
        self._words: list[str] = []

    def tasks(self, number: int) -> list[list[str]]:
        """Rows of instruction, input and output."""
        return [[next(self._instructions), self._input(), self._text(1, 5)] for _ in range(number)]

    def items(self, number: int) -> list[dict[str, str]]:
        """Evaluation items of ten tasks: short questions, long ones, and vignettes."""
        return [self._item(n) for n in range(number)]

    def plant(self, tasks: list[list[str]], items: Sequence[dict[str, str]]) -> list[Leak]:
        """Plant items in some of the rows, in place, with equal numbers of each kind."""
        number = round(_LEAK_SHARE * len(tasks))
        rows = self._random.sample(range(len(tasks)), number)
        leaks = [
            Leak(row, self._random.randrange(len(items)), LEAK_KINDS[n % len(LEAK_KINDS)])
            for n, row in enumerate(rows)
        ]
        for leak in leaks:
            question = items[leak.item]["question"]
            row = tasks[leak.row]
            if leak.kind == "inside a text":
                row[1] = f"{self._text(2, 4)} {question} {self._text(2, 4)}"
            else:
                row[0] = self._changed(question, leak.kind)
        return leaks

    def _changed(self, question: str, kind: str) -> str:
        words = question.split()
        if kind == "case, punctuation":
            return f"{question.upper().replace(',', ' -').rstrip('.?')} !"
        if kind == "15 % reworded":
            for place in self._random.sample(range(len(words)), max(1, round(0.15 * len(words)))):
                words[place] = self._word()
        if kind == "reordered":
            half = len(words) // 2
            words = [*words[half:], *words[:half]]
        return " ".join(words)

    def _item(self, number: int) -> dict[str, str]:
        kind = self._random.random()
        if kind < 0.3:  # noqa: PLR2004
            question = self._filled(self._random.choice(_QUESTIONS))
        elif kind < 0.75:  # noqa: PLR2004
            question = next(self._asked)
        else:
            question = f"{self._text(3, 5)} {next(self._asked)}"
        short = self._random.random() < 0.6  # noqa: PLR2004
        return {
            "task": f"task_{number % 10}",
            "question": question,
            "answer": f"{self._word()} {self._word()}" if short else self._text(1, 2),
            "context": self._text(8, 12) if self._random.random() < 0.2 else "",  # noqa: PLR2004
        }

    def _input(self) -> str:
        kind = self._random.random()
        if kind < 0.08:  # noqa: PLR2004
            return "" if kind < 0.02 else self._random.choice(_NO_INPUT)  # noqa: PLR2004
        if kind < 0.3:  # noqa: PLR2004
            return f"{self._word()} {self._word()}".capitalize()
        return self._text(1, 3)

    def _text(self, fewest: int, most: int) -> str:
        number = self._random.randint(fewest, most)
        texts = [self._filled(self._random.choice(_SENTENCES)) for _ in range(number)]
        if self._random.random() < 0.01:  # noqa: PLR2004
            texts[0] = self._filled(_PERSONAL)
        return " ".join(texts)

    def _filled(self, sentence: str) -> str:
        rand = self._random
        slots: dict[str, Callable[[], str]] = {
            "{age}": lambda: str(rand.randint(1, 89)),
            "{sex}": lambda: rand.choice(("man", "woman")),
            "{n}": lambda: str(rand.randint(20, 180)),
            "{m}": lambda: str(rand.randint(1, 12)),
            "{d}": lambda: str(rand.randint(1, 28)),
            "{dose}": lambda: str(rand.choice((5, 10, 25, 50, 75, 100, 250, 500))),
            "{year}": lambda: str(rand.randint(1985, 2022)),
            "{w}": self._word,
            "{W}": lambda: self._word().capitalize(),
        }
        parts = sentence.replace("{", "\0{").replace("}", "}\0").split("\0")
        return "".join(slots[part]() if part in slots else part for part in parts)

    def _word(self) -> str:
        if not self._words:
            ranks = self._instructions.words.draw(self._generator, 4_096, _RARE).tolist()
            self._words = [self._instructions.words.words[rank] for rank in ranks]
        return self._words.pop()
