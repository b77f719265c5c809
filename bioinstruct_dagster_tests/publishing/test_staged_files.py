"""The listing of staged files."""

import pytest

from bioinstruct_dagster.publishing.staged_files import (
    StagedFile,
    listing,
    size_in_words,
    total_size,
)


def test_files_on_the_disk_and_made_ones_are_listed(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 1_500)
    files = [StagedFile("data/a", tmp_path / "a"), StagedFile("README.md", b"12")]
    assert total_size(files) == 1_502
    assert listing(files) == [
        {"file": "data/a", "size": "1.5 kB", "content": "as in the folder"},
        {"file": "README.md", "size": "2 B", "content": "filled in"},
    ]


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0 B"), (999, "999 B"), (2e6, "2.0 MB"), (5.25e12, "5,250.0 GB")]
)
def test_sizes_have_a_unit(size, words):
    assert size_in_words(size) == words
