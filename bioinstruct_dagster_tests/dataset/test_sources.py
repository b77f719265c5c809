"""A row's source names the imported set, and never a folder."""

import pytest

from bioinstruct_dagster.dataset.sources import (
    ImportedSource,
    content_source,
    imported_sets,
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


def test_sets_are_counted_the_largest_first():
    rows = [{"source": s} for s in ("import:a.csv", "completion", "import:b.csv", "import:x/b.csv")]
    assert imported_sets(rows) == {ImportedSource("b.csv"): 2, ImportedSource("a.csv"): 1}
    assert next(iter(imported_sets(rows))).name == "b.csv"
