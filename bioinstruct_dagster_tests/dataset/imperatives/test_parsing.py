"""Reading by a spaCy model, and what is said of a model that can't be used."""

import pytest

from bioinstruct_dagster.curation.privacy.entities.language_model import chosen_model
from bioinstruct_dagster.dataset.imperatives.parsing import VerbModelError, parsed_imperatives
from bioinstruct_dagster.dataset.imperatives.reading import Imperative

TEXTS = ["Given a patient's history, identify the likely diagnoses.", "What is gout?", ""]


def test_a_model_that_is_missing_is_named_with_its_setting():
    with pytest.raises(VerbModelError, match=r"BIOINSTRUCT_VERB_MODEL: spaCy can't load 'no_such"):
        list(parsed_imperatives("no_such_model", TEXTS))


def test_a_model_without_a_parser_is_refused(tmp_path):
    spacy = pytest.importorskip("spacy")
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(VerbModelError, match="has no parser"):
        list(parsed_imperatives(str(tmp_path / "blank"), TEXTS))


def test_an_installed_model_reads_verbs():
    model = chosen_model("auto")
    if not model:
        pytest.skip("no spaCy model is installed")
    assert list(parsed_imperatives(model, TEXTS)) == [
        Imperative("identify", "diagnosis"),
        Imperative("", ""),
        Imperative("", ""),
    ]
