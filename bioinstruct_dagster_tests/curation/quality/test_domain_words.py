"""The vocabulary of the domain: how a word is looked up, and the shipped lists."""

import pytest

from bioinstruct_dagster.curation.quality.domain_words import (
    DOMAIN_LISTS,
    MEDICAL_LISTS,
    DomainVocabulary,
    domain_vocabulary,
)
from bioinstruct_dagster.curation.quality.grounding.source_words import QUALITY_PACKAGE
from bioinstruct_dagster.curation.word_lists import word_list

SMALL = DomainVocabulary(
    words={"cell": "shared", "cardinal": "plain"},
    beginnings={"card": "elsewhere", "cardi": "medical", "cell": "medical"},
    endings=("itis",),
)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("cell", "shared"),
        ("cells", "medical"),
        ("cards", "elsewhere"),
        ("cardiac", "medical"),
        ("cardinal", "plain"),
        ("bursitis", "medical"),
        ("itis", "plain"),
        ("xitis", "plain"),
        ("tree", "plain"),
        ("", "plain"),
    ],
)
def test_a_whole_word_decides_before_a_beginning_and_the_longest_beginning_first(word, kind):
    assert SMALL.kind_of(word) == kind


@pytest.mark.parametrize(
    "word",
    [
        *("ataxia", "shingles", "macular", "degeneration", "glaucoma", "caries", "periodontitis"),
        *("schizophrenia", "bulimia", "metformin", "pembrolizumab", "empagliflozin", "lisinopril"),
        *("amoxicillin", "haemoglobin", "hemoglobin", "troponin", "hba1c", "biopsy", "midwife"),
        *("physiotherapy", "paediatric", "orthodontics", "mastitis", "rabies", "mitochondria"),
        *("chromosome", "crispr", "enzyme", "kinase", "staphylococcus", "plasmodium", "nephron"),
        *("dialysis", "cholecystectomy", "colonoscopy", "anaesthesia", "anesthesia", "hospice"),
    ],
)
def test_words_of_every_speciality_are_medical(word):
    # Both spellings, endings and beginnings: few of these words are listed as they stand.
    assert domain_vocabulary().kind_of(word) in {"medical", "shared"}


@pytest.mark.parametrize(
    "word",
    [
        *("academia", "nostalgia", "dichotomy", "diploma", "april", "sympathy", "digital"),
        *("rectangle", "sweater", "hospitality", "gastronomy", "cancelled", "calculate"),
        *("creating", "candidate", "extensive", "catalysis", "organisation", "important"),
    ],
)
def test_a_word_that_only_looks_like_one_of_medicine_is_not(word):
    assert domain_vocabulary().kind_of(word) not in {"medical", "shared"}


@pytest.mark.parametrize("word", ["poem", "stadium", "bitcoin", "airport", "parliament", "recipe"])
def test_words_of_other_fields_count_against_the_domain(word):
    assert domain_vocabulary().kind_of(word) == "elsewhere"


def test_each_listed_word_has_one_kind_and_can_be_met_in_a_text():
    lists = (*MEDICAL_LISTS, "shared", "elsewhere", "mistaken", "neutral", "unread")
    seen: dict[str, str] = {}
    for name in lists:
        group = "medical" if name in MEDICAL_LISTS else name
        for word in word_list(QUALITY_PACKAGE, DOMAIN_LISTS, name):
            stem = word.removesuffix("*")
            assert stem == stem.lower(), (name, word)
            assert stem.isalnum(), (name, word)
            assert seen.setdefault(word, group) == group, word
