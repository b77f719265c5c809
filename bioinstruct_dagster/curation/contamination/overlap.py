"""What rows share with evaluation items: measured by the numbers of the rules, not yet checked.

Belongs here: which texts of an item each rule looks at, scanning rows in threads, and the text that
a hit rests on. Does not: the tables behind (overlap_indexes), or what is said of a hit
(contamination).
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.contamination.indexes import (
    HeadIndex,
    LikenessIndex,
    RunIndex,
    longest_shared,
    of_spans,
)
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.eval_sets.items import EvaluationItem, EvaluationItems

TextRole = Literal["question", "answer", "passage", "question_with_options"]
OverlapRule = Literal["whole_item", "ngram_13", "coverage_8", "rouge_l", "reordered"]
ROLES: tuple[TextRole, ...] = ("question", "answer", "passage", "question_with_options")
# A row's texts that are compared. A copy may begin in the instruction and end in the input.
ROW_TEXTS = ("instruction", "input", "output", "instruction input")
_ROWS_AT_ONCE = 1024  # per thread and turn
_NEVER = 1 << 40  # more tokens than any text has


class ItemText(NamedTuple):
    """A text of evaluation items; the items are those that have it word for word."""

    role: TextRole
    items: list[int]


class Hit(NamedTuple):
    """A rule that one row breaks with one text of one item.

    `row_text` is the text that the score belongs to; None where the rule looks at all together.
    """

    row: int
    rule: OverlapRule
    item: int
    text: int
    score: float
    row_text: int | None = None


class EncodedRows(NamedTuple):
    """Rows as token numbers: four texts each, as `ROW_TEXTS` names them, and two."""

    texts: EncodedTexts
    runs: EncodedTexts  # instruction with input; output

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(self.runs.offsets) // 2

    def text(self, row: int, place: int) -> NDArray[np.int32]:
        """The tokens of one text of a row."""
        at = len(ROW_TEXTS) * row + place
        return self.texts.tokens[self.texts.offsets[at] : self.texts.offsets[at + 1]]

    def portion(self, start: int, stop: int) -> "EncodedRows":
        """Some of the rows."""
        size = len(ROW_TEXTS)
        return EncodedRows(
            self.texts.part(size * start, size * stop), self.runs.part(2 * start, 2 * stop)
        )


class ItemIndex:
    """All texts of the evaluation items, indexed for every rule."""

    def __init__(self, items: EvaluationItems) -> None:
        self.items = items.items
        self._limits = items.limits
        self._vocabulary = Vocabulary()
        self._texts: list[ItemText] = []
        self._encoded = self._distinct_texts()
        self._lengths = self._encoded.lengths
        roles = np.array([ROLES.index(text.role) for text in self._texts], np.int64)
        whole, most = items.limits.whole_item, items.limits.boilerplate.texts
        # Short questions are looked for too: they count where their answer is there as well.
        least_whole = np.array([1, whole.answer, whole.passage, _NEVER])[roles]
        self._heads = HeadIndex(
            self._encoded, np.flatnonzero(self._lengths >= least_whole), len(self._vocabulary)
        )
        boilerplate = self._found_in_items() > most
        self._telling = ~boilerplate & (self._lengths >= np.where(roles == 0, whole.question, 1))
        self._answers = self._answers_of_untelling_questions()
        self._least_near, self._least_other = (
            np.where(
                boilerplate,
                _NEVER,
                np.array([limit.question, limit.answer, _NEVER, limit.question])[roles],
            )
            for limit in (items.limits.rouge_l, items.limits.reordered)
        )
        self._likeness = LikenessIndex(
            self._encoded,
            np.flatnonzero(self._lengths >= np.minimum(self._least_near, self._least_other)),
            self._vocabulary.hashes.copy(),
            min(items.limits.rouge_l.f1, items.limits.reordered.dice),
        )
        # The question with its options repeats the question: as runs it would count twice.
        plain = np.flatnonzero(roles != ROLES.index("question_with_options"))
        first_items = self._first_items()[plain]
        self._by_run, self._by_coverage = (
            RunIndex(self._encoded, plain, first_items, size=size, most=most)
            for size in (items.limits.ngram.tokens, items.limits.coverage.tokens)
        )

    def _first_items(self) -> NDArray[np.int32]:
        return np.array([text.items[0] for text in self._texts], np.int32)

    def _found_in_items(self) -> NDArray[np.int64]:
        """By text: in how many items it is found, whole or as part of another text."""
        first_items = self._first_items()
        pairs = {(text, int(first_items[own])) for own, text in self._heads.whole(self._encoded)}
        texts = np.array([text for text, _ in pairs], np.int64)
        return np.bincount(texts, minlength=len(self._texts))

    def _distinct_texts(self) -> EncodedTexts:
        """Every text once, in the order of the items, with the items that have it."""
        named = [
            (item, role, text)
            for item, held in enumerate(self.items)
            for role, text in _texts_of(held)
        ]
        encoded = self._vocabulary.encode([text for _, _, text in named])
        numbers: dict[tuple[TextRole, bytes], int] = {}
        spans = []
        for (item, role, _), start, end in zip(
            named, encoded.offsets[:-1], encoded.offsets[1:], strict=True
        ):
            if start == end:
                continue
            text = numbers.setdefault((role, encoded.tokens[start:end].tobytes()), len(self._texts))
            if text == len(self._texts):
                self._texts.append(ItemText(role, []))
                spans.append((start, end))
            if self._texts[text].items[-1:] != [item]:
                self._texts[text].items.append(item)
        return of_spans(encoded.tokens, np.array(spans, np.int64).reshape(-1, 2))

    def _answers_of_untelling_questions(self) -> dict[int, list[tuple[int, str]]]:
        """By item: its answers, each as its number of tokens and as `_spelt`; longest first."""
        found = {}
        for text, telling in zip(self._texts, self._telling, strict=True):
            if text.role == "question" and not telling:
                for item in text.items:
                    encoded = self._vocabulary.encode(self.items[item].answers)
                    spans = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
                    answers = [(int(end - at), _spelt(encoded.tokens[at:end])) for at, end in spans]
                    found[item] = sorted((each for each in answers if each[0]), reverse=True)
        return found

    def encode(self, tasks: Sequence[RowTexts]) -> EncodedRows:
        """The rows' texts as numbers. Not to be called by two threads at once."""
        encoded = self._vocabulary.encode([text for task in tasks for text in task])
        starts = encoded.offsets
        # A row's texts lie one after the other, so instruction and input are one run of tokens.
        single = np.stack([starts[:-1], starts[1:]], axis=1).reshape(-1, 3, 2)
        joined = np.stack([starts[:-1:3], starts[2::3]], axis=1)
        joined[(single[:, :2, 0] == single[:, :2, 1]).any(axis=1)] = 0  # nothing to join
        spans = np.concatenate([single, joined[:, None, :]], axis=1)
        runs = np.append(np.stack([starts[:-1:3], starts[2::3]], axis=1), starts[-1])
        return EncodedRows(
            of_spans(encoded.tokens, spans.reshape(-1, 2)), EncodedTexts(encoded.tokens, runs)
        )

    def scan(self, rows: EncodedRows) -> list[Hit]:
        """Every hit of every rule, in the order of the rows."""
        starts = range(0, rows.number, _ROWS_AT_ONCE)
        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as threads:
            portions = threads.map(
                lambda start: [
                    hit._replace(row=start + hit.row)
                    for hit in self._hits(
                        rows.portion(start, min(start + _ROWS_AT_ONCE, rows.number))
                    )
                ],
                starts,
            )
            return [hit for portion in portions for hit in portion]

    def _hits(self, rows: EncodedRows) -> Iterator[Hit]:
        for row, text, count, _ in self._by_run.shared(rows.runs):
            yield from self._of(Hit(row, "ngram_13", -1, text, float(count)))
        for row, text, _, covered in self._by_coverage.shared(rows.runs):
            share = covered / int(self._lengths[text])
            if share > self._limits.coverage.share:
                yield from self._of(Hit(row, "coverage_8", -1, text, share))
        yield from self._whole(rows.runs)
        yield from self._alike(rows.texts)

    def _of(self, hit: Hit) -> Iterator[Hit]:
        """The hit for the first item of each task that has the text."""
        tasks = set()
        for item in self._texts[hit.text].items:
            if self.items[item].task not in tasks:
                tasks.add(self.items[item].task)
                yield hit._replace(item=item)

    def _whole(self, runs: EncodedTexts) -> Iterator[Hit]:
        spelt_row, spelt = -1, ""
        for own, text in self._heads.whole(runs):
            size = int(self._lengths[text])
            hit = Hit(own // 2, "whole_item", -1, text, float(size))
            if self._telling[text]:
                yield from self._of(hit)
            elif self._texts[text].role == "question":
                if hit.row != spelt_row:
                    start, middle, end = runs.offsets[2 * hit.row : 2 * hit.row + 3]
                    spelt = f"{_spelt(runs.tokens[start:middle])}|{_spelt(runs.tokens[middle:end])}"
                    spelt_row = hit.row
                yield from self._with_answer(hit, spelt)

    def _with_answer(self, hit: Hit, row: str) -> Iterator[Hit]:
        """The hit of a question that tells too little, for the items whose answer is there too."""
        for item in self._texts[hit.text].items:
            longest = next((size for size, held in self._answers[item] if held in row), 0)
            together = int(hit.score) + longest
            if longest and together >= self._limits.whole_item.with_answer:
                yield hit._replace(item=item, score=float(together))

    def _alike(self, texts: EncodedTexts) -> Iterator[Hit]:
        near, other = self._limits.rouge_l, self._limits.reordered
        lengths = texts.lengths
        for own, text, shared, lcs in self._likeness.alike(texts):
            size = int(self._lengths[text])
            both = int(lengths[own]) + size
            row, place = divmod(own, len(ROW_TEXTS))
            f1, dice = 2 * lcs / both, 2 * shared / both
            if f1 >= near.f1 and size >= self._least_near[text]:
                yield from self._of(Hit(row, "rouge_l", -1, text, f1, place))
            elif dice >= other.dice and size >= self._least_other[text]:
                yield from self._of(Hit(row, "reordered", -1, text, dice, place))

    def role(self, hit: Hit) -> TextRole:
        """Which text of the item a hit lies in."""
        return self._texts[hit.text].role

    def matching(self, rows: EncodedRows, hit: Hit) -> tuple[str, str, int]:
        """The row's text that a hit lies in, the words that it rests on, and how many they are.

        They are the longest run of tokens that row and item share; where a rule measures likeness,
        the row's whole text.
        """
        if hit.row_text is not None:
            tokens = rows.text(hit.row, hit.row_text)
            return ROW_TEXTS[hit.row_text], self._words(tokens), len(tokens)
        own = self._encoded.tokens[
            self._encoded.offsets[hit.text] : self._encoded.offsets[hit.text + 1]
        ]
        best = (0, 0, 0)
        for place in range(len(ROW_TEXTS)):
            size, end = longest_shared(own, rows.text(hit.row, place))
            if size > best[0]:
                best = (size, end, place)
        size, end, place = best
        return ROW_TEXTS[place], self._words(rows.text(hit.row, place)[end - size : end]), size

    def _words(self, tokens: NDArray[np.int32]) -> str:
        return " ".join(self._vocabulary.token(int(token)) for token in tokens)


def _spelt(tokens: NDArray[np.int32]) -> str:
    """Token numbers as a text in which a run of them is a piece."""
    return f" {' '.join(map(str, tokens.tolist()))} "


def _texts_of(item: EvaluationItem) -> Iterator[tuple[TextRole, str]]:
    yield "question", item.question
    for answer in item.answers:
        yield "answer", answer
    for passage in item.context:
        yield "passage", passage
    if item.options:
        yield "question_with_options", "\n".join([item.question, *item.options])
