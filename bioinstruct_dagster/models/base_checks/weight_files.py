"""Checks the weight files of a model's folder by their names, sizes and headers.

The header of a safetensors file names each weight with its type, shape and place, so half a
checkpoint is found without reading the weights. Belongs here: files. Does not: whether the weights
are those of the architecture (models.base_checks.weights).
"""

import json
import re
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.base_checks.findings import Findings, some

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
_LENGTH = 8  # bytes of the header's length, little-endian; safetensors' format
_LONGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors library
_LFS_POINTER = b"version https://git-lfs"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")


def check_weight_files(folder: Path, findings: Findings) -> bool:
    """Whether the weight files are complete. Adds what is missing or cut off to the findings."""
    before = len(findings.faults)
    if (folder / WEIGHTS).exists():
        _header(folder / WEIGHTS, findings)
    elif (folder / INDEX).exists():
        _check_shards(folder, findings)
    else:
        _no_weights(sorted(path.name for path in folder.iterdir()), findings)
    return len(findings.faults) == before


def weight_names(folder: Path) -> list[str]:
    """The names of the weight files that are loaded: `model.safetensors`, or those of the index."""
    if (folder / WEIGHTS).exists():
        return [WEIGHTS]
    return sorted(set(json.loads((folder / INDEX).read_text("utf-8"))["weight_map"].values()))


def check_listing(names: list[str], findings: Findings) -> None:
    """Check the names of the files of a hub model, before they are downloaded."""
    if WEIGHTS not in names and INDEX not in names:
        _no_weights(sorted(names), findings)


def _no_weights(names: list[str], findings: Findings) -> None:
    shards = [name for name in names if re.fullmatch(r"model-\d+-of-\d+\.safetensors", name)]
    others = [name for name in names if name.endswith(".safetensors")]
    if shards:
        findings.fault(
            f"The index {INDEX} is missing, and the folder holds only parts of the weights "
            f"({some(shards)}). Copy the index and all parts."
        )
    elif "adapter_model.safetensors" in others and len(others) == 1:
        return  # an adapter folder, which models.base_checks.configuration reports
    elif others:
        findings.fault(
            f"The weights are not named {WEIGHTS} ({some(others)}), so transformers does not find "
            "them. Rename the file if it holds the weights in transformers' format."
        )
    elif any(name.endswith(".gguf") for name in names):
        findings.fault(
            "It holds no .safetensors weights, only GGUF files, which are quantised for llama.cpp "
            "and can't be trained. Name the model that the GGUF file was made from."
        )
    elif any(name.endswith(_PICKLES) for name in names):
        pickles = [name for name in names if name.endswith(_PICKLES)]
        findings.fault(
            f"It holds no .safetensors weights, only {some(pickles)}. Such files can run code when "
            "they are opened, so they are not loaded. Convert them on a machine that you trust: "
            "`model.save_pretrained(folder, safe_serialization=True)`."
        )
    else:
        findings.fault("It holds no .safetensors weights. Copy or download all files of the model.")


def _check_shards(folder: Path, findings: Findings) -> None:
    try:
        places = json.loads((folder / INDEX).read_text("utf-8"))["weight_map"]
        shards: dict[str, set[str]] = {}
        for weight, shard in places.items():
            shards.setdefault(str(shard), set()).add(weight)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        findings.fault(
            f"The index {INDEX} can't be read ({type(error).__name__}: {error}). Copy it again."
        )
        return
    absent = {shard for shard in shards if not (folder / shard).exists()}
    if absent:
        lost = sum(len(shards[shard]) for shard in absent)
        findings.fault(
            f"{len(absent)} of {len(shards)} parts of the weights are missing ({some(absent)}), "
            f"and with them {lost} of {len(places)} weights. Copy or download the missing files."
        )
    for shard in sorted(shards.keys() - absent):
        header = _header(folder / shard, findings)
        lacking = shards[shard] - set(header) if header is not None else set()
        if lacking:
            findings.fault(
                f"{shard} lacks weights that {INDEX} places in it: {some(lacking)}. The files are "
                "of different versions of the model. Copy all of them again."
            )


def _header(path: Path, findings: Findings) -> dict[str, Any] | None:
    """The entries of a safetensors file by name; None, with a fault, if the file is not whole."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_LENGTH)
            length = int.from_bytes(head, "little")
            if (head + file.read(len(_LFS_POINTER))).startswith(_LFS_POINTER):
                findings.fault(
                    f"{path.name} is a Git LFS pointer, not the weights. Run `git lfs pull` in the "
                    "folder."
                )
                return None
            if len(head) < _LENGTH or length > _LONGEST_HEADER or _LENGTH + length > size:
                findings.fault(
                    f"{path.name} is no whole safetensors file: its header is cut off or damaged "
                    f"({size:,} bytes). Copy or download it again."
                )
                return None
            file.seek(_LENGTH)
            entries: dict[str, Any] = json.loads(file.read(length))
        entries.pop("__metadata__", None)
        end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        findings.fault(
            f"{path.name} can't be read ({type(error).__name__}: {error}). Check its permissions, "
            "or copy it again."
        )
        return None
    if size != _LENGTH + length + end:
        findings.fault(
            f"{path.name} is cut off or damaged: its header describes "
            f"{_LENGTH + length + end:,} bytes, and the file has {size:,}. Copy it again."
        )
        return None
    return entries
