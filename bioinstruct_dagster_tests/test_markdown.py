"""Texts from elsewhere stay on their line and in their code."""

import pytest

from bioinstruct_dagster.markdown import code, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```"), ("a\n# b", "`a # b`")],
)
def test_code_can_not_be_ended_by_its_text(text, shown):
    assert code(text) == shown


def test_a_text_is_put_on_one_line():
    assert one_line(" a\n\tb ") == "a b"
