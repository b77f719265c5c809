"""The result of one measure of one item by one subject: what the model process hands over.

Belongs here: the columns of its Parquet files, which are those of the store's table. Does not:
running a model (evaluation.engine), or scores (evaluation.metrics).
"""

from dataclasses import dataclass
from typing import Literal

from bioinstruct_dagster.evaluation.engine.requests import BASE

__all__ = ["BASE", "ItemResult", "Measure"]

# What is measured of an item.
#   options: the log-likelihood of each option after the prompt, as letters or as texts
#   prior: the same after a prompt without the item's question
#   answer: a greedily decoded answer
#   reference: the log-likelihood of the right output (held-out loss)
Measure = Literal["options", "prior", "answer", "reference"]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One row of the results.

    Attributes:
        key: sha256 of all that determines the row (evaluation.tasks.keys).
        task: its name.
        item_id: within the task.
        subject: BASE, or the adapter's content hash.
        measure: what was measured.
        order: the number of the order of options, from 0.
        permutation: the place among the item's own options of each option in the order shown; empty
            without options.
        log_likelihoods: nats, one for each of the item's own options in their own order (the
            permutation is undone); one value for `reference`.
        option_tokens: the number of tokens of each.
        answer: what the model wrote; empty for other measures.
        answer_tokens: how many tokens.
        ended: whether the model ended the answer itself.
        tokens_lost: tokens of the passage that were cut so that the prompt fits.
        asked: whether the model was asked. It was not if the question alone, without its passage,
            is longer than the model's context; the item counts as not answered.
        precision: of the weights and of the device, such as `float32 on cpu`.
    """

    key: str
    task: str
    item_id: str
    subject: str
    measure: Measure
    order: int = 0
    permutation: tuple[int, ...] = ()
    log_likelihoods: tuple[float, ...] = ()
    option_tokens: tuple[int, ...] = ()
    answer: str = ""
    answer_tokens: int = 0
    ended: bool = True
    tokens_lost: int = 0
    asked: bool = True
    precision: str = ""
