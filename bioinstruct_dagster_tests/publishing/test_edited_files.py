"""A document that somebody changed is named, with what to do; the others are not."""

from bioinstruct_dagster.dataset.written_files import RECORD, record_written
from bioinstruct_dagster.publishing.edited_files import edited_files

ANEW = "materialize key:hf_dataset again."


def test_only_a_changed_file_that_is_published_is_named(tmp_path):
    for name in ("README.md", "other.md", "kept.md"):
        (tmp_path / name).write_text("as written", "utf-8")
    record_written(tmp_path, ("README.md", "other.md", "kept.md"))
    assert edited_files(tmp_path, ["README.md", "kept.md"], ANEW) == []
    for name in ("README.md", "other.md"):
        (tmp_path / name).write_text("by hand", "utf-8")
    (said,) = edited_files(tmp_path, ["README.md", "kept.md"], ANEW)
    assert said.startswith(f"{tmp_path / 'README.md'} was changed")
    assert "It is published with this change" in said
    assert said.endswith(ANEW)


def test_a_folder_of_an_earlier_version_is_told_of(tmp_path):
    (tmp_path / "README.md").write_text("a card", "utf-8")
    (said,) = edited_files(tmp_path, ["README.md"], ANEW)
    assert "Nobody knows" in said
    assert edited_files(tmp_path / "none", ["README.md"], ANEW) == []
    (tmp_path / RECORD).write_text("no JSON", "utf-8")
    assert "Nobody knows" in edited_files(tmp_path, ["README.md"], ANEW)[0]
