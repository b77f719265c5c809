"""How a base model computes log-likelihoods: as trees, in padded batches, or one row at a time.

Recurrent layers, attention with a bias by distance, and positions that depend on the length of a
batch can't compute trees, and nothing in a model's configuration says so reliably. So the model
itself is asked, on a few requests.

Belongs here: the comparison with rows that are computed alone. Does not: computing them
(evaluation.engine.tree_passes, evaluation.engine.padded_rows).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bioinstruct_dagster.evaluation.engine.padded_rows import PaddedRows, log_likelihoods_of_rows
from bioinstruct_dagster.evaluation.engine.prefix_tree import TreePass, passes_of
from bioinstruct_dagster.evaluation.engine.requests import OptionRequest
from bioinstruct_dagster.evaluation.engine.tree_passes import (
    Sums,
    TreeTensors,
    log_likelihoods_of,
)
from bioinstruct_dagster.models.attention.exchange import AttentionUnsupportedError
from bioinstruct_dagster.models.attention.self_test import (
    ROUNDING_16_BIT,
    leak_allowed,
    positions_depend_on_other_rows,
    rounding_of,
)
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.linear_layers import base_of

# Tokens of a shortened request: of the beginning, which prompts may have in common, and of the end.
_BEGIN, _END, _OPTION_TOKENS = 24, 40, 12
_REFUSALS = (TypeError, ValueError, RuntimeError, NotImplementedError, IndexError)


@dataclass(frozen=True)
class Way:
    """How log-likelihoods are computed.

    Attributes:
        name: `tree`, `batches` of padded rows, or `rows` one at a time.
        reason: why a faster way is not used; empty if there is none.
    """

    name: Literal["tree", "batches", "rows"]
    reason: str = ""


def way_of(base: LoadedBaseModel, requests: Sequence[OptionRequest]) -> Way:
    """The fastest way that gives what rows give that are computed alone.

    Args:
        base: its model computes without an adapter.
        requests: of which a few are compared.
    """
    model = base.model
    longest = max(_length(request) for request in requests)
    config = base_of(model).config.get_text_config()
    if reason := positions_depend_on_other_rows(config, longest):
        return Way("rows", reason)
    sample = _sample(requests)
    pad = base.tokenizer.pad_token_id or 0
    batch = PaddedRows.of(sample)
    alone = log_likelihoods_of_rows(model, batch, base.device, pad, alone=True)
    fault = _tree_fault(base, sample, alone)
    if fault is None:
        return Way("tree")
    together = log_likelihoods_of_rows(model, batch, base.device, pad, alone=False)
    difference = _difference(sample, alone, together)
    if difference <= _rounding(base):
        return Way("batches", fault)
    return Way("rows", f"{fault}; padding changes a token's log-likelihood by {difference:.2g}")


def _sample(requests: Sequence[OptionRequest]) -> list[OptionRequest]:
    """A short, a middle and a long request, shortened, the first with two options.

    What the attention does over longer texts does not depend on the model, and is tested apart.
    """
    ordered = sorted(requests, key=lambda one: (_length(one), one.prompt_ids, one.option_ids))
    last = len(ordered) - 1
    chosen: list[OptionRequest] = []
    for place in sorted({0, last // 2, last}):
        one, options = ordered[place], 1 if chosen else 2
        prompt = one.prompt_ids
        if len(prompt) > _BEGIN + _END:
            prompt = prompt[:_BEGIN] + prompt[-_END:]
        longest = sorted(one.option_ids, key=len)[-options:]
        chosen.append(
            replace(
                one,
                prompt_ids=prompt,
                option_ids=tuple(option[:_OPTION_TOKENS] for option in longest),
            )
        )
    # In the order of a pass.
    return sorted(chosen, key=lambda one: (one.prompt_ids, one.option_ids))


def _length(request: OptionRequest) -> int:
    return len(request.prompt_ids) + max(map(len, request.option_ids))


def _tree_fault(base: LoadedBaseModel, sample: Sequence[OptionRequest], alone: Sums) -> str | None:
    """The reason for which the model can't compute trees; None if it can."""
    import torch

    (one,) = passes_of(sample, tokens=1 << 30, predicting=1 << 30)
    try:
        found = _computed(base, one)
        altered = _altered(one)
        beside = _computed(base, altered) if altered else found
    except AttentionUnsupportedError as error:
        return str(error)
    except torch.OutOfMemoryError:
        raise
    except _REFUSALS as error:
        return f"it refuses trees: {type(error).__name__}: {error}"
    difference = _difference(sample, alone, found)
    if not difference <= _rounding(base):
        return f"a token's log-likelihood in a tree differs by {difference:.2g} from that alone"
    leak = _difference(sample[1:], found[1:], beside[1:])
    if not leak <= leak_allowed(base.model, _rounding(base)):
        return f"a request changes the log-likelihood of a token of another one by {leak:.2g}"
    return None


def _computed(base: LoadedBaseModel, one: TreePass) -> Sums:
    tensors = TreeTensors.of(one, base.device, next(base.model.parameters()).dtype)
    return log_likelihoods_of(base.model, tensors)


def _altered(one: TreePass) -> TreePass | None:
    """The pass with other tokens in its first request, where no other request has them too."""
    first = one.branches[0]
    start = first.start
    if len(one.requests) > 1:
        after = {place for branch in one.branches[1:] for _, place in branch.before}
        start = max([first.start, *(place for place in after if place <= first.stop)])
    if start >= first.stop:
        return None
    ids = list(one.ids)
    other = ids[first.start]
    ids[start : first.stop] = [other] * (first.stop - start)
    return replace(one, ids=ids)


def _difference(sample: Sequence[OptionRequest], one: Sums, other: Sums) -> float:
    """The greatest mean difference of a token's log-likelihood (nats); infinite if one is NaN."""
    worst = 0.0
    for request, first, second in zip(sample, one, other, strict=True):
        for option, a, b in zip(request.option_ids, first, second, strict=True):
            difference = abs(a - b) / len(option)
            if not difference < float("inf"):
                return float("inf")
            worst = max(worst, difference)
    return worst


def _rounding(base: LoadedBaseModel) -> float:
    """The greatest mean difference of a token's log-likelihood that rounding alone can make."""
    if getattr(base_of(base.model), "is_loaded_in_4bit", False):
        return ROUNDING_16_BIT
    return rounding_of(base.model)
