"""Checkpoints on disk: whole or not there, and never of another run."""

import json

import pytest

from bioinstruct_dagster.training.loop.checkpoints import (
    STATE_FILE,
    TENSORS_FILE,
    Checkpoints,
    TrainingState,
    remove_checkpoints,
)


@pytest.fixture
def tensors():
    import torch

    return {"a": torch.arange(6.0).reshape(2, 3).T, "step": torch.tensor(3.0)}


@pytest.fixture
def store(tmp_path):
    return Checkpoints(tmp_path / "run", "key", log=[].append)


def logged(store):
    lines = []
    return Checkpoints(store.folder, store.key, lines.append), lines


def test_a_checkpoint_is_read_as_it_was_written(store, tensors):
    state = TrainingState(512, 7, [0.1, 1 / 3], [(4, 2.5)], 4, 1, False, 99, 0, 1.5)
    store.write(state, tensors)
    found, read = store.read(store.newest())
    assert found == state
    assert read.keys() == tensors.keys()
    assert all(read[name].equal(tensors[name]) for name in tensors)


def test_only_the_newest_checkpoint_is_kept(store, tensors):
    for update in (1, 2, 10):
        store.write(TrainingState(1, update), tensors)
    assert [path.name for path in store.folder.iterdir()] == ["update-00000010"]
    assert {path.name for path in store.newest().iterdir()} == {STATE_FILE, TENSORS_FILE}


def test_the_same_update_may_be_written_again(store, tensors):
    store.write(TrainingState(1, 5, [1.0]), tensors)
    store.write(TrainingState(1, 5, [2.0]), tensors)
    assert store.read(store.newest())[0].losses == [2.0]


def test_there_is_none_before_the_first(store):
    assert store.newest() is None


def half_written(path):
    (path / TENSORS_FILE).write_bytes((path / TENSORS_FILE).read_bytes()[:-1])


def without_state(path):
    (path / STATE_FILE).unlink()


def without_tensors(path):
    (path / TENSORS_FILE).unlink()


def not_json(path):
    (path / STATE_FILE).write_text("{", "utf-8")


def other_json(path):
    (path / STATE_FILE).write_text("[1]", "utf-8")


def of_another_run(path):
    content = json.loads((path / STATE_FILE).read_text("utf-8")) | {"key": "other"}
    (path / STATE_FILE).write_text(json.dumps(content), "utf-8")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (half_written, "not the file that was written"),
        (without_state, "lacks a file"),
        (without_tensors, "lacks a file"),
        (not_json, "not a checkpoint's"),
        (other_json, "not a checkpoint's"),
        (of_another_run, "another run"),
    ],
)
def test_a_spoilt_or_foreign_checkpoint_is_not_used_and_named(store, tensors, spoil, reason):
    store.write(TrainingState(1, 3), tensors)
    spoil(store.newest())
    checked, lines = logged(store)
    assert checked.newest() is None
    assert len(lines) == 1
    assert reason in lines[0]
    assert "update-00000003" in lines[0]


def test_an_older_whole_checkpoint_is_used_in_place_of_a_spoilt_one(store, tensors, tmp_path):
    store.write(TrainingState(1, 3), tensors)
    kept = store.newest().rename(tmp_path / "kept")
    store.write(TrainingState(1, 4), tensors)
    half_written(store.newest())
    kept.rename(store.folder / "update-00000003")
    checked, lines = logged(store)
    assert checked.newest().name == "update-00000003"
    assert len(lines) == 1


def test_what_a_killed_writer_left_is_ignored_and_later_removed(store, tensors):
    left = store.folder / ".0123"
    left.mkdir(parents=True)
    (left / TENSORS_FILE).write_bytes(b"half")
    checked, lines = logged(store)
    assert checked.newest() is None
    assert not lines
    store.write(TrainingState(1, 1), tensors)
    assert not left.exists()


def test_a_failed_write_leaves_the_older_checkpoint_alone(store, tensors):
    store.write(TrainingState(1, 1), tensors)
    with pytest.raises(TypeError):
        store.write(TrainingState(1, 2, losses=[object()]), tensors)
    assert [path.name for path in store.folder.iterdir()] == ["update-00000001"]


def test_checkpoints_are_removed_twice_without_an_error(store, tensors):
    store.write(TrainingState(1, 1), tensors)
    remove_checkpoints(store.folder)
    assert not store.folder.exists()
    remove_checkpoints(store.folder)
