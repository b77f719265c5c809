"""The text of a prompt is found by its hash, and by nothing else."""

import pytest

from bioinstruct_dagster.dataset.card.prompt_text import text_of_prompt
from bioinstruct_dagster.generation.series.prompts import SYSTEM_PROMPT, template


@pytest.mark.parametrize("controlled", [True, False])
@pytest.mark.parametrize("reply_format", ["json_schema", "json_object", "text"])
def test_each_prompt_is_found(reply_format, controlled):
    sha256 = template(reply_format, controlled=controlled).sha256
    system, user = text_of_prompt(sha256, reply_format)
    assert system == SYSTEM_PROMPT
    assert ("to this plan" in user) is controlled
    assert "{examples}" in user
    assert "{answer}" not in user
    assert "{plan}" not in user


def test_a_prompt_of_another_version_has_no_text():
    assert text_of_prompt("0" * 64, "text") is None
