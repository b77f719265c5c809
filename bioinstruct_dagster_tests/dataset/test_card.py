"""The data set card: its YAML header, and the facts that it must state."""

import pytest
import yaml

from bioinstruct_dagster.dataset.card import Card, _size_category, render_card
from bioinstruct_dagster.dataset.splits import SPLITS

FUNNEL = [
    {"stage": "seed_tasks", "outcome": "kept", "rows": 80},
    {"stage": "rejected_instructions", "outcome": "novelty: repeats_seed", "rows": 7},
]
SIZES = {"train": 48, "validation": 5, "test": 7}


def card_of(rows, **changes):
    card = Card(
        **{"teacher": "openai: gpt-x", "template": "t/1", "seeds_fingerprint": "abc"} | changes
    )
    return render_card(card, rows, SIZES, "f" * 64)


def header_of(text):
    assert text.startswith("---\n")
    return yaml.safe_load(text.split("---\n")[1])


def body_of(text):
    return text.split("---\n", 2)[2]


def test_the_header_is_yaml_that_names_the_files_of_every_split(built_dataset):
    header = header_of((built_dataset.path / "README.md").read_text("utf-8"))
    (config,) = header["configs"]
    assert config["config_name"] == "default"
    assert [part["split"] for part in config["data_files"]] == list(SPLITS)
    for part in config["data_files"]:
        (file,) = built_dataset.path.glob(part["path"])
        assert file.name.startswith(part["split"])
    assert header["size_categories"] == ["n<1K"]


def test_rehearsal_is_named_where_it_is_and_only_there(dataset_rows):
    real = [row | {"labelled_by": "teacher:gpt-x"} for row in dataset_rows]
    rehearsed, asked = card_of(real, rehearsal=True), card_of(real, rehearsal=False)
    assert "rehearsal" in header_of(rehearsed)["tags"]
    assert "(rehearsal)" in header_of(rehearsed)["pretty_name"]
    assert "must not be" in body_of(rehearsed)
    assert "rehearsal" not in str(header_of(asked))
    assert "must not be" not in body_of(asked)


def test_the_card_says_where_the_rows_came_from(dataset_rows):
    body = body_of(card_of(dataset_rows, funnel=FUNNEL))
    for fact in (
        "- teacher: openai: gpt-x\n",
        "- prompt template: t/1\n",
        "- seed tasks (sha256): abc\n",
        f"- content (sha256): {'f' * 64}\n",
        "- sources: completion (60)\n",
        "- labelled by: teacher:rehearsal-teacher (60)\n",
        "- train: 48\n",
        "| rejected_instructions | novelty: repeats_seed | 7 |\n",
        "Not for clinical use.",
    ):
        assert fact in body


def test_categories_are_counted_with_their_share(dataset_rows):
    rows = [row | {"category": "other"} for row in dataset_rows[:15]]
    rows += [row | {"category": "generation"} for row in dataset_rows[15:]]
    body = body_of(card_of(rows))
    assert "- generation: 45 (75.0%)\n- other: 15 (25.0%)\n" in body


def test_a_long_example_is_cut(dataset_rows):
    long = [dataset_rows[0] | {"output": "x" * 5_000}, *dataset_rows[1:]]
    body = body_of(card_of(long))
    assert f"instruction: {dataset_rows[0]['instruction']}\n" in body
    assert "x" * 5_000 not in body
    assert "x" * 250 in body


@pytest.mark.parametrize(
    "trap", ["---\nlicense: none", "text with ``` a fence", "# heading", "| a | b |", "{braces}"]
)
def test_no_text_of_a_row_breaks_the_header(dataset_rows, trap):
    rows = [row | {"instruction": trap, "output": trap} for row in dataset_rows]
    usual, found = header_of(card_of(dataset_rows)), header_of(card_of(rows))
    assert len(found.pop("configs")) == len(usual.pop("configs")) == 1
    assert found == usual


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (9_999, "1K<n<10K"),
        (10_000, "10K<n<100K"),
        (100_000, "100K<n<1M"),
        (999_999, "100K<n<1M"),
        (1_000_000, "1M<n<10M"),
    ],
)
def test_the_size_category_is_the_hubs(rows, name):
    assert _size_category(rows) == name


def test_a_set_without_rows_has_a_card(dataset_rows):
    assert header_of(card_of([]))["size_categories"] == ["n<1K"]
    assert "## Example" not in card_of([])
    assert "## Example" in card_of(dataset_rows)


def test_the_card_tells_what_each_gate_was(dataset_rows):
    body = body_of(card_of(dataset_rows, gates={"privacy": "version abc; action: reject"}))
    assert "## Gates\n\n- privacy: version abc; action: reject\n" in body
