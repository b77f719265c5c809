"""The folder of an adapter: missing files and changed weights are noticed."""

import json

import pytest

from bioinstruct_dagster.models.adapters import (
    CONFIG_FILE,
    RESULT_FILE,
    WEIGHTS_FILE,
    AdapterPlaceError,
    adapters_in,
    experiment_folder,
    intact_result,
    missing_file,
    seal_is_broken,
    sealed,
    stored_folder,
    stored_path,
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


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"adapter_sha256": 3}', "[" * 99_999])
def test_a_broken_result_is_no_result(folder, text):
    (folder / RESULT_FILE).write_text(text, "utf-8")
    assert intact_result(folder) is None


RESULT = {
    "adapter_path": "/here",
    "last_loss": 1.5,
    "validation_losses": [[3, 2.0]],
    "proof": {"change": 0.25},
}


def test_a_seal_holds_through_json_and_a_move():
    result = json.loads(json.dumps(sealed(RESULT)))
    assert not seal_is_broken(result)
    assert not seal_is_broken(result | {"adapter_path": "/there"})
    assert sealed(result) == result


@pytest.mark.parametrize(
    "change", [{"last_loss": 1.4}, {"proof": {"change": 9}}, {"new": 1}, {"validation_losses": []}]
)
def test_an_edit_breaks_the_seal(change):
    result = sealed(RESULT)
    changed = result | change
    if "proof" in change:
        changed["proof"] = result["proof"] | change["proof"]
    assert seal_is_broken(changed)


def test_a_result_without_proof_has_no_seal_to_break():
    assert not seal_is_broken({"proof": {}})
    assert not seal_is_broken({})
    assert seal_is_broken({"proof": {"change": 1}})


def test_an_edited_result_is_no_result(folder):
    result = json.loads((folder / RESULT_FILE).read_text("utf-8")) | {"proof": {"change": 1}}
    (folder / RESULT_FILE).write_text(json.dumps(sealed(result)), "utf-8")
    assert intact_result(folder) is not None
    (folder / RESULT_FILE).write_text(json.dumps(sealed(result) | {"last_loss": 0}), "utf-8")
    assert intact_result(folder) is None


def test_adapters_are_listed_from_the_newest_to_the_oldest(folder, tmp_path_factory):
    adapters = tmp_path_factory.mktemp("adapters")
    own = experiment_folder(adapters, "base|all")
    assert own.name == "base__all"
    for name, year in (("a", "2024"), ("b", "2026"), ("c", "2025")):
        (own / name).mkdir(parents=True)
        for path in folder.iterdir():
            (own / name / path.name).write_bytes(path.read_bytes())
        result = json.loads((own / name / RESULT_FILE).read_text("utf-8")) | {"trained_at": year}
        (own / name / RESULT_FILE).write_text(json.dumps(result), "utf-8")
    (own / "broken").mkdir()
    (adapters / "file").write_text("", "utf-8")
    found = list(adapters_in(adapters))
    assert [one.path.name for one in found] == ["b", "c", "a", "broken"]
    assert [one.result is None for one in found] == [False, False, False, True]
    assert list(adapters_in(adapters / "none")) == []


PLACE = "adapters/base__recipe/key"


def test_the_store_names_a_folder_relative_to_the_data_folder(tmp_path):
    assert stored_path(tmp_path / PLACE, tmp_path) == PLACE
    assert stored_folder(PLACE, tmp_path) == tmp_path / PLACE
    with pytest.raises(AdapterPlaceError, match="not in the data folder"):
        stored_path(tmp_path / "elsewhere", tmp_path / "data")


def test_a_copied_data_folder_has_its_own_adapters_even_in_an_older_store(tmp_path):
    old, copy = tmp_path / "old", tmp_path / "copy"
    (old / PLACE).mkdir(parents=True)
    assert stored_folder(str(old / PLACE), old) == old / PLACE
    copy.mkdir()
    with pytest.raises(AdapterPlaceError, match="Materialize key:lora_adapter"):
        stored_folder(str(old / PLACE), copy)
    (copy / PLACE).mkdir(parents=True)
    assert stored_folder(str(old / PLACE), copy) == copy / PLACE


@pytest.mark.parametrize("path", ["../old/adapters/a/b", "/etc", "adapters/../../x", "/a/../.."])
def test_a_path_out_of_the_data_folder_is_refused(tmp_path, path):
    (tmp_path / "data").mkdir()
    with pytest.raises(AdapterPlaceError):
        stored_folder(path, tmp_path / "data")


def test_adapters_may_be_on_another_disk(tmp_path):
    (tmp_path / "disk" / "base__recipe" / "key").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "adapters").symlink_to(tmp_path / "disk")
    assert stored_folder(PLACE, tmp_path / "data") == tmp_path / "data" / PLACE
    assert stored_path(tmp_path / "data" / PLACE, tmp_path / "data") == PLACE
