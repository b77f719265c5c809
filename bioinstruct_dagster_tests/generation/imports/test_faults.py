"""Many rows with one fault are one line of a message."""

import pytest

from bioinstruct_dagster.generation.imports.faults import ImportedSetError, RowFaults, shown_places


def test_a_fault_of_many_rows_is_said_once_with_their_number():
    faults = RowFaults()
    for number in range(40):
        faults.add(f"line {number}", "no output")
    faults.add("line 7", "no instruction")
    assert faults.lines() == [
        "line 0, 1, 2, 3, 4 and 35 more: no output",
        "line 7: no instruction",
    ]
    assert len(faults) == 41
    with pytest.raises(ImportedSetError, match=r"a\.csv:\nline 0, 1, .*\nline 7: no instruction"):
        faults.refuse("a.csv:")


def test_without_faults_nothing_is_refused():
    RowFaults().refuse("a.csv:")


def test_kinds_of_faults_beyond_twenty_are_counted():
    faults = RowFaults()
    for number in range(25):
        faults.add("line 1", f"fault {number}")
    assert len(faults.lines()) == 21
    assert faults.lines()[-1] == "… and 5 more kinds of faults"


@pytest.mark.parametrize(
    ("places", "count", "shown"),
    [
        (["line 3"], 1, "line 3"),
        (["line 3", "line 4"], 2, "line 3, 4"),
        (["data, row 1", "data, row 2"], 9, "data, row 1, 2 and 7 more"),
        (["line 1", "row 2"], 2, "line 1, row 2"),
    ],
)
def test_places_of_one_kind_are_a_list_of_numbers(places, count, shown):
    assert shown_places(places, count) == shown
