"""White space around the text of a cell: what has a meaning stays."""

import pytest

from bioinstruct_dagster.generation.imports.cells import as_text, trimmed


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("   A   B\n   1   2\n", "   A   B\n   1   2"),
        ("\n \t\r\n    A B\n    1 2\n\n", "    A B\n    1 2"),
        ("\r\r  old Mac\r", "  old Mac"),
        ("\tdef f():\n\t\treturn 1 ", "\tdef f():\n\t\treturn 1"),
        ("A.\n\n  B. \n", "A.\n\n  B."),
        ("A. ", "A."),
        (" \n\t ", ""),
        ("", ""),
    ],
)
def test_the_first_line_stays_in_line_with_the_others(text, kept):
    assert trimmed(text) == kept


def test_a_long_blank_text_takes_no_time():
    assert trimmed(" \n" * 500_000 + "x" + " " * 500_000) == "x"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a", ("a", "")),
        (1.5, ("1.5", "")),
        (b"\xc3\xa4", ("ä", "")),
        (None, (None, "")),
        (float("nan"), (None, "")),
        (["a"], (None, "a list")),
        (True, (None, "true or false")),
    ],
)
def test_a_value_is_text_or_is_named(value, found):
    assert as_text(value) == found
