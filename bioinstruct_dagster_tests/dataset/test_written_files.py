"""The record of written documents, and what differs from it."""

from bioinstruct_dagster.dataset.written_files import changed_since_written, record_written


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
