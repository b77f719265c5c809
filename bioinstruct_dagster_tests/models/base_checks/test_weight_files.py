"""Weight files: cut off, missing, pointers to other places, or of a format that is not loaded."""

import json

import pytest

from bioinstruct_dagster.models.base_checks.weight_files import INDEX
from bioinstruct_dagster_tests.models.base_checks.conftest import in_parts, refusal


def weights_of(folder):
    return folder / "model.safetensors"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_is_cut_off_is_named(folder, share):
    whole = weights_of(folder).read_bytes()
    weights_of(folder).write_bytes(whole[: int(len(whole) * share)])
    message = refusal(folder)
    assert "model.safetensors" in message
    assert "cut off" in message


def test_bytes_after_the_end_are_a_fault(folder):
    weights_of(folder).write_bytes(weights_of(folder).read_bytes() + b"more")
    assert "damaged" in refusal(folder)


@pytest.mark.parametrize("content", [b"<html>Not found</html>" * 100, b"\xff" * 100])
def test_what_is_no_safetensors_file_is_damaged(folder, content):
    weights_of(folder).write_bytes(content)
    assert "damaged" in refusal(folder)


def test_a_pointer_of_git_lfs_is_recognised(folder):
    weights_of(folder).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    assert "git lfs pull" in refusal(folder)


def test_a_missing_part_is_named_with_what_it_holds(folder):
    parts = in_parts(folder)
    parts[1].unlink()
    message = refusal(folder)
    assert f"1 of {len(parts)} parts of the weights are missing ({parts[1].name})" in message
    assert "of 21 weights" in message


def test_a_part_that_is_cut_off_and_one_that_is_missing_are_both_named(folder):
    parts = in_parts(folder)
    parts[0].write_bytes(parts[0].read_bytes()[:-10])
    parts[1].unlink()
    message = refusal(folder)
    assert "2 faults" in message
    assert f"{parts[0].name} is cut off" in message


def test_parts_without_an_index_are_recognised(folder):
    in_parts(folder)
    (folder / INDEX).unlink()
    assert f"The index {INDEX} is missing" in refusal(folder)


@pytest.mark.parametrize("content", ["{", "[]", '{"weight_map": 3}', "\x00"])
def test_a_broken_index_is_named(folder, content):
    in_parts(folder)
    (folder / INDEX).write_text(content)
    assert f"The index {INDEX} can't be read" in refusal(folder)


def test_an_index_of_another_version_is_recognised(folder):
    in_parts(folder)
    index = json.loads((folder / INDEX).read_text("utf-8"))
    place = next(iter(index["weight_map"].values()))
    index["weight_map"]["model.layers.7.mlp.up_proj.weight"] = place
    (folder / INDEX).write_text(json.dumps(index))
    message = refusal(folder)
    assert f"{place} lacks weights" in message
    assert "model.layers.7.mlp.up_proj.weight" in message


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pytorch_model.bin", "can run code"),
        ("consolidated.00.pth", "can run code"),
        ("model-Q4_K_M.gguf", "GGUF"),
        ("weights.safetensors", "not named model.safetensors"),
        ("notes.md", "no .safetensors weights"),
    ],
)
def test_other_formats_are_refused_in_words(folder, name, words):
    weights_of(folder).rename(folder / name)
    assert words in refusal(folder)
