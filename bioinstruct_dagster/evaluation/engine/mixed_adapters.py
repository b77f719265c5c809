"""The forward pass of several LoRA adapters of one base model, each row of a batch with its own.

peft computes a batch with mixed adapters one adapter at a time: eight adapters need eight times as
many operations a layer. Here the rows lie in blocks of one adapter each, and one batched product
serves all blocks. Two cases need no blocks. Where each row has one token, the matrices of a few
adapters lie side by side, and each row takes its own part. Where rows are long, those of an adapter
that lie together are one product. What a row gets is what peft computes for its adapter alone,
beyond rounding.

Belongs here: the products, and exchanging the forward pass of a base model's layers. Does not:
which adapters there are, and the proof that they act (evaluation.engine.subjects).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch

# What a block costs beside its rows, in rows: reading the matrices of its adapter.
_ROWS_PER_BLOCK = 4
# The greatest width of matrices side by side (adapters x rank): a row of one token is computed for
# all of them, which up to here costs less than to sort the rows into blocks.
_WIDEST = 128
# The fewest tokens for which a product of its own costs less than to sort the rows into blocks.
_TOKENS_OF_A_RUN = 64
_BATCHED = 3  # dimensions of a layer's input: rows, tokens, width


class LayerWeights(NamedTuple):
    """What an adapter adds to one linear layer: `x @ inward @ outward`.

    Attributes:
        inward: the transpose of matrix A, of shape (inputs, rank).
        outward: the transpose of matrix B times the adapter's scaling, of shape (rank, outputs).
    """

    inward: "torch.Tensor"
    outward: "torch.Tensor"


AdapterWeights = Mapping[str, LayerWeights]  # by the name of the layer in the base model


@dataclass(frozen=True)
class Blocks:
    """The rows of a batch in blocks of equal size, each with one adapter.

    Attributes:
        owners: the adapter of each row of the batch; None for the base model alone.
        subjects: the adapter of each block; None likewise.
        rows: of each block.
        gather: the row of the batch at each place of the blocks, of shape (blocks * rows,). A place
            without a row repeats another one. None: the batch lies in blocks as it is.
        places: the place of each row of the batch, of shape (batch,). None as for `gather`.
        stacks: the matrices of the blocks by layer, made when a layer first needs them; None for a
            layer that no adapter of these blocks adapts.
        masks: by adapters and rank, which columns of their matrices side by side are a row's own.
    """

    owners: tuple[str | None, ...]
    subjects: tuple[str | None, ...]
    rows: int
    gather: "torch.Tensor | None"
    places: "torch.Tensor | None"
    stacks: dict[str, LayerWeights | None] = field(default_factory=dict)
    masks: dict[tuple[tuple[str, ...], int], "torch.Tensor"] = field(default_factory=dict)

    @cached_property
    def adapters(self) -> frozenset[str]:
        """Those of the batch."""
        return frozenset(filter(None, self.subjects))

    @cached_property
    def runs(self) -> tuple[tuple[int, int, str | None], ...]:
        """The rows of one adapter that lie together: the first, the one after the last, and it."""
        starts = [
            row for row in range(len(self.owners)) if self.owners[row] != self.owners[row - 1]
        ]
        starts = sorted({0, *starts})
        ends = [*starts[1:], len(self.owners)]
        return tuple((a, b, self.owners[a]) for a, b in zip(starts, ends, strict=True))

    def mask(self, adapters: tuple[str, ...], like: "torch.Tensor") -> "torch.Tensor":
        """One at a row's own columns, zero at the others, of shape (batch, adapters x rank).

        Args:
            adapters: whose matrices lie side by side.
            like: one of these matrices, of shape (inputs, adapters x rank).
        """
        import torch

        rank = like.shape[1] // len(adapters)
        if (adapters, rank) not in self.masks:
            own = [[float(one == owner) for one in adapters] for owner in self.owners]
            mask = torch.tensor(own, dtype=like.dtype, device=like.device)
            self.masks[adapters, rank] = mask.repeat_interleave(rank, dim=1)
        return self.masks[adapters, rank]


def blocks_of(subjects: Sequence[str | None], device: str) -> Blocks:
    """Put the rows of a batch into blocks.

    Args:
        subjects: the adapter of each row; None for the base model alone.
        device: of the model.
    """
    import torch

    members: dict[str | None, list[int]] = {}
    for row, subject in enumerate(subjects):
        members.setdefault(subject, []).append(row)
    counts = [len(rows) for rows in members.values()]
    size = min(range(1, max(counts) + 1), key=lambda rows: (_cost(counts, rows), -rows))
    owners: list[str | None] = []
    gather: list[int] = []
    places = [0] * len(subjects)
    for subject, rows in members.items():
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            for offset, row in enumerate(block):
                places[row] = len(gather) + offset
            gather += block + [block[0]] * (size - len(block))
            owners.append(subject)
    if gather == list(range(len(subjects))):
        return Blocks(tuple(subjects), tuple(owners), size, None, None)
    indices = (torch.tensor(each, device=device) for each in (gather, places))
    return Blocks(tuple(subjects), tuple(owners), size, *indices)


def _cost(counts: Sequence[int], rows: int) -> int:
    return sum(-(-count // rows) for count in counts) * (rows + _ROWS_PER_BLOCK)


class AdaptedLayers:
    """The layers of a base model with the matrices of all adapters, and the rows' choice of them.

    Attributes:
        chosen: what the next forward passes compute: the name of one adapter for all rows, blocks,
            or None for the base model alone.
    """

    def __init__(self, adapters: Mapping[str, AdapterWeights]) -> None:
        self._adapters = adapters
        self.chosen: str | Blocks | None = None
        # The adapters whose matrices lie side by side, and these matrices by layer. They serve all
        # batches of these adapters, so they are not made again whenever a row of a batch changes.
        self._together: tuple[str, ...] = ()
        self._wide: dict[str, LayerWeights | None] = {}

    @contextmanager
    def on(self, model: Any) -> Iterator[None]:
        """Exchange the forward pass of the adapted layers inside the block.

        Args:
            model: transformers' model without peft's wrapper, in evaluation mode.
        """
        names = {name for weights in self._adapters.values() for name in weights}
        before: list[tuple[Any, Any]] = []
        try:
            for name in sorted(names):
                layer = model.get_submodule(name)
                before.append((layer, vars(layer).get("forward")))
                layer.forward = self._forward_of(name, layer.forward)
            yield
        finally:
            for layer, own in before:
                del layer.forward  # the class's own is found again
                if own is not None:  # such as accelerate's
                    layer.forward = own

    def _forward_of(
        self, name: str, forward: "Callable[..., torch.Tensor]"
    ) -> "Callable[..., torch.Tensor]":
        of_adapter = {
            adapter: weights[name] for adapter, weights in self._adapters.items() if name in weights
        }
        rank = _rank(of_adapter.values())

        def adapted(x: "torch.Tensor", *args: Any, **kwargs: Any) -> "torch.Tensor":
            result = forward(x, *args, **kwargs)
            chosen = self.chosen
            if chosen is None:
                return result
            if isinstance(chosen, str):
                weights = of_adapter.get(chosen)
                return result if weights is None else _added(result, x, weights)
            if x.ndim == _BATCHED and x.shape[1] == 1 and self._fits(chosen, rank):
                wide = self._side_by_side(name, of_adapter)
                if wide is None:
                    return result
                return _added(result, x, wide, chosen.mask(self._together, wide.inward))
            if x.ndim == _BATCHED and x.shape[:2].numel() >= _TOKENS_OF_A_RUN * len(chosen.runs):
                return _added_to_runs(result, x, of_adapter, chosen)
            if name not in chosen.stacks:
                chosen.stacks[name] = _stack(of_adapter, chosen.subjects)
            stack = chosen.stacks[name]
            return result if stack is None else _added_to_blocks(result, x, stack, chosen)

        return adapted

    def _fits(self, blocks: Blocks, rank: int) -> bool:
        """Whether the matrices of a batch's adapters may lie side by side; makes room if so."""
        adapters = blocks.adapters
        if not adapters <= set(self._together) or len(self._together) * rank > _WIDEST:
            together = tuple(sorted(adapters))
            if together != self._together:
                self._together, self._wide = together, {}
        return len(self._together) * rank <= _WIDEST

    def _side_by_side(self, name: str, of_adapter: AdapterWeights) -> LayerWeights | None:
        if name not in self._wide:
            stack = _stack(of_adapter, self._together)
            self._wide[name] = stack and LayerWeights(
                stack.inward.transpose(0, 1).flatten(1).contiguous(), stack.outward.flatten(0, 1)
            )
        return self._wide[name]


def _added(
    result: "torch.Tensor",
    x: "torch.Tensor",
    weights: LayerWeights,
    mask: "torch.Tensor | None" = None,
) -> "torch.Tensor":
    import torch

    narrow = x.flatten(0, -2).to(weights.inward.dtype) @ weights.inward
    if mask is not None:
        narrow = narrow * mask
    if _is_own(result, narrow):
        result.flatten(0, -2).addmm_(narrow, weights.outward)
        return result
    # As in peft, the sum is rounded to the layer's type once.
    wide = result.flatten(0, -2).to(narrow.dtype)
    return torch.addmm(wide, narrow, weights.outward).to(result.dtype).view(result.shape)


def _is_own(result: "torch.Tensor", change: "torch.Tensor") -> bool:
    """Whether a layer's output may be changed in place: nothing else refers to it, or will."""
    import torch

    return result.dtype == change.dtype and result.is_contiguous() and not torch.is_grad_enabled()


def _added_to_runs(
    result: "torch.Tensor", x: "torch.Tensor", of_adapter: AdapterWeights, blocks: Blocks
) -> "torch.Tensor":
    import torch

    parts = [result[start:end] for start, end, _ in blocks.runs]
    changed = [
        part if (weights := of_adapter.get(owner or "")) is None else _added(part, x[a:b], weights)
        for part, (a, b, owner) in zip(parts, blocks.runs, strict=True)
    ]
    in_place = all(one is part for one, part in zip(changed, parts, strict=True))
    return result if in_place else torch.cat(changed)


def _added_to_blocks(
    result: "torch.Tensor", x: "torch.Tensor", stack: LayerWeights, blocks: Blocks
) -> "torch.Tensor":
    import torch

    number, dtype = len(blocks.subjects), stack.inward.dtype
    if blocks.gather is None:
        inputs = x.reshape(number, -1, x.shape[-1]).to(dtype)
        narrow = torch.bmm(inputs, stack.inward)
        wide = result.reshape(number, -1, result.shape[-1]).to(dtype)
        return torch.baddbmm(wide, narrow, stack.outward).to(result.dtype).view(result.shape)
    inputs = x.index_select(0, blocks.gather).reshape(number, -1, x.shape[-1]).to(dtype)
    narrow = torch.bmm(inputs, stack.inward)
    change = torch.bmm(narrow, stack.outward).view(-1, *result.shape[1:])
    return (result.to(dtype) + change.index_select(0, blocks.places)).to(result.dtype)


def _stack(
    of_adapter: Mapping[str, LayerWeights], subjects: Sequence[str | None]
) -> LayerWeights | None:
    """The matrices of blocks, of shapes (blocks, inputs, rank) and (blocks, rank, outputs).

    Lower ranks are filled up with zeros, which add nothing. So are adapters without this layer.
    """
    found = [of_adapter.get(subject) if subject is not None else None for subject in subjects]
    present = [weights for weights in found if weights is not None]
    if not present:
        return None
    first = present[0]
    rank = _rank(present)
    inward = first.inward.new_zeros(len(found), first.inward.shape[0], rank)
    outward = first.outward.new_zeros(len(found), rank, first.outward.shape[1])
    for block, weights in enumerate(found):
        if weights is not None:
            own = weights.inward.shape[1]
            inward[block, :, :own] = weights.inward
            outward[block, :own] = weights.outward
    return LayerWeights(inward, outward)


def _rank(weights: Iterable[LayerWeights]) -> int:
    return max((one.inward.shape[1] for one in weights), default=0)
