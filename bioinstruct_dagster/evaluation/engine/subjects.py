"""The subjects of an evaluation: a base model in memory, and all of its adapters at once.

Each adapter is proven by peft, as after training. Its weights are then taken over, so that batches
with several adapters cost no more than those of one (evaluation.engine.mixed_adapters), and a
second comparison shows that they act as they do in peft.

Belongs here: opening and proving adapters, and choosing who computes a batch. Does not: the
products of a layer (evaluation.engine.mixed_adapters), or requests (evaluation.engine.answers).
"""

import traceback
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.engine.mixed_adapters import (
    AdaptedLayers,
    AdapterWeights,
    Blocks,
    LayerWeights,
    blocks_of,
)
from bioinstruct_dagster.evaluation.engine.requests import BASE
from bioinstruct_dagster.models.adapter_proof import AdapterFaultError, Proof, open_proven
from bioinstruct_dagster.models.adapter_proof.canaries import greatest_difference, logits_of
from bioinstruct_dagster.models.adapter_removal import adapter_removed_after
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import Recipe

_OWN = "default"  # peft's name of an adapter that was given none
# The most compositions of a batch whose matrices are kept: that of the rows that generate, and that
# of the rows whose prompts are read.
_KEPT_BLOCKS = 2


@dataclass(frozen=True)
class AdapterSource:
    """Where an adapter is, and what it has to be.

    Attributes:
        folder: a folder that training wrote.
        recipe: the recipe of the experiment now; None: what the folder's result file says.
        adapter_sha256: of the weights, by the store; None: what the folder's result file says.
    """

    folder: Path
    recipe: Recipe | None = None
    adapter_sha256: str | None = None


class Subjects:
    """The base model and its proven adapters. The base model alone is named `base`.

    Attributes:
        base: the base model.
        proofs: of each adapter that is open, by its name.
        sources: the folders of all adapters, by their names.
        failures: the error of each adapter that is not, by its name.
    """

    def __init__(
        self,
        base: LoadedBaseModel,
        adapters: Mapping[str, AdapterSource] | None = None,
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Open and prove each adapter; one that fails is left out, and the others go on.

        Args:
            base: its model is changed until `close`.
            adapters: by the name that the caller gives them.
            log: takes one line.

        Raises:
            ValueError: an adapter is named `base`.
        """
        if BASE in (adapters or {}):
            raise ValueError(f"an adapter can't be named {BASE!r}: that is the base model alone")
        self.base = base
        self.sources = dict(adapters or {})
        self.proofs: dict[str, Proof] = {}
        self.failures: dict[str, Exception] = {}
        weights: dict[str, AdapterWeights] = {}
        for name, source in self.sources.items():
            try:
                weights[name], self.proofs[name] = _opened(base, source)
                log(f"{name}: {self.proofs[name].line()}")
            except StatedError as error:
                self.failures[name] = error
            except Exception as error:  # noqa: BLE001  # the other adapters go on
                log(f"{name}: {''.join(traceback.format_exception(error))}")
                self.failures[name] = error
        self._layers = AdaptedLayers(weights)
        self._blocks: OrderedDict[tuple[str, ...], Blocks] = OrderedDict()
        self._open = ExitStack()
        self._open.enter_context(self._layers.on(base.model))

    @property
    def names(self) -> tuple[str, ...]:
        """The base model, and the adapters that are open."""
        return (BASE, *self.proofs)

    @contextmanager
    def alone(self, subject: str) -> Iterator[Any]:
        """Inside the block, the model computes all rows by one subject.

        Yields:
            The model, of transformers.

        Raises:
            KeyError: the subject is not open.
        """
        with self._chosen(self._known(subject)):
            yield self.base.model

    @contextmanager
    def mixed(self, rows: Sequence[str]) -> Iterator[Any]:
        """Inside the block, the model computes each row of a batch by a subject of its own.

        Rows of one subject that lie together, as many for each subject, are computed fastest.

        Args:
            rows: the subject of each row. Each batch inside the block has as many rows.

        Yields:
            The model, of transformers.

        Raises:
            KeyError: a subject is not open.
        """
        present = set(rows)
        if len(present) == 1:
            with self.alone(present.pop()) as model:
                yield model
            return
        with self._chosen(self._blocks_of(tuple(rows))):
            yield self.base.model

    def close(self) -> None:
        """Take all adapters off, so that the base model is as it was."""
        self._blocks.clear()
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _known(self, subject: str) -> str | None:
        if subject not in self.names:
            raise KeyError(f"{subject!r} is not open; open are {', '.join(self.names)}")
        return None if subject == BASE else subject

    def _blocks_of(self, rows: tuple[str, ...]) -> Blocks:
        if rows not in self._blocks:
            found = blocks_of([self._known(row) for row in rows], self.base.device)
            self._blocks[rows] = found
            while len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(rows)
        return self._blocks[rows]

    @contextmanager
    def _chosen(self, chosen: str | Blocks | None) -> Iterator[None]:
        before, self._layers.chosen = self._layers.chosen, chosen
        try:
            yield
        finally:
            self._layers.chosen = before


def _opened(base: LoadedBaseModel, source: AdapterSource) -> tuple[AdapterWeights, Proof]:
    """The weights of one adapter, which was proven and then taken off again."""
    with adapter_removed_after(base.model):
        model, proof = open_proven(
            base, source.folder, recipe=source.recipe, adapter_sha256=source.adapter_sha256
        )
        weights = {name: _taken(model, name) for name in proof.modules}
        by_peft = logits_of(model, base)
    layers = AdaptedLayers({_OWN: weights})
    layers.chosen = _OWN
    with layers.on(base.model):
        difference = greatest_difference(logits_of(base.model, base), by_peft)
    # The products of other shapes round otherwise in every layer, and not in the embeddings alone,
    # so ten times the proof's noise is allowed. It must stay far below what the adapter changes.
    allowed = max(proof.noise, min(10 * proof.noise, proof.change / 10))
    if not difference <= allowed:
        raise AdapterFaultError(
            "no effect",
            source.folder,
            f"outside of peft its logits on the canary prompts differ by {difference:.2g} from "
            f"those by peft, and rounding alone changes them by up to {allowed:.2g}.",
            "The base model's layers compute in a form that the evaluation does not know. Use a "
            "base model of another architecture.",
        )
    return weights, proof


def _taken(model: Any, name: str) -> LayerWeights:
    """The matrices of one layer of a peft model, in the type in which peft computes."""
    layer = model.get_base_model().get_submodule(name)
    inward = layer.lora_A[_OWN].weight.detach().t()
    outward = layer.lora_B[_OWN].weight.detach().t() * layer.scaling[_OWN]
    return LayerWeights(inward.contiguous(), outward.contiguous())
