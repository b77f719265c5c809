"""The log-likelihoods of a model that can't compute trees: each option in a row of its own.

Rows of similar length lie in one batch, padded on the right. A causal model reads from left to
right, so no token of a text sees the padding, and no mask is needed.

Belongs here: filling the batches, and calling the model with them. Does not: choosing between rows
and trees (evaluation.engine.self_test).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.evaluation.engine.requests import OptionRequest
from bioinstruct_dagster.evaluation.engine.tree_passes import (
    Sums,
    owners_of,
    summed,
)
from bioinstruct_dagster.models.attention.passes import in_full_precision, kept_logits

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class PaddedRows:
    """A batch of requests whose options are rows. An option of one token needs no row of its own.

    Attributes:
        requests: whose options are computed.
        rows: of tokens: a prompt and the option's tokens but the last.
        targets: for each token of each option, its row, the place that predicts it, and the token.
        option_tokens: how many targets each option has; the options of all requests in their order.
    """

    requests: tuple[OptionRequest, ...]
    rows: tuple[tuple[int, ...], ...]
    targets: tuple[tuple[int, int, int], ...]
    option_tokens: tuple[int, ...]

    @classmethod
    def of(cls, requests: Sequence[OptionRequest]) -> "PaddedRows":
        """The rows of requests. Rows that are equal, such as those of letters, are there once."""
        rows: dict[tuple[int, ...], int] = {}
        targets = []
        for request in requests:
            for option in request.option_ids:
                row = rows.setdefault((*request.prompt_ids, *option[:-1]), len(rows))
                first = len(request.prompt_ids) - 1
                targets += [(row, first + place, token) for place, token in enumerate(option)]
        counts = [len(option) for request in requests for option in request.option_ids]
        return cls(tuple(requests), tuple(rows), tuple(targets), tuple(counts))


def batches_of(
    requests: Sequence[OptionRequest], *, tokens: int, predicting: int, rows: int | None = None
) -> Iterator[PaddedRows]:
    """Fill batches with requests, the longest first, which shows at once whether memory is enough.

    Args:
        requests: in any order.
        tokens: of a batch, padding included. A request that has more is a batch of its own.
        predicting: the most tokens of a batch whose logits are computed, but for a single request.
        rows: of a batch, but for a single request; None for any number.
    """
    ordered = sorted(requests, key=lambda one: (-_width(one), one.prompt_ids, one.option_ids))
    batch: list[OptionRequest] = []
    many = 0
    for request in ordered:
        own = len({option[:-1] for option in request.option_ids})
        if batch:
            width, more = _width(batch[0]), many + own
            # In each row, from the end of the shortest prompt to the end of the longest row.
            kept = width - min(len(one.prompt_ids) for one in (*batch, request)) + 1
            full = width * more > tokens or kept * more > predicting
            if full or (rows and more > rows):
                yield PaddedRows.of(batch)
                batch, many = [], 0
        batch.append(request)
        many += own
    if batch:
        yield PaddedRows.of(batch)


def _width(request: OptionRequest) -> int:
    return len(request.prompt_ids) + max(map(len, request.option_ids)) - 1


def log_likelihoods_of_rows(
    model: Any, batch: PaddedRows, device: str, pad: int, *, alone: bool
) -> Sums:
    """The log-likelihoods of a batch's options: an entry a request.

    Args:
        model: transformers' model, or peft's wrapper around one.
        batch: the rows.
        device: of the model.
        pad: the token that fills up shorter rows.
        alone: compute one row at a time, without padding.
    """
    import torch

    parts = [[row] for row in range(len(batch.rows))] if alone else [list(range(len(batch.rows)))]
    scores = torch.zeros(len(batch.targets), dtype=torch.float64)
    for part in parts:
        chosen = [place for place, (row, _, _) in enumerate(batch.targets) if row in set(part)]
        rows = [batch.rows[row] for row in part]
        targets = [
            (row - part[0], at, token)
            for row, at, token in (batch.targets[place] for place in chosen)
        ]
        scores[chosen] = _scores(model, rows, targets, device, pad)
    owners = owners_of(batch.option_tokens, "cpu")
    return summed(scores, owners, [len(request.option_ids) for request in batch.requests])


def _scores(
    model: Any,
    rows: Sequence[tuple[int, ...]],
    targets: Sequence[tuple[int, int, int]],
    device: str,
    pad: int,
) -> "torch.Tensor":
    """The log-probability of each target, on the CPU."""
    import torch

    width = max(map(len, rows))
    ids = torch.tensor([[*row] + [pad] * (width - len(row)) for row in rows], device=device)
    at_row, at, token = torch.tensor(targets, device=device).T
    with torch.inference_mode():
        kept, place = at.unique(return_inverse=True)
        logits = kept_logits(model, kept, input_ids=ids, use_cache=False)  # (rows, P, vocabulary)
        scores = in_full_precision(logits).log_softmax(2)[at_row, place, token]
    return scores.double().cpu()
