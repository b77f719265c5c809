"""The mapping of imported columns: every way to write it, and what it can't say."""

import pytest
from pydantic import ValidationError

from bioinstruct_dagster.generation.imports.columns import mapping_text
from bioinstruct_dagster.settings.generation import ImportSettings

OWN = {"instruction": "instruction", "input": "input", "output": "output"}


def columns_of(text):
    return ImportSettings.model_validate({"columns": text}).columns


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("instruction=q,output=a", {"instruction": "q", "output": "a"}),
        ("instruction=q,output=a,", {"instruction": "q", "output": "a"}),
        (" , instruction = q ,, output=a , ", {"instruction": "q", "output": "a"}),
        ("instruction=a=b", {"instruction": "a=b"}),
        ('{"instruction": "a,b", "output": " c "}', {"instruction": "a,b", "output": " c "}),
        (' {"messages": "a,b=c"}', {"messages": "a,b=c"}),
    ],
)
def test_a_mapping_is_read_as_it_is_written(text, named):
    found = columns_of(text)
    assert found == {**OWN, **named}
    assert columns_of(mapping_text(named)) == found


def test_a_column_called_input_that_holds_the_questions_is_read_once():
    assert columns_of("instruction=input") == {"instruction": "input", "output": "output"}
    with_inputs = {"instruction": "input", "input": "note", "output": "output"}
    assert columns_of("instruction=input,input=note") == with_inputs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (" ", "names no column"),
        (",", "names no column"),
        ("{}", "names no column"),
        ("instruction=a,b", r"'b' is not of the form .* a comma, write JSON: {\"instruction\""),
        ('{"instruction": "a"', "is no JSON object"),
        ('{"instruction": 7}', "'instruction: 7' is not of the form"),
        ('{"instruction": "a", "instruction": "b"}', "'instruction' is named twice"),
        ("instruction=a,input=a", "column 'a' is mapped to instruction and to input"),
        ("instruction=instruction,input=instruction", "mapped to instruction and to input"),
        ("instruction=output", "column 'output' is mapped to instruction and to output"),
        ('{"messages": "m", "output": "a"}', "'messages' stands alone"),
    ],
)
def test_a_mapping_that_says_nothing_or_two_things_is_refused_in_words(text, said):
    with pytest.raises(ValidationError, match=said):
        columns_of(text)
