"""What each method of novelty does with one instruction that has many inputs."""

import pytest

from bioinstruct_dagster.curation.novelty.methods import NoveltyMethod
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction

ROWS = [
    NamedInstruction("a", "Answer this question truthfully.", "What is gout?"),
    NamedInstruction("b", "Answer this question truthfully.", "What is asthma?"),
    NamedInstruction("c", "Answer this question truthfully", "what is gout"),
    NamedInstruction("d", "Answer that question truthfully.", "What is scurvy?"),
]


@pytest.mark.parametrize(
    ("method", "kept"),
    [
        (NoveltyMethod("rouge"), "a"),
        (NoveltyMethod("rouge", 0.8), "ad"),
        (NoveltyMethod("exact"), "abd"),
        (NoveltyMethod("off"), "abcd"),
    ],
)
def test_the_method_decides_what_a_repetition_is(method, kept):
    verdicts = method.filter([]).check(ROWS)
    assert "".join(verdict.id for verdict in verdicts if verdict.novel) == kept
    assert method.compares_inputs is (method.name != "rouge")
