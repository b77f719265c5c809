"""Inputs that name a source or its title, and inputs with content."""

import pytest

from bioinstruct_dagster.curation.quality.grounding.source_names import SourceNames
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    SourceName,
    has_measurement,
    nouns_of,
    singular,
)
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate


@pytest.fixture(scope="module")
def names():
    (rule,) = (rule for rule in shipped_gate().rules if isinstance(rule, UngroundedRule))
    return SourceNames(rule)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("An article", SourceName("work", bare=True)),
        ("An article on asthma", SourceName("work", titled=True)),
        ("This study compares two drugs", SourceName("work", titled=True, is_sentence=True)),
        ("Title: Asthma and the weather", SourceName("work", titled=True)),
        (
            "Asthma Attacks and the Weather of Spring",
            SourceName("work", titled=True, unlabelled=True),
        ),
        ("I have received the medical report", SourceName("record", bare=True)),
        ("A collection of articles on asthma", SourceName("work", titled=True)),
        ("A patient's medical history", SourceName("particular")),
        ("The patient's X-ray", SourceName("recording")),
    ],
)
def test_a_source_is_read_as_it_is_named(names, text, name):
    assert names.read(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "An article showing that asthma is rare",
        "The article is on asthma in children",
        "Asthma",
        "An elderly woman and her Cough in the Winter",
        "A medical report with a fever",
        "A study of asthma: 12 mg of a drug",
        "",
    ],
)
def test_an_input_that_says_more_is_no_name(names, text):
    assert names.read(text) is None


@pytest.mark.parametrize(
    ("text", "is_measured"),
    [
        ("5 mg", True),
        ("5mg daily", True),
        ("12 Weeks", True),
        ("12 weekends", False),
        ("7.4", True),
        ("> 3", True),
        ("3 lbs", True),
        ("3 lbsx", False),
        ("type 2 diabetes", False),
    ],
)
def test_a_figure_with_a_unit_is_measured_content(text, is_measured):
    assert has_measurement(text) is is_measured


def test_plurals_and_possessives_are_one_noun():
    assert nouns_of("The patients' studies, two Notes") == [
        "the", "patient", "study", "two", "note",
    ]  # fmt: skip
    assert [singular(word) for word in ("diagnosis", "dies", "abscess")] == [
        "diagnosis", "die", "abscess",
    ]  # fmt: skip
