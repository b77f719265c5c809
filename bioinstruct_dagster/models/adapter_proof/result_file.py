"""The result file of an adapter: that it is whole, unchanged, and belongs to weights and base.

Belongs here: each statement of `result.json` that can be compared. Does not: writing the file
(training.train), or finding the intact adapters of a folder (models.adapters).
"""

import json
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.adapter_proof.expected import ExpectedAdapter
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.adapter_proof.weights_file import refuse_irregular
from bioinstruct_dagster.models.adapters import (
    CONFIG_FILE,
    RESULT_FILE,
    WEIGHTS_FILE,
    seal_is_broken,
)
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

_TEXTS = ("adapter_sha256", "base_fingerprint", "base_path", "recipe_sha256")


def read_result(folder: Path) -> dict[str, Any]:
    """The values of `result.json`, after a check that it was not edited since training.

    Raises:
        AdapterFaultError: the file is missing, no JSON object, edited, or without a proof.
    """
    path = folder / RESULT_FILE
    refuse_irregular(path)
    try:
        result = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterFaultError(
            "result is no JSON", path, f"it can't be read ({type(error).__name__})."
        ) from None
    if not isinstance(result, dict) or not all(
        isinstance(result.get(name), str) for name in _TEXTS
    ):
        raise AdapterFaultError("result is no JSON", path, f"it does not hold {', '.join(_TEXTS)}.")
    if not isinstance(result.get("proof"), dict) or not result["proof"]:
        raise AdapterFaultError(
            "no proof", path, "the adapter was trained by a version that did not prove adapters."
        )
    if seal_is_broken(result):
        raise AdapterFaultError(
            "edited result", path, "its values are not those that training wrote."
        )
    return result


def stored_expectation(folder: Path, result: dict[str, Any]) -> ExpectedAdapter:
    """The recipe's values by which the adapter was proven after training.

    Raises:
        AdapterFaultError: the result does not hold them.
    """
    try:
        return ExpectedAdapter.from_json(result["proof"]["expected"])
    except (KeyError, TypeError, ValueError):
        raise AdapterFaultError(
            "no proof", folder / RESULT_FILE, "its proof does not name the recipe's values."
        ) from None


def refuse_other_result(
    folder: Path,
    result: dict[str, Any],
    config: dict[str, Any],
    *,
    base_fingerprint: str,
    recipe: Recipe | None,
    adapter_sha256: str | None,
) -> None:
    """Check that result, weights, config and base model belong together.

    Args:
        folder: the adapter's folder.
        result: the values of its result file.
        config: the values of its config file.
        base_fingerprint: of the base model in memory.
        recipe: the recipe of the experiment; None if it is not known any more.
        adapter_sha256: the weights' hash by the store; None for an adapter of no store.

    Raises:
        AdapterFaultError: names the two that do not belong together.
    """
    weights = folder / WEIGHTS_FILE
    if base_fingerprint != result["base_fingerprint"]:
        raise AdapterFaultError(
            "wrong base",
            folder,
            f"it was trained on the base model {_short(result['base_fingerprint'])}, but this one "
            f"is {_short(base_fingerprint)}.",
            "Name the base model of training in the experiment file (BIOINSTRUCT_EXPERIMENTS), or "
            "materialize "
            "key:lora_adapter for this partition again.",
        )
    named = config.get("base_model_name_or_path")
    if named != result["base_path"]:
        raise AdapterFaultError(
            "other base path",
            folder / CONFIG_FILE,
            f"base_model_name_or_path is {str(named)[:120]!r}, but training wrote "
            f"{result['base_path'][:120]!r}.",
        )
    found = sha256_of_file(weights)
    for place, stated in ((RESULT_FILE, result["adapter_sha256"]), ("the store", adapter_sha256)):
        if stated is not None and stated != found:
            raise AdapterFaultError(
                "changed weights",
                weights,
                f"its sha256 is {found[:12]}…, but {place} says {stated[:12]}….",
            )
    if recipe and sha256_of(recipe.model_dump(mode="json")) != result["recipe_sha256"]:
        raise AdapterFaultError(
            "other recipe",
            folder,
            "the recipe has other values in the experiment file (BIOINSTRUCT_EXPERIMENTS) now "
            "than when the adapter was "
            "trained.",
            "Materialize key:lora_adapter for this partition again, or put the values back.",
        )


def _short(fingerprint: str) -> str:
    """A fingerprint in a message: the beginning of a hash, or a hub id with its revision."""
    return fingerprint if "@" in fingerprint else f"{fingerprint[:12]}…"
