"""The hash of everything that determines a training run, bit for bit.

Belongs here: the key of a run's checkpoints. Does not: the key of an adapter (training.spec), which
says nothing of the machine.
"""

import hashlib
from array import array
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.store.fingerprints import sha256_of

if TYPE_CHECKING:
    import torch

LOOP_VERSION = 1  # raise it if the same run would give other weights


def run_key(
    weights: "Mapping[str, torch.Tensor]",
    base: LoadedBaseModel,
    rows: Sequence[Sequence[Example]],
    recipe: Recipe,
    *,
    seed: int,
    execution: Sequence[object],
) -> str:
    """The key of a run.

    Args:
        weights: the adapter's first weights by name.
        base: the base model.
        rows: the rows to learn from, and the rows of the validation loss.
        recipe: the values with which the adapter is trained.
        seed: of the order of rows and of dropout.
        execution: how updates are computed, apart from the size of a pass.
    """
    import torch

    device = torch.cuda.get_device_name() if base.device.startswith("cuda") else base.device
    return sha256_of(
        [
            LOOP_VERSION,
            recipe.model_dump(mode="json"),
            seed,
            base.fingerprint,
            [_hash_of_rows(split) for split in rows],
            _hash_of_weights(weights),
            # Products are summed in another order on another device or number of threads.
            [device, str(base.model.dtype), torch.get_num_threads(), *map(str, execution)],
            [version(package) for package in ("torch", "transformers", "peft")],
        ]
    )


def _hash_of_rows(rows: Sequence[Example]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f"{row.row_id}:{row.length}:{row.prompt_tokens}:".encode())
        digest.update(array("q", row.input_ids).tobytes())
    return digest.hexdigest()


def _hash_of_weights(weights: "Mapping[str, torch.Tensor]") -> str:
    import torch

    digest = hashlib.sha256()
    for name, weight in weights.items():
        digest.update(f"{name}:{weight.dtype}:{tuple(weight.shape)}:".encode())
        digest.update(weight.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
