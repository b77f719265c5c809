"""The folder of an adapter: the names of its files, and whether they are complete and unchanged.

Belongs here: the files that training writes and evaluation reads, without loading the weights. Does
not: training (training.train), or the specification of an adapter (training.spec).
"""

import json
from pathlib import Path
from typing import Any

from bioinstruct_dagster.store.fingerprints import sha256_of_file

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
RESULT_FILE = "result.json"  # training.train writes it; peft writes the other two


def missing_file(folder: Path) -> str | None:
    """The first file that peft needs and the folder lacks; None if peft can open the adapter."""
    return next(
        (name for name in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / name).is_file()), None
    )


def weights_changed(folder: Path, sha256: str) -> bool:
    """Whether the sha256 of the weights in the folder differs from this one."""
    return sha256_of_file(folder / WEIGHTS_FILE) != sha256


def intact_result(folder: Path) -> dict[str, Any] | None:
    """The result beside an adapter's weights; None if a file is missing or the weights changed.

    `adapter_path` in the result is set to the folder, because the data folder may have been moved
    since training.
    """
    if not (folder / RESULT_FILE).is_file() or not (folder / WEIGHTS_FILE).is_file():
        return None
    result: dict[str, Any] = json.loads((folder / RESULT_FILE).read_text("utf-8"))
    if weights_changed(folder, result["adapter_sha256"]):
        return None
    return result | {"adapter_path": str(folder)}
