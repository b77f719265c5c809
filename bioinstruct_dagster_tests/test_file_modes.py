"""Files that safetensors wrote get the mode of other new files."""

import os

import pytest

from bioinstruct_dagster.file_modes import share_as_new_files


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o007, 0o660), (0o077, 0o600)])
def test_weights_get_the_mode_of_new_files(tmp_path, umask, mode):
    import torch
    from safetensors.torch import save_file

    before = os.umask(umask)
    try:
        (tmp_path / "inner").mkdir()
        save_file({"a": torch.ones(1)}, tmp_path / "inner" / "model.safetensors")
        (tmp_path / "config.json").write_text("{}", "utf-8")
        share_as_new_files(tmp_path)
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {mode}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "inner"]


def test_what_a_link_points_to_is_left_alone(tmp_path):
    other = tmp_path / "other"
    other.touch(0o600)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(other)
    share_as_new_files(folder)
    assert other.stat().st_mode & 0o777 == 0o600
