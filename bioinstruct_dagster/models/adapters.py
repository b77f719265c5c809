"""The folder of an adapter: the names of its files, and whether it is whole and unchanged.

Belongs here: what training writes and evaluation reads of an adapter, without loading it. Does not:
training one (training.train), or which specification an adapter belongs to (training.spec).
"""

import json
from pathlib import Path
from typing import Any

from bioinstruct_dagster.store.fingerprints import sha256_of_file

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
RESULT = "result.json"  # what training measured; written by us, not by peft


def missing_file(folder: Path) -> str | None:
    """The first file that peft needs and the folder lacks; None where the adapter can be opened."""
    return next((name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()), None)


def weights_changed(folder: Path, sha256: str) -> bool:
    """Whether the weights in the folder differ from those that had this sha256."""
    return sha256_of_file(folder / WEIGHTS) != sha256


def intact_result(folder: Path) -> dict[str, Any] | None:
    """The result that lies beside an adapter's weights; None where either is missing or changed.

    Its `adapter_path` is the folder itself: the data folder may have been moved since training.
    """
    if not (folder / RESULT).is_file() or not (folder / WEIGHTS).is_file():
        return None
    result: dict[str, Any] = json.loads((folder / RESULT).read_text("utf-8"))
    if weights_changed(folder, result["adapter_sha256"]):
        return None
    return result | {"adapter_path": str(folder)}
