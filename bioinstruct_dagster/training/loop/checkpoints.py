"""Checkpoints: the state of a training run on disk, from which it goes on after a crash.

A checkpoint is a folder with JSON and safetensors. It appears by a rename, when it is whole and on
the disk. Random numbers need no place in it: training.loop.gradients draws them anew in each pass.

Belongs here: writing, finding and removing checkpoints. Does not: when one is written
(training.loop.training_run).
"""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.new_folders import new_folder
from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster.training.loop.disk_space import stating_full_disk

if TYPE_CHECKING:
    import torch

STATE_FILE = "state.json"
TENSORS_FILE = "state.safetensors"
CHECKPOINTS = "checkpoints"  # the folder in the working folder of an adapter
_PREFIX = "update-"


@dataclass
class TrainingState:
    """How far a run has come.

    Attributes:
        tokens_per_pass: the most tokens of a pass. The sums of a gradient are rounded by passes.
        update: the number of updates that are done.
        losses: the loss of each of them, in nats per response token.
        validation_losses: (update, loss) of each validation.
        best_update: the update with the lowest validation loss; None before a validation.
        worse: the number of validations since then.
        ended_early: whether early stopping has ended the run.
        tokens: the tokens of all rows of all updates.
        padding_tokens: other tokens that were computed.
        seconds: of training, over all processes that worked on this run.
    """

    tokens_per_pass: int
    update: int = 0
    losses: list[float] = field(default_factory=list)
    validation_losses: list[tuple[int, float]] = field(default_factory=list)
    best_update: int | None = None
    worse: int = 0
    ended_early: bool = False
    tokens: int = 0
    padding_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run in a folder of their own.

    Attributes:
        folder: the folder. Nothing else may be kept in it.
        key: the hash of all that determines the run. A checkpoint of another key is not used.
        log: receives a sentence about each checkpoint that is not used.
    """

    folder: Path
    key: str
    log: Callable[[str], None]

    def write(self, state: TrainingState, tensors: "dict[str, torch.Tensor]") -> None:
        """Write a checkpoint, then remove the older ones.

        Raises:
            DiskFullError: there is no room for it. The last one is still there.
        """
        needed = sum(tensor.nbytes for tensor in tensors.values())
        with stating_full_disk("The checkpoint of this training", self.folder, needed):
            self._write(state, tensors)

    def _write(self, state: TrainingState, tensors: "dict[str, torch.Tensor]") -> None:
        from safetensors.torch import save_file

        target = self.folder / f"{_PREFIX}{state.update:08d}"
        with new_folder(target) as fresh:
            # safetensors refuses tensors that share memory and keeps none that is not contiguous.
            save_file(
                {n: t.detach().contiguous() for n, t in tensors.items()}, fresh / TENSORS_FILE
            )
            content = {
                "key": self.key,
                "tensors_sha256": sha256_of_file(fresh / TENSORS_FILE),
                "state": asdict(state),
            }
            (fresh / STATE_FILE).write_text(json.dumps(content), "utf-8")
            for path in (fresh / TENSORS_FILE, fresh / STATE_FILE, fresh):
                _to_disk(path)
        _to_disk(self.folder)
        for path in (*self.folder.glob(f"{_PREFIX}*"), *self.folder.glob(".*")):
            if path != target:
                shutil.rmtree(path, ignore_errors=True)

    def newest(self) -> Path | None:
        """The newest checkpoint of this run; None if there is none that can be used."""
        if not self.folder.is_dir():
            return None
        for path in sorted(self.folder.glob(f"{_PREFIX}*"), reverse=True):
            fault = self._fault(path)
            if fault is None:
                return path
            self.log(f"The checkpoint {path} is not used: {fault}.")
        return None

    @staticmethod
    def read(path: Path) -> "tuple[TrainingState, dict[str, torch.Tensor]]":
        """The state and the tensors, on the CPU, of a checkpoint that `newest` found."""
        from safetensors.torch import load_file

        values = json.loads((path / STATE_FILE).read_text("utf-8"))["state"]
        values["validation_losses"] = [(at, loss) for at, loss in values["validation_losses"]]
        return TrainingState(**values), load_file(path / TENSORS_FILE)

    def _fault(self, path: Path) -> str | None:
        try:
            content: Any = json.loads((path / STATE_FILE).read_text("utf-8"))
            if content["key"] != self.key:
                return "it belongs to another run, data set, recipe, machine or number of threads"
            if content["tensors_sha256"] != sha256_of_file(path / TENSORS_FILE):
                return f"{TENSORS_FILE} is not the file that was written"
        except OSError as error:
            return f"it lacks a file ({error.strerror}: {error.filename})"
        except (ValueError, KeyError, TypeError):
            return f"{STATE_FILE} is not a checkpoint's"
        return None


def newest_update(folder: Path) -> int | None:
    """The number of updates behind the newest checkpoint in a folder; None if it holds none."""
    names = (path.name.removeprefix(_PREFIX) for path in folder.glob(f"{_PREFIX}*"))
    return max((int(name) for name in names if name.isdecimal()), default=None)


def remove_checkpoints(folder: Path) -> None:
    """Remove a run's checkpoints, once its adapter is whole. A missing folder is no error."""
    shutil.rmtree(folder, ignore_errors=True)


def _to_disk(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
