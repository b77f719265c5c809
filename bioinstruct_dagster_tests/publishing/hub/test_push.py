"""Pushing to a local hub: one commit, private by default, resumable, and clear failures."""

import huggingface_hub
import pytest

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.publishing.hub.failures import stating_failures
from bioinstruct_dagster.publishing.hub.push import open_repository
from bioinstruct_dagster.publishing.hub.repository import HubRepository
from bioinstruct_dagster.publishing.staged_files import StagedFile
from bioinstruct_dagster_tests.publishing.hub_server import TOKEN

KEY = "datasets/tester/set"


@pytest.fixture
def files(tmp_path):
    """A large file on the disk, and a small one that is made for the push."""
    shard = tmp_path / "train.parquet"
    shard.write_bytes(b"rows" * 1_000)
    return [StagedFile("data/train.parquet", shard), StagedFile("README.md", b"# Set\n")]


def push(files, said=None, *, message="A version", replaces=(), **choice):
    to = HubRepository("tester/set", "dataset", **choice)
    log = (lambda line: None) if said is None else said.append
    return open_repository(to, log).commit(files, message, replaces=replaces)


def test_a_push_makes_a_private_repository_and_one_commit(hub, files):
    pushed = push(files)
    repository = hub.repositories[KEY]
    assert repository.private
    assert repository.messages == ["initial commit", "A version"]
    assert pushed.commit == repository.branches["main"]
    assert pushed.page == f"{hub.address}/datasets/tester/set"
    assert pushed.in_words() == f"Published: {pushed.page} (commit {pushed.commit})"
    held = repository.files("main")
    assert held["README.md"] == b"# Set\n"
    assert held["data/train.parquet"] == b"rows" * 1_000


def test_the_commit_can_be_downloaded_again(hub, files, tmp_path):
    pushed = push(files)
    folder = huggingface_hub.HfApi(endpoint=hub.address).snapshot_download(
        "tester/set", repo_type="dataset", revision=pushed.commit, local_dir=tmp_path / "copy"
    )
    assert (tmp_path / "copy/data/train.parquet").read_bytes() == b"rows" * 1_000
    assert str(folder) == str(tmp_path / "copy")


def test_a_public_repository_is_made_only_on_request(hub, files):
    push(files, private=False)
    assert not hub.repositories[KEY].private


def test_a_public_repository_is_not_taken_for_a_private_one(hub, files):
    hub.make(KEY, private=False)
    with pytest.raises(StatedError, match=r"is public, and `private` is true\. Nothing was sent"):
        push(files)
    assert not hub.uploads
    assert "commit" not in hub.asked


def test_a_private_repository_stays_private(hub, files):
    said = []
    hub.make(KEY, private=True)
    push(files, said, private=False)
    assert hub.repositories[KEY].private
    assert any("stays private" in line for line in said)


def test_a_branch_gets_the_commit_and_main_does_not(hub, files):
    pushed = push(files, branch="trial")
    repository = hub.repositories[KEY]
    assert repository.branches["trial"] == pushed.commit
    assert "README.md" not in repository.files("main")
    assert pushed.page.endswith("/datasets/tester/set/tree/trial")


def test_older_files_that_match_are_removed_in_the_same_commit(hub, files):
    push([*files, StagedFile("data/old.parquet", b"old"), StagedFile("notes.txt", b"mine")])
    push(files, replaces=("data/*.parquet",))
    repository = hub.repositories[KEY]
    assert len(repository.messages) == 3
    assert set(repository.files("main")) == {
        ".gitattributes", "README.md", "data/train.parquet", "notes.txt",
    }  # fmt: skip


def test_the_same_files_again_make_no_commit(hub, files):
    first = push(files)
    again = push(files)
    assert (again.commit, again.changed) == (first.commit, False)
    assert again.in_words().startswith("Unchanged: ")
    assert len(hub.repositories[KEY].messages) == 2


def test_a_push_that_was_cut_off_sends_only_what_is_missing(hub, files):
    hub.failures["commit"] = [500]
    with pytest.raises(StatedError, match=r"fault of its own \(status 500\)\. Start the run again"):
        push(files)
    assert len(hub.uploads) == 1
    push(files)
    assert len(hub.uploads) == 1  # the large file was there already
    assert "data/train.parquet" in hub.repositories[KEY].files("main")


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [
        ("whoami", 401, "does not accept the token. Set HF_TOKEN"),
        ("info", 401, "shows no data set repository tester/set"),  # as the hub answers
        ("commit", 403, "may not write to the data set repository tester/set"),
        ("commit", 404, "shows no data set repository tester/set"),
        ("commit", 409, "reports a conflict"),
        ("commit", 412, "Somebody else wrote to the data set repository tester/set"),
        ("commit", 429, "takes no more requests"),
        ("create", 500, "fault of its own (status 500)"),
        ("upload", 403, "may not write"),
    ],
)
def test_each_failure_says_what_to_do_and_holds_no_token(hub, files, kind, status, said):
    hub.failures[kind] = [status] * 9
    with pytest.raises(StatedError) as caught:
        push(files)
    assert said in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len(hub.repositories.get(KEY, hub.make("x", private=True)).messages) == 1


def test_an_owner_that_is_not_ours_is_refused(hub, files):
    with pytest.raises(StatedError, match=r"`repo_id`: others must be your account"):
        open_repository(HubRepository("others/set", "dataset"), lambda line: None)


def test_a_wrong_token_is_refused(hub, files, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(StatedError, match="does not accept the token") as caught:
        push(files)
    assert "hf_wrong" not in str(caught.value)


@pytest.mark.parametrize("token", ["hf_SECRETx\x01yz", "hf_SECRETé", "hf_SECRET yz", "“hf_SECRET”"])
def test_a_token_with_a_bad_character_is_refused_unquoted(hub, files, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(StatedError, match="HF_TOKEN holds a character that no token has") as caught:
        push(files)
    assert "SECRET" not in str(caught.value)
    assert not hub.asked


@pytest.mark.parametrize("quoted", ["{!r}", "b'authorization: Bearer {}\\x01'", "x" * 380 + "{}"])
def test_a_client_s_message_that_quotes_the_token_is_masked(hub, quoted):
    token = "hf_a\\b" + "SECRET" * 5  # repr doubles the backslash
    to = HubRepository("tester/set", "dataset")
    with pytest.raises(StatedError) as caught, stating_failures(to, token):
        raise ValueError(quoted.format(token))
    assert "SECRET" not in str(caught.value)


def test_without_a_token_nothing_is_asked(hub, files, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(StatedError, match="There is no token for the Hugging Face hub"):
        push(files)
    assert not hub.asked


def test_another_commit_during_the_push_is_noticed(hub, files):
    opened = open_repository(HubRepository("tester/set", "dataset"), lambda line: None)
    hub.repositories[KEY].add("main", {"other.txt": b"theirs"}, "Somebody's commit")
    with pytest.raises(StatedError, match="Somebody else wrote"):
        opened.commit(files, "Ours")
    assert hub.repositories[KEY].files("main") == {"other.txt": b"theirs"}


def test_a_server_that_is_not_there_is_named(hub, files, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(StatedError, match=r"http://127\.0\.0\.1:9 ended early.*HF_ENDPOINT"):
        push(files)


def test_a_file_of_the_branch_is_read(hub, files):
    push(files)
    opened = open_repository(HubRepository("tester/set", "dataset"), lambda line: None)
    assert opened.read("README.md") == b"# Set\n"
    assert opened.read("no.txt") is None


def test_the_token_goes_to_the_hub_and_into_no_line(hub, files):
    said = []
    push(files, said)
    assert f"Bearer {TOKEN}" in hub.authorizations
    assert TOKEN not in " ".join(said)
    assert "tester" in said[0]
