"""New folders appear as a whole or not at all, and others may read their files."""

import os

import pytest

from bioinstruct_dagster.new_folders import new_folder, remove_unfinished, share_as_new_files


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


def test_a_folder_appears_when_all_of_it_is_written(tmp_path):
    folder = tmp_path / "above" / "folder"
    with new_folder(folder) as fresh:
        (fresh / "file").write_text("new", "utf-8")
        assert not folder.exists()
    assert (folder / "file").read_text("utf-8") == "new"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("replace", [True, False])
def test_after_an_error_the_earlier_folder_alone_is_there(tmp_path, replace):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("old", "utf-8")

    def fail():
        with new_folder(folder, replace=replace) as fresh:
            (fresh / "file").write_text("new", "utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (folder / "file").read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [folder]


def test_an_earlier_folder_is_replaced_whole_or_refused(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").touch()
    with pytest.raises(OSError, match="not empty"), new_folder(folder, replace=False):
        pass
    assert (folder / "old").exists()
    with new_folder(folder) as fresh:
        (fresh / "new").touch()
    assert [path.name for path in folder.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [folder]


def test_what_a_killed_process_left_is_removed(tmp_path):
    folder = tmp_path / "folder"
    for name in ("folder", ".folder.1a", ".folder.old-2b", ".other.1a"):
        (tmp_path / name).mkdir()
    remove_unfinished(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".other.1a", "folder"]
