"""A row's source names the imported set, and never a folder."""

import pytest

from bioinstruct_dagster.dataset.sources import (
    ImportedSource,
    content_source,
    imported_source,
)

HASH = "0123456789ab"


@pytest.mark.parametrize(
    ("source", "expected", "shown"),
    [
        ("completion", None, "completion"),
        (f"import:set.jsonl@{HASH}", ImportedSource("set.jsonl", HASH), f"import:set.jsonl@{HASH}"),
        ("import:a@b.csv", ImportedSource("a@b.csv"), "import:a@b.csv"),
        (f"import:a@b@{HASH}", ImportedSource("a@b", HASH), f"import:a@b@{HASH}"),
        (
            "import:owner/name@train",
            ImportedSource("owner/name", split="train"),
            "import:owner/name@train",
        ),
        (
            "import:owner/name@train[:10%]",
            ImportedSource("owner/name", split="train[:10%]"),
            "import:owner/name@train[:10%]",
        ),
        ("import:owner/name", ImportedSource("owner/name"), "import:owner/name"),
        ("import:/home/maria/sets/q.json", ImportedSource("q.json"), "import:q.json"),
        ("import:sets/q.json", ImportedSource("q.json"), "import:q.json"),
        ("import:~/q.json", ImportedSource("q.json"), "import:q.json"),
        ("import:../sets/q", ImportedSource("q"), "import:q"),
        ("import:C:\\Users\\Maria\\q.parquet", ImportedSource("q.parquet"), "import:q.parquet"),
        (f"import:/home/maria/q@{HASH}", ImportedSource("q", HASH), f"import:q@{HASH}"),
    ],
)
def test_a_source_is_read_and_shown_without_folders(source, expected, shown):
    assert imported_source(source) == expected
    assert str(expected or source) == shown


def test_the_name_of_an_import_is_no_content():
    assert content_source("import:a.json") == content_source("import:/x/b.json") == "import"
    assert content_source(f"import:a.json@{HASH}") == f"import@{HASH}"
    assert content_source(f"import:/x/b/c.json@{HASH}") == f"import@{HASH}"
    assert content_source("import:owner/name@train") == "import:owner/name@train"
    assert content_source("completion") == "completion"


def test_the_source_in_the_files_of_a_set_is_read_too():
    assert imported_source(f"import@{HASH}") == ImportedSource("", HASH)
    assert imported_source("import") == ImportedSource("")
    assert content_source(f"import@{HASH}") == f"import@{HASH}"
    assert content_source("import") == "import"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (f"import:/home/maria/q.csv@{HASH}", f"the file `q.csv` (sha256 begins with {HASH})"),
        (f"import@{HASH}", f"a file (sha256 begins with {HASH})"),
        ("import", "a file"),
        ("import:owner/name@train", "the data set `owner/name`, split `train`"),
        ("import:owner/name", "the set `owner/name`"),
    ],
)
def test_a_source_is_said_in_words_without_a_folder(source, words):
    assert imported_source(source).in_words() == words
