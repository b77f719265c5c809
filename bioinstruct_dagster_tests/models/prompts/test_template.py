"""A prompt's text around the texts of a row."""

import pytest

from bioinstruct_dagster.models.prompts import PromptTemplate
from bioinstruct_dagster.models.prompts.template import PromptTexts

TEXTS = PromptTexts("Do {instruction} with {input}:", "Do {instruction}:")


@pytest.mark.parametrize("braces", ["{}", "{0}", "{name!r}", "{input}", "{instruction}", "{{", "}"])
def test_braces_of_a_text_are_text(braces):
    prompt = TEXTS.prompt_of(f"fill {braces}", f"a {braces} b")
    assert prompt == f"Do fill {braces} with a {braces} b:"
    assert TEXTS.prompt_of(braces, "") == f"Do {braces}:"


def test_a_template_renders_its_prompt():
    template = PromptTemplate("test/1", TEXTS.prompt_of, end_id=2, stop_ids=(2,))
    assert template.prompt_of("this", "that") == "Do this with that:"
    assert template.prompt_of("this", "") == "Do this:"
