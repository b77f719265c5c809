"""A file appears as a whole or not at all."""

import pytest

from bioinstruct_dagster.new_files import new_file


def test_a_file_replaces_an_earlier_one_when_it_is_whole(tmp_path):
    path = tmp_path / "reports" / "a.txt"
    with new_file(path) as fresh:
        fresh.write_text("first")
    with new_file(path) as fresh:
        fresh.write_text("second")
        assert path.read_text() == "first"
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_earlier_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("first")
    with pytest.raises(TypeError), new_file(path) as fresh:
        fresh.write_text(b"no text")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
