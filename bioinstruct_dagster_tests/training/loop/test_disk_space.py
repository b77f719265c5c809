"""A full disk is told in words, whoever notices it; another error stays as it is."""

import errno
import re

import pytest
import safetensors
import safetensors.torch
import torch

from bioinstruct_dagster.training.loop.checkpoints import Checkpoints, TrainingState
from bioinstruct_dagster.training.loop.disk_space import DiskFullError, stating_full_disk

# The words of safetensors 0.6 on a full disk.
SAID = "Error while serializing: I/O error: No space left on device (os error 28)"
FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    safetensors.SafetensorError(SAID),
]


@pytest.mark.parametrize("error", FULL, ids=repr)
def test_the_message_names_folder_bytes_and_remedy(tmp_path, error):
    folder = tmp_path / "not" / "there"
    with (
        pytest.raises(DiskFullError) as raised,
        stating_full_disk("The adapter", folder, 3 * 2**20),
    ):
        raise error
    told = str(raised.value)
    assert told.startswith(f"The adapter can't be written to {folder}: ")
    assert re.search(r"needs 3\.0 MiB, and [\d,.]+ MiB of the disk is free", told)
    assert "BIOINSTRUCT_DATA_DIR" in told


@pytest.mark.parametrize(
    "error",
    [PermissionError(errno.EACCES, "Permission denied"), safetensors.SafetensorError("other")],
    ids=repr,
)
def test_another_error_stays(tmp_path, error):
    with pytest.raises(type(error)), stating_full_disk("It", tmp_path, 1):
        raise error


def test_a_checkpoint_on_a_full_disk_leaves_the_last_one(tmp_path, monkeypatch):
    def half_written(_, path):
        path.write_bytes(b"half")
        raise safetensors.SafetensorError(SAID)

    tensors = {"weight": torch.zeros(2**18)}
    checkpoints = Checkpoints(tmp_path / "run", "key", pytest.fail)
    checkpoints.write(TrainingState(256, update=1), tensors)
    with monkeypatch.context() as patch:
        patch.setattr(safetensors.torch, "save_file", half_written)
        with pytest.raises(DiskFullError, match=r"^The checkpoint.* needs 1\.0 MiB"):
            checkpoints.write(TrainingState(256, update=2), tensors)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [checkpoints.newest().name]
