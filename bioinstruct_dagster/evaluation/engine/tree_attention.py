"""The attention `tree`: each token of a tree sees the tokens of its own text and no others.

Belongs here: the attention function and its masks. Does not: giving it to a model
(models.attention.exchange), the trees (evaluation.engine.prefix_tree), or calling the model
(evaluation.engine.tree_passes).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.evaluation.engine.prefix_tree import Branch, Range
from bioinstruct_dagster.models.attention.exchange import (
    exchanged_attention,
    refuse_more_than_causal,
)

if TYPE_CHECKING:
    import torch

NAME = "tree"
# Queries of one product. A token sees no later ones, so few queries save products; many save calls.
CHUNK = 128


@dataclass(frozen=True, slots=True)
class _Product:
    """One product of queries with keys: the queries' range, the keys, and what each query sees.

    Attributes:
        queries: their range in the pass.
        keys: how many of the branch's keys, from the first.
        mask: (queries, keys), 0 or minus infinity; None: each query sees all up to itself.
    """

    queries: Range
    keys: int
    mask: "torch.Tensor | None"


@dataclass(slots=True)
class TreeMasks:
    """What each token of a pass sees.

    Attributes:
        branches: the ranges of the keys of each branch, and its products.
        positions: (T,) of the tokens of the pass, for attention within a window.
    """

    branches: list[tuple[tuple[Range, ...], list[_Product]]]
    positions: "torch.Tensor"
    _windows: dict[tuple[int, int, int], "torch.Tensor"] = field(default_factory=dict)

    @classmethod
    def of(
        cls, branches: Sequence[Branch], positions: "torch.Tensor", dtype: "torch.dtype"
    ) -> "TreeMasks":
        """The masks of a pass.

        Args:
            branches: of the pass.
            positions: (T,) of its tokens, on the model's device.
            dtype: in which the model computes.
        """
        import torch

        size = int(positions.max()) + 1
        # Row p: 0 for the keys up to position p, else minus infinity.
        causal = torch.full((size, size), float("-inf"), dtype=dtype, device=positions.device)
        causal = causal.triu(1)
        return cls(
            [
                ((*branch.before, (branch.start, branch.stop)), list(_products(branch, causal)))
                for branch in branches
                if branch.stop > branch.start
            ],
            positions,
        )

    def attend(
        self,
        heads: "tuple[torch.Tensor, torch.Tensor, torch.Tensor]",
        scaling: float | None,
        window: int | None,
    ) -> "torch.Tensor":
        """The attention of a layer, of shape (batch, T, heads, width).

        Args:
            heads: query, key and value, each of shape (batch, heads, T, width).
            scaling: the factor of the scores; None for 1 / sqrt(width).
            window: how many tokens a token sees, itself included; None for all.
        """
        from torch.nn.functional import scaled_dot_product_attention

        query, key, value = heads
        groups = query.shape[1] // key.shape[1]
        output = query.new_empty(query.shape[0], query.shape[2], query.shape[1], value.shape[3])
        for number, (ranges, products) in enumerate(self.branches):
            keys, values = _joined(key, ranges), _joined(value, ranges)
            if groups > 1:
                # With a mask and `enable_gqa`, torch takes its slowest kernel on a GPU.
                keys, values = (each.repeat_interleave(groups, 1) for each in (keys, values))
            for place, product in enumerate(products):
                start, stop = product.queries
                mask = product.mask
                if window is not None and product.keys > window:
                    mask = self._windowed((number, place, window), ranges, product)
                if mask is not None and mask.dtype != query.dtype:
                    mask = mask.to(query.dtype)  # of weights in 4 bits, or with a window
                output[:, start:stop] = scaled_dot_product_attention(
                    query[:, :, start:stop],
                    keys[:, :, : product.keys],
                    values[:, :, : product.keys],
                    attn_mask=mask,
                    is_causal=mask is None,
                    scale=scaling,
                ).transpose(1, 2)
        return output

    def _windowed(
        self, key: tuple[int, int, int], ranges: Sequence[Range], product: _Product
    ) -> "torch.Tensor":
        """The mask of a product, without the keys that are too far from a query."""
        import torch

        if key not in self._windows:
            start, stop = product.queries
            at = self.positions[start:stop, None]
            seen = torch.cat([self.positions[a:b] for a, b in ranges])[None, : product.keys]
            far = at - seen >= key[2]
            if product.mask is None:
                unseen = far | (seen > at)
                mask = torch.zeros(unseen.shape, dtype=torch.float32, device=at.device)
                self._windows[key] = mask.masked_fill(unseen, float("-inf"))
            else:
                self._windows[key] = product.mask.masked_fill(far, float("-inf"))
        return self._windows[key]


def _joined(heads: "torch.Tensor", ranges: Sequence[Range]) -> "torch.Tensor":
    import torch

    parts = [heads[:, :, start:stop] for start, stop in ranges]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 2)


def _products(branch: Branch, causal: "torch.Tensor") -> Iterator[_Product]:
    """The products of a branch. The rest of the tree is computed with the end of the chain."""
    before = sum(stop - start for start, stop in branch.before)
    if not before and not branch.parents:
        yield _Product((branch.start, branch.stop), branch.chain, None)
        return
    at = 0
    while branch.chain - at > CHUNK:
        end = before + at + CHUNK
        yield _Product(
            (branch.start + at, branch.start + at + CHUNK), end, causal[before + at : end, :end]
        )
        at += CHUNK
    yield _Product(
        (branch.start + at, branch.stop),
        before + branch.stop - branch.start,
        _mask(branch, before, at, causal),
    )


def _mask(branch: Branch, before: int, at: int, causal: "torch.Tensor") -> "torch.Tensor":
    """What the end of a chain, from `at`, and the rest of the tree see: (queries, keys)."""
    import torch

    end = before + branch.chain
    of_chain = causal[before + at : end, :end]
    if not branch.parents:
        return of_chain
    rest = len(branch.parents)
    sees = torch.zeros(rest, rest, dtype=torch.bool)
    for place, parent in enumerate(branch.parents):
        if parent >= 0:
            sees[place] = sees[parent]
        sees[place, place] = True
    chain = branch.chain - at
    mask = torch.full(
        (chain + rest, end + rest), float("-inf"), dtype=causal.dtype, device=causal.device
    )
    mask[:chain, :end] = of_chain
    mask[chain:, :end] = 0
    mask[chain:, end:].masked_fill_(sees.to(causal.device), 0)
    return mask


_current: TreeMasks | None = None  # read by the attention, which transformers calls without a hint


@contextmanager
def tree_attention(model: Any, masks: TreeMasks) -> Iterator[None]:
    """The model computes this tree inside the block, and has its own attention afterwards.

    Args:
        model: a causal language model of transformers, or peft's wrapper around one.
        masks: of the tree.

    Raises:
        AttentionUnsupportedError: the model does not use the attention that it is given.
    """
    global _current  # noqa: PLW0603
    with exchanged_attention(model, NAME, _attend, _no_mask, trained=False):
        _current = masks
        try:
            yield
        finally:
            _current = None


def _no_mask(*_: Any, **__: Any) -> None:
    """The model's mask: none, because the attention has its own."""


def _attend(
    module: "torch.nn.Module",
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: "torch.Tensor | None",
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> "tuple[torch.Tensor, None]":
    """Attention in the form that transformers' models call.

    Args:
        module: the attention layer.
        query: (batch, heads, T, width).
        key: (batch, key heads, T, width).
        value: like `key`.
        attention_mask: None.
        scaling: the factor of the scores; None for 1 / sqrt(width).
        dropout: of the attention weights.
        sliding_window: how many tokens a token sees, itself included; None for all.
        is_causal: None for that of `module`.
        kwargs: whatever else the model hands to its attention.

    Returns:
        (batch, T, heads, width), and None in place of the attention weights.

    Raises:
        AttentionUnsupportedError: the model asks for more than a causal softmax.
    """
    refuse_more_than_causal(module, attention_mask, kwargs, dropout=dropout, is_causal=is_causal)
    assert _current  # noqa: S101  # the model has this attention inside `tree_attention` alone
    return _current.attend((query, key, value), scaling, sliding_window), None
