"""Licences have the hub's names, and an adapter is called what its data bears out."""

import pytest

from bioinstruct_dagster.models.card_text import (
    adapter_in_words,
    adapter_tags,
    hub_id,
    licence_fields,
    rehearsal_note,
)


@pytest.mark.parametrize(
    ("licence", "fields"),
    [
        ("Apache-2.0", {"license": "apache-2.0"}),
        ("LLaMA 2\nCommunity License", {"license": "llama2"}),
        ("Gemma-Terms-1.0", {"license": "other", "license_name": "gemma-terms-1.0"}),
        ("MIT, as this project", {"license": "other"}),
        (None, {}),
        ("", {}),
    ],
)
def test_a_licence_has_the_names_of_the_hub(licence, fields):
    assert licence_fields(licence) == fields


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("meta-llama/Llama-2-7b-hf", "meta-llama/Llama-2-7b-hf"),
        ("rehearsal", None),
        ("/models/mine", None),
        ("./models/mine", None),
        ("bioinstruct_dagster/models", None),  # a folder of the project
        ("~/mine", None),
        ("a/b/c", None),
        ("a: b/c", None),
    ],
)
def test_only_a_hub_id_is_a_base_model_of_the_header(source, named):
    assert hub_id(source) == named


def test_nothing_is_claimed_of_the_subject_of_imported_rows():
    assert adapter_tags(imported=False, rehearsal=False) == ["biomedical"]
    assert adapter_tags(imported=True, rehearsal=True) == ["rehearsal"]
    assert adapter_in_words(imported=False) == "a LoRA adapter for biomedical instructions"
    assert adapter_in_words(imported=True) == "a LoRA adapter for instructions"


def test_the_warning_of_a_rehearsal_names_its_parts_and_is_empty_without_any():
    assert rehearsal_note(()) == ""
    assert "because this is so and that is so. It shows" in rehearsal_note(
        ["this is so", "that is so"]
    )
