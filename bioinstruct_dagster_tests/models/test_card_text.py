"""Names on a card stay on their line, and licences have the hub's names."""

import pytest

from bioinstruct_dagster.models.card_text import code, hub_id, licence_fields, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("a\n# b", "`a # b`")],
)
def test_code_can_not_be_ended_by_its_text(text, shown):
    assert code(text) == shown


def test_a_text_is_put_on_one_line():
    assert one_line(" a\n\tb ") == "a b"


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
