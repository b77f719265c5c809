"""The folder of an adapter: the names of its files, and whether they are complete and unchanged.

Belongs here: the files that training writes and evaluation reads, without loading the weights. Does
not: training (training.train), the specification of an adapter (training.spec), or the proof that
an adapter acts (models.adapter_proof).
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

WEIGHTS_FILE = "adapter_model.safetensors"
CONFIG_FILE = "adapter_config.json"
RESULT_FILE = "result.json"  # training.train writes it; peft writes the other two
# From adapters/<experiment>/<hash> to the folder of models beside `adapters`.
_MODELS_FROM_ADAPTER = "../../../models/"
_SEAL = "result_sha256"  # in the proof of a result


class AdapterPlaceError(StatedError):
    """An adapter is not in the data folder. The message says where it is and what to do."""


@dataclass(frozen=True)
class AdapterFolder:
    """A folder of an adapter, and the result in it if the adapter is intact.

    Attributes:
        experiment: the name of the folder above: base model and recipe, joined by two underscores.
        path: the folder.
        result: the values of its result file; None if the adapter is not intact.
    """

    experiment: str
    path: Path
    result: Mapping[str, Any] | None

    @property
    def of_other(self) -> str | None:
        """The experiment that the adapter was trained for, if the folder is not that one's.

        Somebody has moved or copied the folder, so its place lies.
        """
        trained_for = (self.result or {}).get("experiment")
        if not isinstance(trained_for, str) or folder_name(trained_for) == self.experiment:
            return None
        return trained_for


def experiment_folder(adapters_dir: Path, experiment: str) -> Path:
    """The folder of all adapters of an experiment, whose name is `base_model|recipe`."""
    return adapters_dir / folder_name(experiment)


def folder_name(experiment: str) -> str:
    """The name of the folder of all adapters of an experiment."""
    return experiment.replace("|", "__")


def stored_path(folder: Path, data_dir: Path) -> str:
    """An adapter's folder as the store names it: relative to the data folder, which may move.

    Raises:
        AdapterPlaceError: it is outside the data folder.
    """
    for one, whole in ((folder.absolute(), data_dir.absolute()), (folder.resolve(), data_dir)):
        if one.is_relative_to(whole):
            return one.relative_to(whole).as_posix()
    raise _outside(str(folder), data_dir)


def stored_folder(path: str, data_dir: Path) -> Path:
    """The folder that the store names, inside the data folder as it is now.

    A store of an earlier version names it absolutely. If the data folder has been copied or moved
    since, its own copy is meant, and not the one at the old place.

    Raises:
        AdapterPlaceError: the path leads out of the data folder.
    """
    folder = Path(os.path.normpath(data_dir.absolute() / path))  # links may lead to another disk
    if not folder.is_relative_to(data_dir.absolute()) and Path(path).is_absolute():
        folder = data_dir.absolute().joinpath("adapters", *folder.parts[-2:])
        if not folder.is_dir():
            raise _outside(path, data_dir)
    if not folder.is_relative_to(data_dir.absolute()):
        raise _outside(path, data_dir)
    return folder


def portable_base(path: str, models_dir: Path) -> str:
    """A base model as the files of an adapter name it: by no absolute path of this machine.

    An adapter is handed on, and a path would tell its readers of the machine. A relative path with
    dots is no hub id, so no library loads a stranger's model in its place.

    Args:
        path: the hub id or the folder of the base model.
        models_dir: the folder of models in the data folder.

    Returns:
        The hub id; for a folder in the data folder, its path from the adapter's own folder; for a
        folder elsewhere, its name behind `./`. The experiment file says where that one is.
    """
    folder = Path(path)
    if not folder.is_absolute():
        return path
    for one, whole in ((folder, models_dir), (folder.resolve(), models_dir.resolve())):
        if one.is_relative_to(whole):
            return f"{_MODELS_FROM_ADAPTER}{one.relative_to(whole).as_posix()}"
    return f"./{folder.name}"


def base_in_models(name: str) -> str | None:
    """The base model's path inside the folder of models, by the name that `portable_base` gave.

    It is None if the base model is not in that folder.
    """
    if not name.startswith(_MODELS_FROM_ADAPTER):
        return None
    return name.removeprefix(_MODELS_FROM_ADAPTER)


def _outside(path: str, data_dir: Path) -> AdapterPlaceError:
    return AdapterPlaceError(
        f"The store names the adapter {path}, which is not in the data folder {data_dir}. Only "
        "adapters inside it are used. Materialize key:lora_adapter for this partition again."
    )


def adapters_in(adapters_dir: Path) -> Iterator[AdapterFolder]:
    """All folders of adapters, by experiment and then from the newest to the oldest."""
    if not adapters_dir.is_dir():
        return
    for experiment in sorted(adapters_dir.iterdir()):
        if experiment.is_dir() and not experiment.name.startswith("."):
            yield from adapters_of(experiment)


def adapters_of(experiment: Path) -> list[AdapterFolder]:
    """The folders of adapters in an experiment's folder, from the newest to the oldest."""
    if not experiment.is_dir():
        return []
    found = [
        AdapterFolder(experiment.name, path, intact_result(path))
        for path in sorted(experiment.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    ]
    return sorted(found, key=_trained_at, reverse=True)


def _trained_at(folder: AdapterFolder) -> str:
    return str((folder.result or {}).get("trained_at", ""))


def missing_file(folder: Path) -> str | None:
    """The first file that peft needs and the folder lacks; None if peft can open the adapter."""
    return next(
        (name for name in (CONFIG_FILE, WEIGHTS_FILE) if not (folder / name).is_file()), None
    )


def weights_changed(folder: Path, sha256: str) -> bool:
    """Whether the sha256 of the weights in the folder differs from this one."""
    return sha256_of_file(folder / WEIGHTS_FILE) != sha256


def intact_result(folder: Path) -> dict[str, Any] | None:
    """The result beside an adapter's weights; None if a file is missing, broken or changed.

    `adapter_path` in the result is set to the folder, because the data folder may have been moved
    since training.
    """
    if not (folder / RESULT_FILE).is_file() or not (folder / WEIGHTS_FILE).is_file():
        return None
    try:
        result = json.loads((folder / RESULT_FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):  # the disk was full, or somebody edited it
        return None
    if not isinstance(result, dict) or not isinstance(result.get("adapter_sha256"), str):
        return None
    if weights_changed(folder, result["adapter_sha256"]) or seal_is_broken(result):
        return None
    return result | {"adapter_path": str(folder)}


def sealed(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result whose proof holds the hash of all its other values, so that an edit is noticed."""
    proof = {name: value for name, value in result["proof"].items() if name != _SEAL}
    return {**result, "proof": proof | {_SEAL: _hash(result, proof)}}


def seal_is_broken(result: Mapping[str, Any]) -> bool:
    """Whether a result that `sealed` made has other values now. A result without seal is none."""
    proof = result.get("proof")
    if not isinstance(proof, dict) or _SEAL not in proof:
        return bool(proof)
    rest = {name: value for name, value in proof.items() if name != _SEAL}
    return bool(proof[_SEAL] != _hash(result, rest))


def _hash(result: Mapping[str, Any], proof: Mapping[str, Any]) -> str:
    """The hash of all values but the paths, which change if a folder moves or travels."""
    return sha256_of({**result, "proof": proof, "adapter_path": "", "base_path": ""})
