"""The record of written documents, and what differs from it."""

from bioinstruct_dagster.dataset.written_files import changed_since_written, record_written, rewrite


def test_changed_and_missing_files_are_found_and_a_new_record_holds_the_others(tmp_path):
    names = ("a.md", "b.md", "c.md")
    for name in names:
        (tmp_path / name).write_text("one", "utf-8")
    assert changed_since_written(tmp_path) is None
    record_written(tmp_path, names)
    assert changed_since_written(tmp_path) == []
    (tmp_path / "a.md").write_text("two", "utf-8")
    (tmp_path / "b.md").unlink()
    assert changed_since_written(tmp_path) == ["a.md", "b.md"]
    record_written(tmp_path, ("a.md",))
    assert changed_since_written(tmp_path) == ["b.md"]


def test_a_file_that_the_project_writes_again_is_not_changed_unless_it_was(tmp_path):
    names = ("a.md", "b.md")
    for name in names:
        (tmp_path / name).write_text("one", "utf-8")
    record_written(tmp_path, names)
    (tmp_path / "b.md").write_text("by hand", "utf-8")
    for name in names:
        rewrite(tmp_path / name, "more")
    assert changed_since_written(tmp_path) == ["b.md"]
