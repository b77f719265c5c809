"""The rows of a refresh: those of the last run, of a named run, or since a time."""

import pytest

from bioinstruct_dagster.findings.worth.refresh import RefreshError, refresh_of
from bioinstruct_dagster_tests.findings.worth.refreshed_store import AT, FIRST, SECOND, refreshed


@pytest.fixture
def grown(store):
    """Two rows of the first run, one of the second, and an imported one."""
    refreshed(store, {"a": FIRST, "b": FIRST, "c": SECOND, "d": None})
    return store


def test_the_last_run_that_added_rows_is_the_refresh(grown):
    found = refresh_of(grown)
    assert found.added == {"c"}
    assert found.before == {"a", "b", "d"}
    assert found.at == AT[SECOND]
    assert found.name == "run run-two-"


def test_a_run_is_named_by_the_first_digits_of_its_id(grown):
    found = refresh_of(grown, run_id="run-one")
    assert found.added == {"a", "b"}
    assert found.before == {"d"}  # rows of the later run are neither


@pytest.mark.parametrize("named", ["run-", "nothing"])
def test_a_name_of_several_runs_or_of_none_is_refused_with_those_there_are(grown, named):
    with pytest.raises(RefreshError, match=r"The runs behind the data set are run-one-, run-two-"):
        refresh_of(grown, run_id=named)


def test_all_rows_since_a_time_are_one_refresh(grown):
    found = refresh_of(grown, since="2026-11-09")
    assert found.added == {"c"}
    assert "2026-11-09" in found.name
    with pytest.raises(RefreshError, match="No reply came since 2027"):
        refresh_of(grown, since="2027-01-01")
    with pytest.raises(RefreshError, match="Write it as 2026-11-30"):
        refresh_of(grown, since="last week")


def test_without_rows_before_it_nothing_can_be_compared(store):
    store.replace({})
    with pytest.raises(RefreshError, match="There is no data set yet"):
        refresh_of(store)
    refreshed(store, {"a": FIRST, "b": FIRST})
    with pytest.raises(RefreshError, match="older than run run-one-"):
        refresh_of(store)
    refreshed(store, {"a": None})
    with pytest.raises(RefreshError, match="All rows of the data set were imported"):
        refresh_of(store)
