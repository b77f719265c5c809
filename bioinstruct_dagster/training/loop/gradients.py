"""The loss of some rows and its gradient, computed in as many passes as needed.

Belongs here: forward and backward passes over rows, on this rank and summed over all. Does not:
what is done with a gradient (training.loop.training_run).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.attention.passes import Pass, token_losses
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.training.loop.packing import best_fit, shares
from bioinstruct_dagster.training.loop.ranks import Ranks

if TYPE_CHECKING:
    import torch

ONE_ROW = 1  # a capacity that puts each row into a pass of its own


@dataclass(frozen=True)
class Computation:
    """How losses and gradients of a model are computed.

    Attributes:
        model: peft's wrapper around the base model.
        weights: the adapter's weights.
        device: of the model.
        capacity: the most tokens of a pass.
        packed: whether the model runs inside `packed_attention`.
        half: the 16-bit type to compute in, while the adapter's weights keep 32 bits; or None.
        ranks: the processes that share the passes.
        seed: of dropout.
    """

    model: Any
    weights: "Sequence[torch.nn.Parameter]"
    device: str
    capacity: int
    packed: bool
    half: "torch.dtype | None"
    ranks: Ranks
    seed: int

    def passes(self, rows: Sequence[Example]) -> list[Pass]:
        """This rank's passes over the rows."""
        share = shares([row.length for row in rows], self.ranks.count)[self.ranks.rank]
        own = [rows[at] for at in share]
        packs = best_fit([row.length for row in own], self.capacity)
        return [Pass.of([own[at] for at in pack], self.device) for pack in packs]

    def add_gradients(self, update: int, rows: Sequence[Example]) -> tuple[float, int]:
        """Compute the gradient of the mean loss of all response tokens of the rows.

        The gradients in `weights` must be None or 0 before. The sum of losses is derived, and the
        gradient is divided at the end by the number of tokens: so it is the same for all ways to
        split the rows, and 16-bit gradients of single tokens do not vanish.

        Returns:
            The mean loss (nats), and the number of tokens that all ranks computed.
        """
        import torch

        loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        predicted, computed = 0, 0
        for number, one in enumerate(self.passes(rows)):
            # Dropout depends on the pass alone: not on the passes before it, nor on a crash.
            torch.manual_seed(_pass_seed(self.seed, update, self.ranks.rank, number))
            loss = self._losses(one).sum()
            loss.backward()
            loss_sum += loss.detach()
            predicted += one.targets.shape[0]
            computed += one.tokens
        if self.ranks.count > 1:
            for weight in self.weights:
                if weight.grad is None:
                    weight.grad = torch.zeros_like(weight)
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        self.ranks.sum(gradients)
        total, predicted, computed = self._over_ranks(loss_sum, predicted, computed)
        torch._foreach_div_(gradients, predicted)
        return total / predicted, computed

    def mean_loss(self, passes: Sequence[Pass]) -> float:
        """The mean loss (nats) of all response tokens of all ranks' passes, without dropout."""
        import torch

        loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self.model.eval()
        try:
            with torch.no_grad():
                for one in passes:
                    loss_sum += self._losses(one).sum()
        finally:
            self.model.train()
        own = sum(one.targets.shape[0] for one in passes)
        total, predicted, _ = self._over_ranks(loss_sum, own, 0)
        return total / predicted

    def loss_of(self, row: Example) -> float:
        """The sum of the losses of a row's response tokens, without dropout, on this rank alone."""
        import torch

        self.model.eval()
        try:
            with torch.no_grad():
                return float(self._losses(Pass.of([row], self.device)).sum())
        finally:
            self.model.train()

    def _over_ranks(
        self, loss: "torch.Tensor", predicted: int, computed: int
    ) -> tuple[float, int, int]:
        """The sums over all ranks of a loss, and of numbers of tokens."""
        import torch

        sums = torch.stack([loss, *loss.new_tensor([predicted, computed])])
        self.ranks.sum([sums])
        total, all_predicted, all_computed = sums.tolist()
        return total, int(all_predicted), int(all_computed)

    def _losses(self, one: Pass) -> "torch.Tensor":
        import torch

        kind = self.device.split(":")[0]
        with torch.autocast(kind, dtype=self.half, enabled=self.half is not None):
            return token_losses(self.model, one, packed=self.packed)


def _pass_seed(seed: int, update: int, rank: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}:{update}:{rank}:{number}".encode()).digest()
    return int.from_bytes(digest[:7], "big")
