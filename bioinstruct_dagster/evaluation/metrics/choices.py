"""Metrics of tasks whose answer is one of several options.

What a model knows and what it can write down are two things. So accuracy comes from the
log-likelihoods of the options and, apart from that, from the answer that the model wrote.

Belongs here: right and wrong, and the share of each place. Does not: reading an answer
(evaluation.metrics.reading), or intervals (evaluation.statistics).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bioinstruct_dagster.eval_sets.item import EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.scoring import LETTERS, ChoiceScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.metrics.measured import (
    SHARE,
    Floats,
    Measured,
    measured_mean,
)
from bioinstruct_dagster.evaluation.metrics.reading import read_choice
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

Results = Mapping[str, Sequence[ItemResult]]

ACCURACY = "accuracy"  # the likeliest option
BY_TOKEN = "accuracy_per_token"  # noqa: S105 (the likeliest by log-likelihood per token)
MINUS_PRIOR = "accuracy_minus_prior"  # the option that the question makes likelier the most
GENERATED = "accuracy_generated"  # the option that the written answer names
INVALID = "invalid_answers"  # the share of answers that name no option, or several
MACRO_F1 = "macro_f1"
MACRO_F1_GENERATED = "macro_f1_generated"
POSITION = "position_excess_"  # and the letter: how much oftener a place is chosen than right


@dataclass(frozen=True)
class _Item:
    """An item with its right option and what was measured of it."""

    id: str
    gold: int
    options: tuple[str, ...]
    orders: tuple[ItemResult, ...]
    prior: ItemResult | None
    answers: tuple[ItemResult, ...]


def choice_metrics(
    task: EvaluationTask, scoring: ChoiceScoring, items: Sequence[EvaluationItem], results: Results
) -> list[Measured]:
    """The metrics of a task with options; those without any item are left out.

    If the options are shown in several orders, an item's value is its mean over the orders. An
    option that ties with others counts as its share of them.

    Args:
        task: the task.
        scoring: of the task.
        items: with their right options; items without one are left out.
        results: of one subject by item.
    """
    asked = list(_asked(task, items, results))
    lettered = scoring.options == "letters"
    once = scoring.orders == 1  # a mean over several orders is no proportion
    chosen = {ACCURACY: _chosen_by(asked, _raw)}
    chosen[BY_TOKEN] = _chosen_by(asked, _per_token)
    chosen[MINUS_PRIOR] = _chosen_by(
        [item for item in asked if item.prior], _by_letter if lettered else _by_text
    )
    chosen[GENERATED] = _read(asked, lettered=lettered)
    gold = {item.id: item.gold for item in asked}
    found = [
        measured_mean(
            name,
            {key: float(share[:, gold[key]].mean()) for key, share in each.items()},
            right_or_wrong=once or name == GENERATED,  # an answer is written once
        )
        for name, each in chosen.items()
    ]
    unread = {
        key: float((share.sum(axis=1) == 0).mean()) for key, share in chosen[GENERATED].items()
    }
    found.append(measured_mean(INVALID, unread, higher_is_better=False, right_or_wrong=True))
    if scoring.labels:
        labels = tuple(scoring.labels)
        found.append(_macro_f1(MACRO_F1, labels, chosen[ACCURACY], gold))
        found.append(_macro_f1(MACRO_F1_GENERATED, labels, chosen[GENERATED], gold))
    if lettered:
        found += _position_excess(asked, chosen[ACCURACY])
    return [each for each in found if each.item_ids]


def _asked(
    task: EvaluationTask, items: Sequence[EvaluationItem], results: Results
) -> Iterator[_Item]:
    for item in items:
        of_item = [result for result in results.get(item.id, ()) if result.asked]
        if item.gold is None:
            continue
        by_measure = {
            name: tuple(
                sorted((r for r in of_item if r.measure == name), key=lambda each: each.order)
            )
            for name in ("options", "prior", "answer")
        }
        yield _Item(
            item.id,
            item.gold,
            options_of(task, item),
            by_measure["options"],
            next(iter(by_measure["prior"]), None),
            by_measure["answer"],
        )


def _raw(_item: _Item, shown: ItemResult) -> Floats:
    return np.array(shown.log_likelihoods)


def _per_token(_item: _Item, shown: ItemResult) -> Floats:
    tokens = np.array(shown.option_tokens, dtype=np.float64)
    return np.asarray(np.array(shown.log_likelihoods) / np.maximum(tokens, 1.0))


def _by_text(item: _Item, shown: ItemResult) -> Floats:
    return np.array(shown.log_likelihoods) - _prior_of(item)


def _by_letter(item: _Item, shown: ItemResult) -> Floats:
    """The same where a letter is scored: its prior belongs to its place, not to the option."""
    prior = _prior_of(item)  # in the item's own order, so by place
    by_option = np.empty_like(prior)
    by_option[list(_order_of(shown))] = prior
    return np.array(shown.log_likelihoods) - by_option


def _prior_of(item: _Item) -> Floats:
    """The log-likelihoods without the question, which are asked for in the item's own order."""
    return np.array(item.prior.log_likelihoods if item.prior else (), dtype=np.float64)


def _order_of(shown: ItemResult) -> tuple[int, ...]:
    """The item's own option at each place; without a permutation, the item's own order."""
    return shown.permutation or tuple(range(len(shown.log_likelihoods)))


def _chosen_by(
    items: Sequence[_Item], score: Callable[[_Item, ItemResult], Floats]
) -> dict[str, Floats]:
    """By item, of shape (orders, options): the share of each option in being the best."""
    found = {}
    for item in items:
        if not item.orders:
            continue
        scores = np.stack([score(item, shown) for shown in item.orders])
        best = scores == scores.max(axis=1, keepdims=True)
        found[item.id] = best / best.sum(axis=1, keepdims=True)
    return found


def _read(items: Sequence[_Item], *, lettered: bool) -> dict[str, Floats]:
    """By item, of shape (answers, options): 1 for the option that is named; 0 if none can be."""
    found = {}
    for item in items:
        if not item.answers:
            continue
        rows = np.zeros((len(item.answers), len(item.options)))
        for row, answer in zip(rows, item.answers, strict=True):
            order = answer.permutation or tuple(range(len(item.options)))
            shown = [item.options[own] for own in order]
            place = read_choice(answer.answer, shown, lettered=lettered).place
            if place is not None:
                row[order[place]] = 1.0
        found[item.id] = rows
    return found


def _macro_f1(
    metric: str, labels: tuple[str, ...], chosen: Mapping[str, Floats], gold: Mapping[str, int]
) -> Measured:
    """Counts by label. An answer that can't be read is a miss of its label, and no false alarm."""
    shares = np.array([share.mean(axis=0) for share in chosen.values()]).reshape(-1, len(labels))
    right = np.zeros_like(shares)
    right[np.arange(len(right)), [gold[item_id] for item_id in chosen]] = 1.0
    hits = shares * right
    values = np.stack([hits, shares - hits, right - hits], axis=-1)
    return Measured(metric, tuple(chosen), values, "macro_f1", classes=labels, bounds=SHARE)


def _position_excess(items: Sequence[_Item], chosen: Mapping[str, Floats]) -> Iterator[Measured]:
    """For each place, the share of choosing it minus the share of the right option standing there.

    Over items with the same number of options. Without a bias, each is 0 but for chance. The right
    option stands in the same place for every subject, so two subjects are at most 1 apart.
    """
    places = max((len(item.options) for item in items), default=0)
    full = [item for item in items if item.id in chosen and len(item.options) == places]
    for place in range(places):
        values = {}
        for item in full:
            own = [_order_of(shown)[place] for shown in item.orders]
            picked = chosen[item.id][np.arange(len(own)), own]
            values[item.id] = float(picked.mean() - np.mean(np.array(own) == item.gold))
        yield measured_mean(
            POSITION + LETTERS[place],
            values,
            bounds=(-1.0, 1.0),
            higher_is_better=None,
            farthest_apart=1.0,
        )
