"""The weights file of an adapter: that it is safetensors, whole, and holds the expected tensors.

safetensors is a length, a JSON header and the bytes of the tensors
(https://github.com/huggingface/safetensors, "Format"). This module reads the header itself, so that
each fault has a name, and nothing of the file is executed. Belongs here: what the file says without
a model. Does not: the values of the weights (weights).
"""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError, some
from bioinstruct_dagster.models.adapters import CONFIG_FILE, WEIGHTS_FILE

_LONGEST_HEADER = 100_000_000  # bytes; the limit of the safetensors library
_LENGTH = struct.Struct("<Q")
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}  # types of weights, with bytes a value
# A pickle of protocol 2 to 5, and the zip archive of `torch.save`.
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
_FORBIDDEN = {".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib"}


class TensorHeader(NamedTuple):
    """What the file's header says of a tensor."""

    dtype: str
    shape: tuple[int, ...]


def refuse_foreign_files(folder: Path) -> None:
    """Check that the folder is there, holds the two files, no pickle and no code.

    Raises:
        AdapterFaultError: a file is missing, is no regular file, or could run code if opened.
    """
    try:
        is_folder = folder.is_dir()
        names = sorted(folder.rglob("*")) if is_folder else []
    except OSError as error:
        raise AdapterFaultError("unreadable", folder, f"{error.strerror or error}.") from None
    if not is_folder:
        fault = "link without a target" if folder.is_symlink() else "missing folder"
        raise AdapterFaultError(fault, folder, "there is no such folder.")
    for path in names:
        if path.suffix.lower() in _FORBIDDEN:
            raise AdapterFaultError(
                "pickle",
                path,
                "this file may be a pickle, which runs code when it is opened.",
                "Delete it if you know where it is from; only safetensors are read.",
            )
        if path.suffix.lower() in {".py", ".pyc", ".so"}:
            raise AdapterFaultError(
                "remote code",
                path,
                "an adapter holds no code.",
                "Delete the file if you know where it is from; it is never run.",
            )
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        refuse_irregular(folder / name)


def refuse_irregular(path: Path) -> None:
    """Check that a path is a readable file with content.

    Raises:
        AdapterFaultError: it is missing, a broken link or a loop of links, no file, or empty.
    """
    try:
        if path.is_symlink() and not path.exists():
            raise AdapterFaultError(
                "link without a target", path, "the link leads to no file, or back to itself."
            )
        if not path.exists():
            raise AdapterFaultError("missing file", path, "the file is missing.")
        if not path.is_file():
            raise AdapterFaultError("not a file", path, "this is a folder or a device, no file.")
        if path.stat().st_size == 0:
            raise AdapterFaultError("empty file", path, "the file is empty.")
    except OSError as error:
        raise AdapterFaultError("unreadable", path, f"{error.strerror or error}.") from None


def read_header(path: Path) -> dict[str, TensorHeader]:
    """The tensors of a safetensors file by name, after a check that the file holds all of them.

    Raises:
        AdapterFaultError: the file is no safetensors file, or header and content do not fit.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(_LENGTH.size)
        if start.startswith(_PICKLES):
            raise AdapterFaultError(
                "pickle",
                path,
                "this is a pickle under the name of a safetensors file. It was not opened.",
            )
        if len(start) < _LENGTH.size:
            raise AdapterFaultError("truncated file", path, f"it holds only {size} bytes.")
        (length,) = _LENGTH.unpack(start)
        if length > min(_LONGEST_HEADER, size - _LENGTH.size):
            fault = "truncated file" if length <= _LONGEST_HEADER else "not safetensors"
            raise AdapterFaultError(
                fault, path, f"its header should have {length} bytes, but the file has {size}."
            )
        text = file.read(length)
    return _checked(path, _header_object(path, text), size - _LENGTH.size - length)


def _header_object(path: Path, text: bytes) -> dict[str, Any]:
    def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise AdapterFaultError("false header", path, "its header names a tensor twice.")
        return found

    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=without_repetition)
    except (ValueError, RecursionError):
        raise AdapterFaultError(
            "not safetensors", path, "it does not begin with a header of safetensors."
        ) from None
    if not isinstance(header, dict):
        raise AdapterFaultError("not safetensors", path, "its header is no JSON object.")
    header.pop("__metadata__", None)
    return header


def _checked(path: Path, header: Mapping[str, Any], content: int) -> dict[str, TensorHeader]:
    found: dict[str, TensorHeader] = {}
    spans: list[tuple[int, int, str]] = []
    for name, about in header.items():
        match about:
            case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(start), int(end)]}:
                pass
            case _:
                raise AdapterFaultError(
                    "false header", path, f"its header does not describe {name[:120]}."
                )
        if dtype not in _BYTES:
            raise AdapterFaultError(
                "type of weights", path, f"{name[:120]} is {dtype[:20]}, not {', '.join(_BYTES)}."
            )
        if any(type(side) is not int or side < 0 for side in shape) or end - start != _BYTES[
            dtype
        ] * math.prod(shape):
            raise AdapterFaultError(
                "false header",
                path,
                f"by its header, {name[:120]} has the shape {shape} in {end - start} bytes "
                f"of {dtype}, which do not fit.",
            )
        found[name] = TensorHeader(dtype, tuple(shape))
        spans.append((start, end, name))
    at = 0
    for start, end, name in sorted(spans):
        if start != at:
            raise AdapterFaultError(
                "false header", path, f"by its header, {name[:120]} overlaps or leaves a gap."
            )
        at = end
    if at > content:
        raise AdapterFaultError(
            "truncated file", path, f"its tensors should have {at} bytes, but {content} are there."
        )
    if at < content:
        raise AdapterFaultError(
            "false header", path, f"{content - at} bytes belong to no tensor of its header."
        )
    return found


def refuse_other_tensors(
    path: Path, found: Mapping[str, TensorHeader], needed: Mapping[str, tuple[int, ...]]
) -> None:
    """Check that a file holds exactly the tensors that the model needs, in their shapes.

    peft loads a file with missing or renamed tensors almost without a word: the layers of such
    tensors keep their first weights, and the adapter does not act on them.

    Args:
        path: the file, for messages.
        found: the tensors of the file.
        needed: the shape of each tensor that the model needs, by its name.

    Raises:
        AdapterFaultError: names the tensors that are missing, too many, renamed or misshapen.
    """
    missing = sorted(needed.keys() - found.keys())
    extra = sorted(found.keys() - needed.keys())
    if missing and extra:
        if len(missing) == len(needed) and _layers(extra).isdisjoint(_layers(missing)):
            fault, what = "other architecture", "its layers are not those of this base model"
        else:
            fault, what = "renamed weights", "names of its weights are not those of this base model"
        raise AdapterFaultError(
            fault, path, f"{what}: {some(extra)}. The model needs {some(missing)}."
        )
    if missing:
        raise AdapterFaultError("missing weights", path, f"the model also needs {some(missing)}.")
    if extra:
        raise AdapterFaultError(
            "too many weights", path, f"no layer of the model takes {some(extra)}."
        )
    for name, shape in needed.items():
        if found[name].shape == shape:
            continue
        twin = _twin(name)
        swapped = found[name].shape == needed.get(twin) and found[twin].shape == shape
        turned = found[name].shape == shape[::-1]
        fault = "swapped A and B" if swapped or turned else "shape of weights"
        raise AdapterFaultError(
            fault,
            path,
            f"{name[:120]} has the shape {list(found[name].shape)}; "
            f"by the recipe and this base model, it is {list(shape)}.",
        )


def _layers(names: list[str]) -> set[str]:
    """What follows the numbers of layers in names of weights, without peft's prefix."""
    return {name.split(".lora_")[0].rsplit(".", 1)[-1] for name in names}


def _twin(name: str) -> str:
    """The name of the matrix B that belongs to a matrix A, or the reverse."""
    if ".lora_A." in name:
        return name.replace(".lora_A.", ".lora_B.")
    return name.replace(".lora_B.", ".lora_A.")
