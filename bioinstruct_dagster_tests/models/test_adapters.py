"""The folder of an adapter: missing files and changed weights are noticed."""

import json

import pytest

from bioinstruct_dagster.models.adapters import (
    CONFIG_FILE,
    RESULT_FILE,
    WEIGHTS_FILE,
    intact_result,
    missing_file,
    weights_changed,
)
from bioinstruct_dagster.store.fingerprints import sha256_of_file


@pytest.fixture
def folder(tmp_path):
    """A folder as training leaves it, with a few bytes as weights."""
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")
    (tmp_path / CONFIG_FILE).write_text("{}", "utf-8")
    result = {
        "adapter_sha256": sha256_of_file(tmp_path / WEIGHTS_FILE),
        "adapter_path": "elsewhere",
    }
    (tmp_path / RESULT_FILE).write_text(json.dumps(result), "utf-8")
    return tmp_path


def test_a_whole_folder_lacks_nothing(folder):
    assert missing_file(folder) is None


@pytest.mark.parametrize("name", [WEIGHTS_FILE, CONFIG_FILE])
def test_the_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert missing_file(folder) == name


def test_a_result_names_the_folder_where_it_lies(folder):
    assert intact_result(folder)["adapter_path"] == str(folder)


@pytest.mark.parametrize("name", [WEIGHTS_FILE, RESULT_FILE])
def test_a_folder_that_lacks_a_file_has_no_result(folder, name):
    (folder / name).unlink()
    assert intact_result(folder) is None


def test_changed_weights_have_no_result(folder):
    sha256 = sha256_of_file(folder / WEIGHTS_FILE)
    assert not weights_changed(folder, sha256)
    (folder / WEIGHTS_FILE).write_bytes(b"weightz")
    assert weights_changed(folder, sha256)
    assert intact_result(folder) is None
