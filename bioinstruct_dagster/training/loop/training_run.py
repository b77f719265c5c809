"""One training run: updates, validations, early stopping and checkpoints until it is done.

Belongs here: changing the weights of an adapter. Does not: the gradient (training.loop.gradients),
the rows and the folder of an adapter (training.train), or what a user reads (training.progress).
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.attention.passes import Pass, response_tokens
from bioinstruct_dagster.models.attention.self_test import packing_fault
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.checkpoints import Checkpoints, TrainingState
from bioinstruct_dagster.training.loop.gradients import ONE_ROW, Computation
from bioinstruct_dagster.training.loop.ranks import Ranks
from bioinstruct_dagster.training.loop.ready_model import half_of, ready_to_train
from bioinstruct_dagster.training.loop.run_key import run_key
from bioinstruct_dagster.training.loop.schedule import adapter_optimizer, rate_factor, set_rate
from bioinstruct_dagster.training.loop.updates import UpdatePlan

if TYPE_CHECKING:
    import torch

CHECKPOINT_SECONDS = 300.0  # between two checkpoints; one more is written when an epoch ends
_NAMED_ROWS = 5  # the most rows that an error names
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # what AdamW keeps of each weight


class Execution(Protocol):
    """How updates are computed on this machine. It has no effect on what an update learns."""

    @property
    def tokens_per_pass(self) -> int:
        """The most tokens of a pass, unless a single row has more."""

    @property
    def activation_checkpointing(self) -> bool:
        """Whether activations are computed twice to save memory."""


class UpdateObserver(Protocol):
    """Is told of each update and validation as they happen."""

    def update(
        self,
        update: int,
        updates: int,
        loss: float,
        *,
        learning_rate: float,
        tokens: int,
        padding: int,
    ) -> None:
        """An update is done. Tokens and padding are those of this update."""

    def validation(self, update: int, loss: float) -> None:
        """A validation after this update is done."""


class TrainingDivergedError(StatedError):
    """The loss or the gradient is not a number. The message names update, rows and remedy."""


@dataclass(frozen=True)
class Optimized:
    """What is known of a training run. The model holds the kept weights.

    Attributes:
        losses: the loss of each update, in nats per response token of its rows.
        validation_losses: (update, loss) of each validation.
        updates: the number of updates that were done.
        kept_update: the update whose weights are kept: with a patience, the one with the lowest
            validation loss, else the last one.
        ended_early: whether early stopping has ended the run.
        tokens: the tokens of all rows of all updates.
        padding_tokens: other tokens that were computed.
        seconds: of training, over all processes that worked on this run.
        resumed_from: the update of the checkpoint that this process went on from, or None.
        packed: whether a pass may hold several rows.
    """

    losses: list[float]
    validation_losses: list[tuple[int, float]]
    updates: int
    kept_update: int
    ended_early: bool
    tokens: int
    padding_tokens: int
    seconds: float
    resumed_from: int | None
    packed: bool


def optimize(
    model: Any,
    base: LoadedBaseModel,
    train: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    *,
    seed: int,
    plan: Execution,
    checkpoints: Path | None,
    progress: UpdateObserver,
    log: Callable[[str], None] = lambda _: None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ranks: Ranks | None = None,
) -> Optimized:
    """Train the adapter in place.

    The caller seeds the adapter's first weights. It also removes the checkpoints, by
    `remove_checkpoints` of training.loop.checkpoints, once the adapter is saved.

    Args:
        model: peft's wrapper around the base model, with one adapter.
        base: the base model.
        train: the rows to learn from.
        validation: the rows of the validation loss; may be empty.
        recipe: the values with which the adapter is trained.
        seed: of the order of rows and of dropout.
        plan: how updates are computed on this machine.
        checkpoints: a folder for the checkpoints of this run alone; None for none.
        progress: is told of each update and validation.
        log: receives sentences about packing and checkpoints.
        checkpoint_seconds: the time between two checkpoints.
        ranks: the processes that train this adapter together; None for those that are connected.

    Raises:
        TrainingDivergedError: the loss or the gradient is not a number.
        StatedError: no row has a response token.
    """
    ranks = ranks or Ranks.current()
    say = log if ranks.first else _silent
    train = _with_responses(train, say)
    validation = _with_responses(validation, _silent) if validation else []
    fault = ranks.same(packing_fault(model, train, base.device))
    if fault:
        say(f"Rows are trained one by one, because the base model can't be packed: {fault}.")
    weights = {name: one for name, one in model.named_parameters() if one.requires_grad}
    ranks.copy_of_first([weight.data for weight in weights.values()])
    run = _Run(
        computation=Computation(
            model=model,
            weights=list(weights.values()),
            device=base.device,
            capacity=ONE_ROW if fault else plan.tokens_per_pass,
            packed=fault is None,
            half=half_of(model),
            ranks=ranks,
            seed=seed,
        ),
        weights=weights,
        optimizer=adapter_optimizer(model, recipe),
        train=train,
        validation=validation,
        recipe=recipe,
        updates=UpdatePlan.of([row.row_id for row in train], recipe, seed),
        progress=progress,
    )
    resumed_from = None
    if checkpoints is not None:
        # The size of a pass is in the checkpoint itself: the run goes on with it.
        execution = [plan.activation_checkpointing, ranks.count, fault is None]
        key = run_key(weights, base, (train, validation), recipe, seed=seed, execution=execution)
        run.checkpoints = Checkpoints(checkpoints, key, say)
        run.checkpoint_seconds = checkpoint_seconds
        resumed_from = run.resume()
        begins = (
            "Training starts afresh, without a checkpoint."
            if resumed_from is None
            else f"Training goes on from the checkpoint after update {resumed_from}."
        )
        say(
            f"{begins} Checkpoints are written to {checkpoints} every {checkpoint_seconds:g} "
            "seconds and at the end of each epoch."
        )
    with ready_to_train(model, packed=fault is None, recompute=plan.activation_checkpointing):
        run.finish()
    return Optimized(
        losses=run.state.losses,
        validation_losses=run.state.validation_losses,
        updates=run.state.update,
        kept_update=run.keep(),
        ended_early=run.state.ended_early,
        tokens=run.state.tokens,
        padding_tokens=run.state.padding_tokens,
        seconds=run.state.seconds,
        resumed_from=resumed_from,
        packed=fault is None,
    )


def _silent(_: str) -> None:
    """Say nothing."""


def _with_responses(rows: Sequence[Example], log: Callable[[str], None]) -> list[Example]:
    """The rows from which anything can be learned."""
    kept = [row for row in rows if response_tokens(row)]
    if not kept:
        raise StatedError(
            "No row has a response token, so there is nothing to learn. Generate more rows, or "
            "raise max_length in the experiment file (BIOINSTRUCT_EXPERIMENTS)."
        )
    if len(kept) < len(rows):
        log(f"{len(rows) - len(kept)} rows have no response token and are not trained on.")
    return kept


@dataclass
class _Run:
    """A run and how far it has come."""

    computation: Computation
    weights: "dict[str, torch.nn.Parameter]"
    optimizer: "torch.optim.Optimizer"
    train: Sequence[Example]
    validation: Sequence[Example]
    recipe: Recipe
    updates: UpdatePlan
    progress: UpdateObserver
    checkpoints: Checkpoints | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS

    def __post_init__(self) -> None:
        self.state = TrainingState(self.computation.capacity)
        self._best: dict[str, torch.Tensor] = {}
        self._validation_passes: list[Pass] = []

    def resume(self) -> int | None:
        """Go back to the newest checkpoint. Returns its update, or None if there is none."""
        if self.checkpoints is None:
            return None
        ranks = self.computation.ranks
        path = ranks.same(self.checkpoints.newest() if ranks.first else None)
        if path is None:
            return None
        planned = self.computation.capacity
        self.state, tensors = self.checkpoints.read(path)
        if self.state.tokens_per_pass > planned:
            # There is less memory than before.
            self.checkpoints.log(
                f"Passes hold {planned} tokens from now on, and not {self.state.tokens_per_pass}. "
                "The adapter differs by rounding from that of a run without an interruption."
            )
            self.state.tokens_per_pass = planned
        self.computation = replace(self.computation, capacity=self.state.tokens_per_pass)
        ranks.wait()  # before the first rank writes another checkpoint and removes this one
        for name, weight in self.weights.items():
            weight.data.copy_(tensors[f"weight:{name}"])
            if f"best:{name}" in tensors:
                self._best[name] = tensors[f"best:{name}"].to(weight.device)
            if f"step:{name}" in tensors:
                self.optimizer.state[weight] = {
                    part: tensors[f"{part}:{name}"].to(weight.device) for part in _MOMENTS
                }
        return self.state.update

    def finish(self) -> None:
        """Do all updates that are left."""
        written = time.monotonic()
        before = self.state.seconds - written
        while self.state.update < self.updates.updates and not self.state.ended_early:
            self._update(self.state.update + 1)
            if self.validation and self.state.update in self.updates.validations:
                self._validate()
            now = time.monotonic()
            self.state.seconds = before + now
            if self._at_an_end() or now - written >= self.checkpoint_seconds:
                self._write()
                written = time.monotonic()

    def _at_an_end(self) -> bool:
        """Whether an epoch or the run ends here."""
        update = self.state.update
        last = update == self.updates.updates or self.state.ended_early
        return last or self.updates.ends_epoch(update)

    def keep(self) -> int:
        """Put the kept weights into the model. Returns their update."""
        if not self._best or self.state.best_update is None:
            return self.state.update
        for name, weight in self.weights.items():
            weight.data.copy_(self._best[name])
        return self.state.best_update

    def _update(self, update: int) -> None:
        import torch

        rows = [self.train[at] for at in self.updates.rows(update)]
        loss, computed = self.computation.add_gradients(update, rows)
        norm = float(
            torch.nn.utils.clip_grad_norm_(
                self.computation.weights, self.recipe.max_grad_norm, foreach=True
            )
        )
        factor = rate_factor(update, self.updates.updates, self.recipe)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingDivergedError(self._divergence(update, rows, loss, norm))
        set_rate(self.optimizer, factor)
        self.optimizer.step()
        self.optimizer.zero_grad()
        tokens = sum(row.length for row in rows)
        self.state.update = update
        self.state.losses.append(loss)
        self.state.tokens += tokens
        self.state.padding_tokens += computed - tokens
        self.progress.update(
            update,
            self.updates.updates,
            loss,
            learning_rate=self.recipe.learning_rate * factor,
            tokens=tokens,
            padding=computed - tokens,
        )

    def _divergence(self, update: int, rows: Sequence[Example], loss: float, norm: float) -> str:
        """The message of a loss or gradient that is not a number."""
        faulty = [row.row_id for row in rows if not math.isfinite(self.computation.loss_of(row))]
        named = ", ".join(faulty[:_NAMED_ROWS]) or "none of its own"
        more = f" and {len(faulty) - _NAMED_ROWS} more" if len(faulty) > _NAMED_ROWS else ""
        return (
            f"Update {update} of {self.updates.updates}: the loss of its {len(rows)} rows is "
            f"{loss:.4g}, and the norm of its gradient is {norm:.4g}. Rows whose own loss is not a "
            f"number: {named}{more}. {self._remedy()}"
        )

    def _remedy(self) -> str:
        """What in a recipe can make training diverge, with the recipe's values."""
        named = ["learning_rate", "max_grad_norm"]
        named += [
            name for name in ("weight_decay", "lora_plus_ratio") if getattr(self.recipe, name)
        ]
        *others, last = (f"{name} ({getattr(self.recipe, name):g})" for name in named)
        return (
            f"In the experiment file (BIOINSTRUCT_EXPERIMENTS), lower {', '.join(others)} or "
            f"{last}, raise warmup, or set the base model's dtype to float32 if it is float16."
        )

    def _validate(self) -> None:
        self._validation_passes = self._validation_passes or self.computation.passes(
            self.validation
        )
        # Ranks that sum in another order would not all end after the same validation.
        loss = self.computation.ranks.same(self.computation.mean_loss(self._validation_passes))
        update = self.state.update
        if not math.isfinite(loss):
            raise TrainingDivergedError(
                f"The validation loss after update {update} is {loss}. {self._remedy()}"
            )
        lowest = min((one for _, one in self.state.validation_losses), default=math.inf)
        self.state.validation_losses.append((update, loss))
        self.progress.validation(update, loss)
        if loss < lowest:
            self.state.best_update, self.state.worse = update, 0
            if self.recipe.patience is not None:
                self._best = {name: one.detach().clone() for name, one in self.weights.items()}
            return
        self.state.worse += 1
        self.state.ended_early = (
            self.recipe.patience is not None
            and self.state.worse >= self.recipe.patience
            and update < self.updates.updates
        )

    def _write(self) -> None:
        if self.checkpoints is None or not self.computation.ranks.first:
            return
        tensors: dict[str, torch.Tensor] = {}
        for name, weight in self.weights.items():
            tensors[f"weight:{name}"] = weight
            for part, value in self.optimizer.state[weight].items():
                tensors[f"{part}:{name}"] = value
        tensors |= {f"best:{name}": value for name, value in self._best.items()}
        self.checkpoints.write(self.state, tensors)
