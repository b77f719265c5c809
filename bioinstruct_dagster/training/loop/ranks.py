"""Data parallel training: several processes that each compute a part of every update.

torchrun starts the processes of a machine, which are called ranks, and tells each its number.

Belongs here: starting, summing over and agreeing between ranks. Does not: which rows a rank
computes (training.loop.packing).
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """This process among all that train the same adapter. Alone, every method does nothing."""

    rank: int = 0
    count: int = 1

    @classmethod
    def current(cls) -> "Ranks":
        """The ranks that `joined_ranks` connected; this process alone outside of it."""
        import torch.distributed as dist

        if dist.is_available() and dist.is_initialized():
            return cls(dist.get_rank(), dist.get_world_size())
        return cls()

    @property
    def first(self) -> bool:
        """Whether this rank writes files, messages and results. Exactly one rank does."""
        return self.rank == 0

    def sum(self, tensors: Sequence["torch.Tensor"]) -> None:
        """Replace each tensor by its sum over all ranks, which have the same shapes of tensors."""
        import torch
        import torch.distributed as dist

        if self.count == 1 or not tensors:
            return
        # One exchange in place of one for each of several hundred small weights.
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def same(self, value: T) -> T:
        """The value of the first rank. Ranks that decide by it decide alike."""
        import torch.distributed as dist

        if self.count == 1:
            return value
        values: list[Any] = [value]
        dist.broadcast_object_list(values)
        return values[0]  # type: ignore[no-any-return]

    def copy_of_first(self, tensors: Sequence["torch.Tensor"]) -> None:
        """Replace each tensor by that of the first rank."""
        import torch.distributed as dist

        if self.count > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def wait(self) -> None:
        """Wait until all ranks are here."""
        import torch.distributed as dist

        if self.count > 1:
            dist.barrier()


@contextmanager
def joined_ranks() -> Iterator[Ranks]:
    """Connect the processes that torchrun started, and give each its own GPU if there are any.

    Enter it before a model is loaded: each rank loads the model onto its own GPU. In a process that
    torchrun did not start, nothing happens.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1 or "RANK" not in os.environ:
        yield Ranks()
        return
    import torch
    import torch.distributed as dist

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl")
    else:
        dist.init_process_group("gloo")
    try:
        yield Ranks.current()
    finally:
        dist.destroy_process_group()
