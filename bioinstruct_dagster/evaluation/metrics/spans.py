"""Metrics of extraction tasks: F1 of the spans that an answer lists, by class.

Belongs here: which listed span is a right one. Does not: reading the list
(evaluation.metrics.span_lists), or intervals (evaluation.statistics).
"""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import SpanScoring
from bioinstruct_dagster.evaluation.metrics.measured import SHARE, Measured, measured_mean
from bioinstruct_dagster.evaluation.metrics.option_texts import words_of
from bioinstruct_dagster.evaluation.metrics.span_lists import Span, read_spans
from bioinstruct_dagster.evaluation.metrics.texts import answer_of
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

STRICT = "span_f1_strict"
RELAXED = "span_f1_relaxed"
MACRO_STRICT = "span_macro_f1_strict"
MACRO_RELAXED = "span_macro_f1_relaxed"
INVALID = "invalid_answers"
_RELAXED_OVERLAP = 0.5  # of the words of both spans, twice the shared ones
_ARTICLES = frozenset({"a", "an", "the", "his", "her", "their", "patient's"})


def span_metrics(
    scoring: SpanScoring,
    items: Sequence[EvaluationItem],
    results: Mapping[str, Sequence[ItemResult]],
) -> list[Measured]:
    """Strict and relaxed F1 over all spans and as the mean over labels, and the unread answers.

    Strict: label and words are the same; case, punctuation at the ends and a leading article do not
    count. Relaxed: the label is the same, and at least half of the words are shared (F1 of words).
    Each right span counts for one listed span. An answer that can't be read misses all its spans,
    and `invalid_answers` counts it.

    With several labels there is also the strict F1 of each, whose name ends with the label.
    """
    labels = scoring.labels
    counts: dict[str, list[list[list[float]]]] = {STRICT: [], RELAXED: []}
    invalid: dict[str, float] = {}
    for item in items:
        answer = answer_of(results.get(item.id, ()))
        if answer is None:
            continue
        listed = read_spans(answer.answer, labels, item.spans)
        invalid[item.id] = float(listed is None)
        for name, relaxed in ((STRICT, False), (RELAXED, True)):
            counts[name].append(
                [span_counts(item.spans, listed or (), label, relaxed=relaxed) for label in labels]
            )
    if not invalid:
        return []
    ids = tuple(invalid)
    found = []
    for name, macro in ((STRICT, MACRO_STRICT), (RELAXED, MACRO_RELAXED)):
        values = np.array(counts[name], dtype=np.float64)
        found.append(Measured(name, ids, values, "micro_f1", classes=labels, bounds=SHARE))
        if len(labels) > 1:
            found.append(Measured(macro, ids, values, "macro_f1", classes=labels, bounds=SHARE))
    values = np.array(counts[STRICT], dtype=np.float64)
    if len(labels) > 1:
        found += [
            Measured(
                f"{STRICT}_{label}",
                ids,
                values[:, place : place + 1],
                "micro_f1",
                classes=(label,),
                bounds=SHARE,
            )
            for place, label in enumerate(labels)
        ]
    return [*found, measured_mean(INVALID, invalid, higher_is_better=False, right_or_wrong=True)]


def span_counts(
    right: Sequence[Span], listed: Sequence[Span], label: str, *, relaxed: bool
) -> list[float]:
    """True positives, false positives and false negatives of one label in one item."""
    wanted, given = _distinct(right, label), _distinct(listed, label)
    hits = _relaxed_hits(wanted, given) if relaxed else len(set(wanted) & set(given))
    return [float(hits), float(len(given) - hits), float(len(wanted) - hits)]


def _relaxed_hits(wanted: Sequence[tuple[str, ...]], given: Sequence[tuple[str, ...]]) -> int:
    """How many right spans have a listed one of their own that shares enough words."""
    pairs = sorted(
        (-overlap, at, to)
        for at, one in enumerate(wanted)
        for to, other in enumerate(given)
        if (overlap := _overlap(one, other)) >= _RELAXED_OVERLAP
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    for _, at, to in pairs:  # the best pairs first
        if at not in taken[0] and to not in taken[1]:
            taken[0].add(at)
            taken[1].add(to)
    return len(taken[0])


def _distinct(spans: Sequence[Span], label: str) -> list[tuple[str, ...]]:
    """The different spans of a label as words: the same drug named twice is one."""
    return list(dict.fromkeys(_words(text) for name, text in spans if name == label))


def _words(text: str) -> tuple[str, ...]:
    words = tuple(words_of(text))
    return words[1:] if len(words) > 1 and words[0] in _ARTICLES else words


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """F1 of the words that both spans have in the same order."""
    if one == other:
        return 1.0
    shared = sum(
        b.size for b in SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    )
    return 2 * shared / (len(one) + len(other)) if one or other else 0.0
