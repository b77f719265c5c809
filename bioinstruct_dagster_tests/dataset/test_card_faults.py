"""What is missing on a card is named."""

import pytest

from bioinstruct_dagster.dataset.card_faults import faults_of_card

HEADER = """---
pretty_name: A set
task_categories: [text-generation]
size_categories: [n<1K]
configs: [{config_name: default, data_files: [{split: train, path: data/train-*.parquet}]}]
---
"""
TEXT = "# A set\n\n## Limits\n\nSome.\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train-0.parquet").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("card", "fault"),
    [
        (TEXT, "The card has no YAML header."),
        ("---\n- a\n---\n" + TEXT, "The header of the card is no YAML mapping."),
        (HEADER.replace("pretty_name: A set\n", "") + TEXT, "The header lacks pretty_name."),
        (
            HEADER.replace("train-", "test-") + TEXT,
            "The header names data/test-*.parquet, and no such file exists.",
        ),
        (HEADER + TEXT + "## Bias\n", "The section Bias is empty."),
        (HEADER + TEXT + "TODO\n", "The card holds the placeholder TODO."),
        (
            HEADER + TEXT + "[More Information Needed]\n",
            "The card holds the placeholder [More Information Needed].",
        ),
    ],
)
def test_a_fault_is_named(folder, card, fault):
    assert faults_of_card(card, folder) == [fault]


def test_a_complete_card_has_no_fault(folder):
    code = "```\n# TODO is no heading here\n```\n"
    assert faults_of_card(f"{HEADER}{TEXT}\n### Example\n\n{code}", folder) == []
