"""The published copy has address, day and version; the folder on the disk stays as it was."""

import json
from datetime import date

import mlcroissant
import pytest

from bioinstruct_dagster.dataset.written_files import RECORD
from bioinstruct_dagster.publishing.dataset_documents import Release, earlier_release
from bioinstruct_dagster.publishing.dataset_files import dataset_files, left_files
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster_tests.publishing.made_dataset import by_path, licensed, made_dataset

RELEASE = Release.of_day(date(2026, 11, 30))
PAGE = "https://huggingface.co/datasets/lab/set"


@pytest.fixture
def built(store, settings, hugging_face):
    """A data set."""
    return made_dataset(store, licensed(settings))


def published(built, release=RELEASE, **choice):
    to = HubRepository("lab/set", "dataset", **choice)
    return by_path(dataset_files(built.path, built.fingerprint, to, release))


def test_all_files_of_the_folder_are_published_and_nothing_there_changes(built):
    (built.path / "figures").mkdir()
    (built.path / "figures" / "lengths.png").write_bytes(b"the card shows it")
    before = {path: path.read_bytes() for path in built.path.rglob("*") if path.is_file()}
    files = published(built)
    in_folder = {path.relative_to(built.path).as_posix() for path in before}
    assert set(files) == in_folder - {RECORD}
    assert {path: path.read_bytes() for path in before} == before


def test_the_card_names_address_day_and_version(built):
    card = published(built)["README.md"].decode()
    assert f"\nVersion 2026.11.30, published on 2026-11-30: {PAGE}\n" in card
    assert 'load_dataset("lab/set")' in card
    assert f"  url   = {{{PAGE}}},\n  version = {{2026.11.30}},\n" in card
    assert "path/to/this/folder" not in card
    assert "when you publish it" not in card
    assert "license: cc-by-4.0" in card.split("---\n")[1]


def test_a_branch_is_part_of_address_and_code(built):
    card = published(built, branch="trial")["README.md"].decode()
    assert 'load_dataset("lab/set", revision="trial")' in card
    assert f"{PAGE}/tree/trial" in card


def test_croissant_is_complete_and_its_files_can_be_reached(built, tmp_path):
    text = published(built)["croissant.json"].decode()
    document = json.loads(text)
    assert document["url"] == PAGE
    assert (document["version"], document["datePublished"]) == ("2026.11.30", "2026-11-30")
    assert f"url   = {{{PAGE}}}" in document["citeAs"]
    addresses = [one["contentUrl"] for one in document["distribution"]]
    assert all(one.startswith(f"{PAGE}/resolve/main/data/") for one in addresses)
    path = tmp_path / "croissant.json"
    path.write_text(text, "utf-8")
    issues = mlcroissant.Dataset(path).metadata.ctx.issues
    assert not issues.errors
    assert not [one for one in issues.warnings if "datePublished" in one or "version" in one]


def test_the_same_rows_keep_day_and_version(built):
    first = published(built)["croissant.json"]
    assert earlier_release(first, built.fingerprint, "") == RELEASE
    assert earlier_release(first, built.fingerprint, "2026.11.30") == RELEASE
    assert earlier_release(first, built.fingerprint, "1.0.0") is None
    assert earlier_release(first, "f" * 64, "") is None


@pytest.mark.parametrize("other", [None, b"", b"[]", b'{"version": 1}', b"\xff"])
def test_somebody_else_s_document_is_no_earlier_release(other):
    assert earlier_release(other, "f", "") is None


def test_files_that_the_project_did_not_write_stay_here(built):
    (built.path / "notes.txt").write_text("mine", "utf-8")
    to = HubRepository("lab/set", "dataset")
    files = dataset_files(built.path, built.fingerprint, to, RELEASE)
    assert left_files(built.path, files) == ["notes.txt"]
