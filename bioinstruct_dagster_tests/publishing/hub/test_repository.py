"""The name of a repository is checked, and its address follows HF_ENDPOINT."""

import pytest

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.publishing.hub.repository import HubRepository


@pytest.mark.parametrize("name", ["set", "", "a/b/c", "lab/-set", "lab/a b", "lab/set.git", 7])
def test_a_wrong_id_is_named(name):
    with pytest.raises(StatedError, match="repo_id: "):
        HubRepository(name, "dataset")


@pytest.mark.parametrize("branch", ["", " ", "main "])
def test_an_empty_branch_is_refused(branch):
    with pytest.raises(StatedError, match="revision: write the name of a branch"):
        HubRepository("lab/set", "dataset", branch=branch)


def test_the_address_follows_the_endpoint(monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert HubRepository("lab/set", "dataset").page == "https://huggingface.co/datasets/lab/set"
    assert HubRepository("lab/a", "model", branch="b").page.endswith(".co/lab/a/tree/b")
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example.org/")
    address = HubRepository("lab/set", "dataset").file_address("data/x.parquet")
    assert address == "https://hub.example.org/datasets/lab/set/resolve/main/data/x.parquet"


def test_a_repository_is_private_unless_the_user_says_otherwise():
    assert HubRepository("lab/set", "dataset").private
