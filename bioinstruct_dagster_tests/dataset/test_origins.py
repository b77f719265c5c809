"""The origins of rows are counted from the rows, and a mixed set is called mixed."""

from bioinstruct_dagster.dataset.origins import origins_of
from bioinstruct_dagster.dataset.sources import ImportedSource

HASH = "0123456789ab"
REPLAYED = {"source": "completion", "rehearsal": True, "labelled_by": "teacher:rehearsal-teacher"}
WRITTEN = {"source": "completion", "rehearsal": False, "labelled_by": "teacher:gpt-x"}
IMPORTED = {
    "source": f"import:a.csv@{HASH}",
    "rehearsal": False,
    "labelled_by": "embedded-classifier",
}


def test_each_origin_is_counted():
    found = origins_of([REPLAYED, WRITTEN, WRITTEN, IMPORTED])
    assert (found.replayed, found.generated, found.from_import, found.total) == (1, 2, 1, 4)
    assert found.recorded_labels == 1
    assert found.sentence() == (
        "4 rows (mixed, 2 written by a teacher, 1 replayed by the rehearsal teacher, 1 imported "
        f"from the file `a.csv` (sha256 begins with {HASH})); the categories of 1 are recorded "
        "labels"
    )


def test_a_set_of_one_origin_is_not_called_mixed():
    assert origins_of([WRITTEN]).sentence() == "1 rows (1 written by a teacher)"


def test_a_row_may_stand_for_many():
    found = origins_of([WRITTEN | {"rows": 40}, IMPORTED | {"rows": 2}])
    assert (found.generated, found.from_import) == (40, 2)


def test_an_imported_row_is_no_rehearsal_whatever_its_mark():
    # A store of an earlier version marked an imported row for its recorded label.
    found = origins_of([IMPORTED | {"rehearsal": True, "labelled_by": REPLAYED["labelled_by"]}])
    assert (found.replayed, found.only_imported, found.recorded_labels) == (0, True, 1)


def test_imported_sets_are_listed_the_largest_first():
    names = ("import:a.csv", "completion", "import:b.csv", "import:x/b.csv")
    found = origins_of(WRITTEN | {"source": name} for name in names)
    assert list(found.imported.items()) == [
        (ImportedSource("b.csv"), 2),
        (ImportedSource("a.csv"), 1),
    ]
    assert not found.only_imported


def test_no_rows_have_no_origin():
    assert origins_of([]).sentence() == "0 rows (none)"
    assert not origins_of([]).only_imported
