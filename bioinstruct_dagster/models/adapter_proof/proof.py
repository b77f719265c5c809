"""The proof that an adapter acts on its base model: made after training and before each use.

Belongs here: the order of the checks, and what is stored of them. Does not: a single check (the
other modules of this folder).
"""

import math
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.adapter_proof.canaries import CanaryLogits, measure
from bioinstruct_dagster.models.adapter_proof.config_file import read_config, refuse_other_config
from bioinstruct_dagster.models.adapter_proof.expected import ExpectedAdapter
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.adapter_proof.result_file import (
    read_result,
    refuse_other_result,
    stored_expectation,
)
from bioinstruct_dagster.models.adapter_proof.weights import (
    least_b_norm,
    read_tensors,
    refuse_other_weights,
)
from bioinstruct_dagster.models.adapter_proof.weights_file import (
    read_header,
    refuse_foreign_files,
    refuse_other_tensors,
)
from bioinstruct_dagster.models.adapters import CONFIG_FILE, WEIGHTS_FILE
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.linear_layers import LinearSize
from bioinstruct_dagster.store.fingerprints import sha256_of_file


@dataclass(frozen=True)
class Proof:
    """What was found of an adapter that passed all checks.

    Attributes:
        expected: the values of the recipe by which it was checked.
        modules: the names of the adapted layers.
        scaling: the factor of B times A.
        least_b_norm: the least Frobenius norm of a matrix B.
        adapter_sha256: of the weights file.
        base_fingerprint: of the base model.
        base_logits: what is kept of the base model's logits on the canary prompts.
        changes: the greatest change of a logit of each canary prompt.
        noise: the change that rounding alone can make.
    """

    expected: ExpectedAdapter
    modules: tuple[str, ...]
    scaling: float
    least_b_norm: float
    adapter_sha256: str
    base_fingerprint: str
    base_logits: CanaryLogits
    changes: tuple[float, ...]
    noise: float

    @property
    def change(self) -> float:
        """The greatest change of a logit on all canary prompts."""
        return max(self.changes)

    def to_json(self) -> dict[str, Any]:
        """The proof as JSON values, for the result file and the table `lora_adapter`."""
        return asdict(self) | {
            "expected": self.expected.to_json(),
            "modules": list(self.modules),
            "changes": list(self.changes),
            "base_logits": self.base_logits.to_json(),
            "change": self.change,
        }

    def line(self) -> str:
        """The proof in one sentence, for a log."""
        return (
            f"the adapter acts: {len(self.modules)} of {len(self.modules)} layers adapted, rank "
            f"{self.expected.rank}, scaling {self.scaling:.3g}, every matrix B non-zero; greatest "
            f"change of a logit on {len(self.changes)} canary prompts {self.change:.3g}, noise "
            f"{self.noise:.1g}"
        )


def prove(
    model: Any,
    base: LoadedBaseModel,
    folder: Path,
    *,
    recipe: Recipe | ExpectedAdapter,
    base_before: CanaryLogits | None = None,
) -> Proof:
    """Prove that the adapter in a folder is the model's, is as its recipe says, and acts.

    Args:
        model: the peft model with the adapter, trained or loaded from the folder.
        base: its base model.
        folder: weights and config, as peft saved them. No result file is needed.
        recipe: the values that the adapter was trained with.
        base_before: `read_canaries` of the base model before training. With it, a base model that
            training has changed is refused.

    Raises:
        AdapterFaultError: names the first fault.
    """
    expected = recipe if isinstance(recipe, ExpectedAdapter) else ExpectedAdapter.of(recipe)
    modules, tensors = _check_files(folder, expected, model)
    refuse_other_weights(model, folder, tensors, modules, expected)
    change = measure(model, base)
    proof = Proof(
        expected=expected,
        modules=tuple(modules),
        scaling=expected.scaling,
        least_b_norm=least_b_norm(tensors),
        adapter_sha256=sha256_of_file(folder / WEIGHTS_FILE),
        base_fingerprint=base.fingerprint,
        base_logits=change.base,
        changes=change.changes,
        noise=change.noise,
    )
    _refuse_silent(proof, folder)
    if base_before:
        _refuse_changed_base(proof, folder, base_before.to_json())
    return proof


def check_folder(folder: Path) -> dict[str, Any]:
    """Check what can be checked without a model, so that a fault is told before one is loaded.

    Returns:
        The values of the folder's result file.

    Raises:
        AdapterFaultError: names the first fault.
    """
    refuse_foreign_files(folder)
    result = read_result(folder)
    read_header(folder / WEIGHTS_FILE)
    read_config(folder / CONFIG_FILE)
    return result


def check_trained(
    folder: Path,
    base_fingerprint: str | None,
    *,
    recipe: Recipe | None = None,
    adapter_sha256: str | None = None,
) -> dict[str, Any]:
    """Check without a model that an adapter has passed its proof after training, and is the same.

    Args:
        folder: a folder that training wrote.
        base_fingerprint: of the base model; None if only loading it would tell.
        recipe: the recipe of the experiment now, if it has to be that of training.
        adapter_sha256: the weights' hash by the store, if there is one.

    Returns:
        The values of the folder's result file.

    Raises:
        AdapterFaultError: names the first fault.
    """
    result = check_folder(folder)
    refuse_other_result(
        folder,
        result,
        read_config(folder / CONFIG_FILE),
        base_fingerprint=base_fingerprint or result["base_fingerprint"],
        recipe=recipe,
        adapter_sha256=adapter_sha256,
    )
    return result


def open_proven(
    base: LoadedBaseModel,
    folder: Path,
    *,
    recipe: Recipe | None = None,
    adapter_sha256: str | None = None,
) -> tuple[Any, Proof]:
    """Open the adapter in a folder on its base model, and prove it as after training.

    All files are checked before peft opens one of them.

    Args:
        base: the base model. peft changes it in place.
        folder: a folder that training wrote.
        recipe: the recipe of the experiment now. None: the adapter is compared with the values that
            its result file holds.
        adapter_sha256: the weights' hash by the store, if there is one.

    Returns:
        The peft model in evaluation mode, and the proof.

    Raises:
        AdapterFaultError: names the first fault.
    """
    import peft

    result = check_folder(folder)
    stored = stored_expectation(folder, result)
    _check_files(folder, stored, base.model)
    refuse_other_result(
        folder,
        result,
        read_config(folder / CONFIG_FILE),
        base_fingerprint=base.fingerprint,
        recipe=recipe,
        adapter_sha256=adapter_sha256,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what peft warns of was checked
        model = peft.PeftModel.from_pretrained(base.model, str(folder)).eval()
    expected = ExpectedAdapter.of(recipe) if recipe else stored
    proof = prove(model, base, folder, recipe=expected)
    before = result["proof"].get("base_logits")
    _refuse_changed_base(proof, folder, before if isinstance(before, dict) else {})
    return model, proof


def _check_files(
    folder: Path, expected: ExpectedAdapter, model: Any
) -> tuple[dict[str, LinearSize], dict[str, Any]]:
    """The layers that the adapter adapts and its tensors, after a check of config and weights."""
    refuse_foreign_files(folder)
    weights = folder / WEIGHTS_FILE
    header = read_header(weights)
    config = read_config(folder / CONFIG_FILE)
    modules = expected.modules(model)
    refuse_other_config(folder / CONFIG_FILE, config, expected, model)
    refuse_other_tensors(weights, header, expected.tensors(modules))
    return modules, read_tensors(weights)


def _refuse_silent(proof: Proof, folder: Path) -> None:
    if not all(map(math.isfinite, (*proof.changes, proof.noise))):
        raise AdapterFaultError(
            "infinite logits",
            folder,
            "with the adapter or without it, the model computes logits that are infinite or no "
            "number.",
            "Check the base model, or lower the recipe's learning rate.",
        )
    if proof.change <= proof.noise:
        raise AdapterFaultError(
            "no effect",
            folder,
            f"on {len(proof.changes)} canary prompts it changes no logit by more than "
            f"{proof.change:.2g}, and rounding alone changes them by up to {proof.noise:.2g}.",
            "Raise the recipe's learning rate or epochs, then materialize key:lora_adapter again. "
            "In 16 bits rounding is coarse: the base model's `dtype: float32` shows less.",
        )


def _refuse_changed_base(proof: Proof, folder: Path, before: dict[str, Any]) -> None:
    difference = proof.base_logits.differs_from(before)
    if difference is not None:
        raise AdapterFaultError(
            "changed base",
            folder,
            "the base model has the fingerprint of training, but its logits on the canary prompts "
            f"differ by {difference:.2g} from those of training: its weights were changed.",
            "Load or download the base model again. For the embedded one, delete its folder under "
            "the data folder's `models`.",
        )
