"""The overlap of rows with evaluation items, by the numbers of each rule.

Belongs here: which texts of an item each rule compares, scanning rows in threads, and the text that
a hit is based on. Does not: the indexes (indexes), or the findings about a hit (gate).
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
    texts_of_spans,
)
from bioinstruct_dagster.curation.contamination.limits import ComparedItems
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.eval_sets.items import EvaluationItem

TextRole = Literal["question", "answer", "passage", "question_with_options"]
OverlapRule = Literal["whole_item", "ngram_13", "coverage_8", "rouge_l", "reordered"]
ROLES: tuple[TextRole, ...] = ("question", "answer", "passage", "question_with_options")
# The texts of a row that are compared. A copy may begin in the instruction and end in the input.
ROW_TEXTS = ("instruction", "input", "output", "instruction input")
_ROWS_AT_ONCE = 1024  # that a thread scans in one call
_UNREACHABLE = 1 << 40  # more tokens than any text has: excludes a text from a rule


class ItemText(NamedTuple):
    """A text, its role, and the evaluation items that hold it word for word."""

    role: TextRole
    items: list[int]


class Hit(NamedTuple):
    """A rule that one row breaks with one text of one item.

    `row_text` is the text of the row that the score belongs to; None if the rule compares all texts
    of the row together.
    """

    row: int
    rule: OverlapRule
    item: int
    text: int
    score: float
    row_text: int | None = None


class EncodedRows(NamedTuple):
    """Rows as token numbers: the four texts of `ROW_TEXTS`, and two texts to search for runs."""

    texts: EncodedTexts
    runs: EncodedTexts  # instruction with input; output

    @property
    def number(self) -> int:
        """Number of rows."""
        return len(self.runs.offsets) // 2

    def text(self, row: int, place: int) -> NDArray[np.int32]:
        """The tokens of one text of a row."""
        at = len(ROW_TEXTS) * row + place
        return self.texts.tokens[self.texts.offsets[at] : self.texts.offsets[at + 1]]

    def portion(self, start: int, stop: int) -> "EncodedRows":
        """The rows from `start` to before `stop`."""
        size = len(ROW_TEXTS)
        return EncodedRows(
            self.texts.part(size * start, size * stop), self.runs.part(2 * start, 2 * stop)
        )


class ItemIndex:
    """All texts of the evaluation items, indexed for every rule."""

    def __init__(self, items: ComparedItems) -> None:
        self.items = items.items
        self._limits = items.limits
        self._vocabulary = Vocabulary()
        self._texts: list[ItemText] = []
        self._encoded = self._distinct_texts()
        self._lengths = self._encoded.lengths
        roles = np.array([ROLES.index(text.role) for text in self._texts], np.int64)
        whole, most = items.limits.whole_item, items.limits.boilerplate.texts
        # Short questions are indexed too, since they count if the row also holds their answer.
        least_whole = np.array([1, whole.answer, whole.passage, _UNREACHABLE])[roles]
        self._heads = HeadIndex(
            self._encoded, np.flatnonzero(self._lengths >= least_whole), len(self._vocabulary)
        )
        boilerplate = self._found_in_items() > most
        self._distinctive = ~boilerplate & (
            self._lengths >= np.where(roles == 0, whole.question, 1)
        )
        self._answers = self._answers_of_common_questions()
        self._least_rouge_l, self._least_reordered = (
            np.where(
                boilerplate,
                _UNREACHABLE,
                np.array([limit.question, limit.answer, _UNREACHABLE, limit.question])[roles],
            )
            for limit in (items.limits.rouge_l, items.limits.reordered)
        )
        self._likeness = LikenessIndex(
            self._encoded,
            np.flatnonzero(self._lengths >= np.minimum(self._least_rouge_l, self._least_reordered)),
            self._vocabulary.hashes.copy(),
            min(items.limits.rouge_l.f1, items.limits.reordered.dice),
        )
        # The question with its options repeats the question, so its runs would count twice.
        plain = np.flatnonzero(roles != ROLES.index("question_with_options"))
        first_items = self._first_items()[plain]
        self._by_run, self._by_coverage = (
            RunIndex(self._encoded, plain, first_items, size=size, most=most)
            for size in (items.limits.ngram.tokens, items.limits.coverage.tokens)
        )

    def _first_items(self) -> NDArray[np.int32]:
        return np.array([text.items[0] for text in self._texts], np.int32)

    def _found_in_items(self) -> NDArray[np.int64]:
        """By text: the number of items that hold it, as a text or inside another text."""
        first_items = self._first_items()
        pairs = {
            (text, int(first_items[own]))
            for own, text in self._heads.contained_texts(self._encoded)
        }
        texts = np.array([text for text, _ in pairs], np.int64)
        return np.bincount(texts, minlength=len(self._texts))

    def _distinct_texts(self) -> EncodedTexts:
        """The distinct texts, in the order of the items; notes which items hold each text."""
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
        return texts_of_spans(encoded.tokens, np.array(spans, np.int64).reshape(-1, 2))

    def _answers_of_common_questions(self) -> dict[int, list[tuple[int, str]]]:
        """By item: the length and the number text of each answer, the longest first."""
        found = {}
        for text, distinctive in zip(self._texts, self._distinctive, strict=True):
            if text.role == "question" and not distinctive:
                for item in text.items:
                    encoded = self._vocabulary.encode(self.items[item].answers)
                    spans = zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
                    answers = [
                        (int(end - at), _number_text(encoded.tokens[at:end])) for at, end in spans
                    ]
                    found[item] = sorted((each for each in answers if each[0]), reverse=True)
        return found

    def encode(self, tasks: Sequence[RowTexts]) -> EncodedRows:
        """The texts of rows as numbers; two threads may not call this at once."""
        encoded = self._vocabulary.encode([text for task in tasks for text in task])
        starts = encoded.offsets
        # The texts of a row are adjacent, so instruction and input together are one span of tokens.
        single = np.stack([starts[:-1], starts[1:]], axis=1).reshape(-1, 3, 2)
        joined = np.stack([starts[:-1:3], starts[2::3]], axis=1)
        joined[(single[:, :2, 0] == single[:, :2, 1]).any(axis=1)] = 0  # nothing to join
        spans = np.concatenate([single, joined[:, None, :]], axis=1)
        runs = np.append(np.stack([starts[:-1:3], starts[2::3]], axis=1), starts[-1])
        return EncodedRows(
            texts_of_spans(encoded.tokens, spans.reshape(-1, 2)), EncodedTexts(encoded.tokens, runs)
        )

    def scan(self, rows: EncodedRows) -> list[Hit]:
        """All hits of all rules, in the order of the rows."""
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
        for row, text, count, _ in self._by_run.shared_runs(rows.runs):
            yield from self._hits_by_task(Hit(row, "ngram_13", -1, text, float(count)))
        for row, text, _, covered in self._by_coverage.shared_runs(rows.runs):
            share = covered / int(self._lengths[text])
            if share > self._limits.coverage.share:
                yield from self._hits_by_task(Hit(row, "coverage_8", -1, text, share))
        yield from self._whole_text_hits(rows.runs)
        yield from self._likeness_hits(rows.texts)

    def _hits_by_task(self, hit: Hit) -> Iterator[Hit]:
        """The hit, once for each task: for the first of its items that holds the text."""
        tasks = set()
        for item in self._texts[hit.text].items:
            if self.items[item].task not in tasks:
                tasks.add(self.items[item].task)
                yield hit._replace(item=item)

    def _whole_text_hits(self, runs: EncodedTexts) -> Iterator[Hit]:
        spelled_row, spelled = -1, ""
        for own, text in self._heads.contained_texts(runs):
            size = int(self._lengths[text])
            hit = Hit(own // 2, "whole_item", -1, text, float(size))
            if self._distinctive[text]:
                yield from self._hits_by_task(hit)
            elif self._texts[text].role == "question":
                if hit.row != spelled_row:
                    start, middle, end = runs.offsets[2 * hit.row : 2 * hit.row + 3]
                    parts = runs.tokens[start:middle], runs.tokens[middle:end]
                    spelled = "|".join(map(_number_text, parts))
                    spelled_row = hit.row
                yield from self._hits_with_answer(hit, spelled)

    def _hits_with_answer(self, hit: Hit, row: str) -> Iterator[Hit]:
        """The hit of a short or common question, for items whose answer the row holds too."""
        for item in self._texts[hit.text].items:
            longest = next((size for size, held in self._answers[item] if held in row), 0)
            together = int(hit.score) + longest
            if longest and together >= self._limits.whole_item.with_answer:
                yield hit._replace(item=item, score=float(together))

    def _likeness_hits(self, texts: EncodedTexts) -> Iterator[Hit]:
        rouge_l, reordered = self._limits.rouge_l, self._limits.reordered
        lengths = texts.lengths
        for own, text, shared, lcs in self._likeness.similar_texts(texts):
            size = int(self._lengths[text])
            both = int(lengths[own]) + size
            row, place = divmod(own, len(ROW_TEXTS))
            f1, dice = 2 * lcs / both, 2 * shared / both
            if f1 >= rouge_l.f1 and size >= self._least_rouge_l[text]:
                yield from self._hits_by_task(Hit(row, "rouge_l", -1, text, f1, place))
            elif dice >= reordered.dice and size >= self._least_reordered[text]:
                yield from self._hits_by_task(Hit(row, "reordered", -1, text, dice, place))

    def role(self, hit: Hit) -> TextRole:
        """The role of the item's text in a hit."""
        return self._texts[hit.text].role

    def evidence_of(self, rows: EncodedRows, hit: Hit) -> tuple[str, str, int]:
        """The evidence for a hit: the name of the row's text, its words, and their number.

        The words are the longest run of tokens that row and item share. If the rule measures the
        likeness of whole texts, they are the whole text of the row.
        """
        if hit.row_text is not None:
            tokens = rows.text(hit.row, hit.row_text)
            return ROW_TEXTS[hit.row_text], self._text_of(tokens), len(tokens)
        own = self._encoded.tokens[
            self._encoded.offsets[hit.text] : self._encoded.offsets[hit.text + 1]
        ]
        best = (0, 0, 0)
        for place in range(len(ROW_TEXTS)):
            size, end = longest_shared(own, rows.text(hit.row, place))
            if size > best[0]:
                best = (size, end, place)
        size, end, place = best
        return ROW_TEXTS[place], self._text_of(rows.text(hit.row, place)[end - size : end]), size

    def _text_of(self, tokens: NDArray[np.int32]) -> str:
        return " ".join(self._vocabulary.token(int(token)) for token in tokens)


def _number_text(tokens: NDArray[np.int32]) -> str:
    """Token numbers as a text, in which a run of tokens is a part of the text."""
    return f" {' '.join(map(str, tokens.tolist()))} "


def _texts_of(item: EvaluationItem) -> Iterator[tuple[TextRole, str]]:
    yield "question", item.question
    for answer in item.answers:
        yield "answer", answer
    for passage in item.context:
        yield "passage", passage
    if item.options:
        yield "question_with_options", "\n".join([item.question, *item.options])
