"""Places as large as a state: they identify nobody, smaller ones may."""

import pytest

from bioinstruct_dagster.curation.privacy.regions import is_large, state_codes, state_names


@pytest.mark.parametrize(
    "place",
    [
        "Ohio", "North Carolina", "Germany", "New Zealand", "Costa Rica", "Iran", "South Korea",
        "Vietnam", "England", "Wales", "Russia", "Turkey", "Czech Republic", "Luxembourg",
        "Western Europe", "Germany and", "USA", "January", "Medicare", "Parkinson disease",
    ],
)  # fmt: skip
def test_states_countries_and_no_places_are_large(place):
    assert is_large(place)


@pytest.mark.parametrize(
    "place",
    ["Dayton", "Leeds", "San Francisco", "Saint Paul", "New Orleans", "Jersey City",
     "Mexico City", "Jersey City. Mrn", "Santa Rosa", "Kansas City"],
)  # fmt: skip
def test_towns_are_small(place):
    assert not is_large(place)


def test_the_states_are_those_of_the_post():
    assert len(state_names()) == 50
    assert state_codes() >= {"CA", "NY", "DC", "PR"}
    assert len(state_codes()) == 52
    assert not state_codes() & {"VI", "AS", "MP"}  # factor VI, AS for aortic stenosis
