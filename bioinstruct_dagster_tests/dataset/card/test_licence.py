"""Licence and citation: a choice is stated, no choice is said, and terms of others are named."""

import pytest

from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.card.licence import (
    citation_section,
    hub_name,
    licence_address,
    licence_header,
    licence_section,
)
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.dataset.sources import ImportedSource
from bioinstruct_dagster.settings import Settings

CARD = Card(teacher="openai: gpt-x", template="t", seeds_fingerprint="s", version="1.2.3")
GENERATED = RowOrigins(generated=3)
IMPORTED = RowOrigins(imported={ImportedSource("set.csv"): 3})


@pytest.mark.parametrize(
    ("given", "header", "address"),
    [
        ("", {}, ""),
        ("cc-by-4.0", {"license": "cc-by-4.0"}, "https://spdx.org/licenses/CC-BY-4.0"),
        ("CC-BY-4.0", {"license": "cc-by-4.0"}, "https://spdx.org/licenses/CC-BY-4.0"),
        ("ODbL-1.0", {"license": "odbl"}, "https://spdx.org/licenses/ODbL-1.0"),
        ("other", {"license": "other"}, "other"),
        ("Our-Own", {"license": "other", "license_name": "our-own"}, "Our-Own"),
    ],
)
def test_a_licence_is_named_as_hub_and_spdx_name_it(given, header, address):
    assert licence_header(given) == header
    assert licence_address(given) == address
    assert Settings.of(dataset_licence=given).publishing.dataset_licence == given


def test_an_unknown_licence_has_no_name_of_the_hub():
    assert hub_name("our-own") is None


@pytest.mark.parametrize("given", ["CC BY 4.0", "mit\nlicense: x", "-mit", "http://x"])
def test_a_licence_is_one_identifier(given):
    with pytest.raises(ValueError, match="must be one identifier"):
        Settings.of(dataset_licence=given)


def test_without_a_choice_the_card_says_so_and_names_the_teachers_terms():
    text = licence_section(CARD, GENERATED)
    assert "No licence has been chosen" in text
    assert "outputs of `openai: gpt-x`. The terms of use of that model's provider" in text
    assert "imported" not in text


def test_an_import_names_the_licence_of_its_source_and_no_teacher():
    text = licence_section(CARD, IMPORTED)
    assert "under the licence of the set `set.csv`" in text
    assert "teacher" not in text
    assert "outputs of" not in text


def test_a_replay_has_no_terms_of_a_provider():
    assert "provider" not in licence_section(CARD, RowOrigins(replayed=3))


def test_the_article_is_cited_for_generated_rows_only():
    generated = citation_section(CARD, GENERATED, "Set", "f" * 64)
    assert "tran2024bioinstruct" in generated
    assert "Its authors did not make this set." in generated
    assert "version = {1.2.3}" in generated
    imported = citation_section(CARD, IMPORTED, "Set {a}\\b", "f" * 64)
    assert "tran2024" not in imported
    assert "title = {Set  a  b}" in imported
    assert imported.count("{") == imported.count("}")
