"""Which places are as large as a state or larger, by pycountry's lists of ISO 3166.

HIPAA's Safe Harbor rule permits the names of states and of larger places. Belongs here: countries,
the states of the USA, and regions that are no country. Does not: addresses and homes (places).
"""

import re
from functools import cache
from typing import Any

from bioinstruct_dagster.curation.privacy.vocabulary import PLACES, WORD

_PLACE = tuple[str, ...]  # the words of a place, in small letters
_STATE_TYPES = ("State", "District")
_POSTAL_TERRITORIES = ("US-PR",)  # VI, AS and MP of the others are words or numerals of medicine


@cache
def state_names() -> frozenset[str]:
    """The names of the states of the USA."""
    return frozenset(state.name for state in _states() if state.type == "State")


@cache
def state_codes() -> frozenset[str]:
    """The codes of two letters that the post uses for the states of the USA."""
    return frozenset(state.code.removeprefix("US-") for state in _states())


def is_large(place: str) -> bool:
    """Whether a place is a state or larger, or the words are no place at all."""
    if place.isupper() or place in state_names():
        return True
    parts = tuple(WORD.findall(place.lower()))
    if not parts or parts[0] in _first_words() or parts[-1] in PLACES("not_places_last"):
        return True
    # "Mexico City" is a town.
    return any(
        parts[: len(name)] == name and parts[len(name) : len(name) + 1] != ("city",)
        for name in _countries()
    )


@cache
def large_words() -> frozenset[str]:
    """The states and larger places that have a name of one word, in small letters."""
    countries = (place[0] for place in _countries() if len(place) == 1)
    return frozenset(countries) | PLACES("large_places") | frozenset(map(str.lower, state_names()))


@cache
def _first_words() -> frozenset[str]:
    lists = ("large_places", "directions_and_peoples", "not_places")
    return frozenset[str]().union(*map(PLACES, lists))


@cache
def _countries() -> frozenset[_PLACE]:
    """The words of each country, and of the parts of the United Kingdom that are countries."""
    import pycountry

    names = {
        name
        for country in pycountry.countries
        for name in (country.name, getattr(country, "common_name", country.name))
    }
    names |= {part.name for part in _subdivisions("GB") if part.type == "Country"}
    # "Iran, Islamic Republic of"; "Wales [Cymru GB-CYM]".
    words = (tuple(WORD.findall(re.split(r"[,\[]", name)[0].lower())) for name in names)
    return frozenset(place for place in words if place)


@cache
def _states() -> tuple[Any, ...]:
    return tuple(
        state
        for state in _subdivisions("US")
        if state.type in _STATE_TYPES or state.code in _POSTAL_TERRITORIES
    )


def _subdivisions(country: str) -> list[Any]:
    import pycountry

    subdivisions: Any = pycountry.subdivisions  # its methods have no types
    return list(subdivisions.get(country_code=country))
