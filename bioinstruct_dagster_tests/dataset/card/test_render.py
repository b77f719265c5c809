"""The data set card: its YAML header, and the facts that it must state."""

import pytest
import yaml

from bioinstruct_dagster.dataset.card import Card, render_card
from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.render import _size_category
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


def written(rows):
    """The rows as if a real teacher had written them."""
    return [row | {"rehearsal": False, "labelled_by": "teacher:gpt-x"} for row in rows]


def test_rehearsal_is_named_where_it_is_and_only_there(dataset_rows):
    rehearsed, asked = card_of(dataset_rows), card_of(written(dataset_rows))
    assert "rehearsal" in header_of(rehearsed)["tags"]
    assert header_of(rehearsed)["pretty_name"] == "BioInstruct rebuild (rehearsal)"
    assert "> **Rehearsal.** All 60 rows of this set were made with" in body_of(rehearsed)
    assert "must not be" in body_of(rehearsed)
    assert "made by the method of BioInstruct" not in rehearsed
    assert "rehearsal" not in str(header_of(asked))
    assert "must not be" not in body_of(asked)
    assert "made by the method of BioInstruct" in asked


def test_a_set_that_is_partly_a_rehearsal_says_how_much(dataset_rows):
    text = card_of([*dataset_rows[:20], *written(dataset_rows[20:])])
    assert header_of(text)["pretty_name"] == "BioInstruct rebuild (partly rehearsal)"
    assert "> **Rehearsal.** 20 of 60 rows of this set were made with" in text
    assert "The categories of 20 of 60 rows are recorded labels" in text
    assert "A mixed set of 60 rows:\n\n- 40 rows of biomedical instructions, made by" in text
    assert "- 20 rows that the rehearsal teacher replayed." in text


@pytest.mark.parametrize(("other", "language"), [(0, ["en"]), (3, None), (None, None)])
def test_a_language_is_claimed_only_if_no_row_is_known_to_have_another(
    dataset_rows, other, language
):
    text = card_of(dataset_rows, other_language=other)
    assert header_of(text).get("language") == language
    assert ("- rows that are not English, by the quality gate: 3\n" in text) == (other == 3)


def test_a_task_is_claimed_only_if_rows_have_it(dataset_rows):
    none = [row | {"category": "other"} for row in dataset_rows]
    some = [*none[:-1], none[-1] | {"category": "question_answering"}]
    assert header_of(card_of(none))["task_categories"] == ["text-generation"]
    assert header_of(card_of(some))["task_categories"] == ["text-generation", "question-answering"]


def test_an_empty_split_is_shown_with_its_size(dataset_rows):
    card = Card(teacher="x", template="t", seeds_fingerprint="s")
    assert "| validation | 0 |\n" in render_card(card, dataset_rows, {"train": 60}, "f" * 64)


def test_the_card_says_where_the_rows_came_from(dataset_rows):
    body = body_of(card_of(dataset_rows, funnel=FUNNEL))
    for fact in (
        "- teacher: openai: gpt-x\n",
        "- prompt template: t/1\n",
        "- seed tasks: sha256 abc\n",
        f"- content (sha256): {'f' * 64}\n",
        "- sources: completion (60)\n",
        "Labelled by: teacher:rehearsal-teacher (60).\n",
        "| train | 48 |\n",
        "| rejected rows | novelty: repeats_seed | 7 |\n",
        "Not for clinical use.",
    ):
        assert fact in body


def test_categories_are_counted_with_their_share(dataset_rows):
    rows = [row | {"category": "other"} for row in dataset_rows[:15]]
    rows += [row | {"category": "generation"} for row in dataset_rows[15:]]
    body = body_of(card_of(rows))
    assert "| generation | 45 | 75.0 % | 33.5 % |\n| other | 15 | 25.0 % | 10.0 % |\n" in body


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
    assert "The gates:\n\n- privacy: version abc; action: reject\n" in body


HASH = "0123456789ab"
LOCAL = "/home/maria/sets/chat.jsonl"


def imported(rows, source=f"import:chat.jsonl@{HASH}"):
    change = {"source": source, "completion_id": None, "labelled_by": "embedded-classifier"}
    return [row | change for row in rows]


def test_the_card_of_an_import_says_from_where_and_nothing_of_a_method(dataset_rows):
    text = card_of(imported(dataset_rows), funnel=FUNNEL)
    header, body = header_of(text), body_of(text)
    assert header["pretty_name"] == "Imported instruction set chat.jsonl"
    assert header["tags"] == ["instruction-tuning"]
    assert header["task_categories"] == ["text-generation"]
    assert "language" not in header
    assert f"60 rows, imported from the file `chat.jsonl` (sha256 begins with {HASH})" in body
    assert "The imported rows are under the licence of the file `chat.jsonl`" in body
    # The published set stands beside any set, but nothing of it is said of this one.
    said = text.split("## Citation")[0].replace(published_set().source, "").lower()
    said = said.replace("published bioinstruct", "")
    said = said.replace("`bioinstruct_dataset_licence`", "")
    said = said.split("## example")[0] + said.split("## categories")[1]
    for word in (
        "bioinstruct",
        "teacher",
        "synthetic",
        "seed tasks",
        "rebuild",
        "template",
        "paper",
    ):
        assert word not in said, word


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import:owner/name@train", "the data set `owner/name`, split `train`"),
        ("import:owner/name", "the set `owner/name`"),
        (f"import:{LOCAL}", "the set `chat.jsonl`"),
        (f"import:odd `name` \n# x.csv@{HASH}", "the file `` odd `name` # x.csv `` (sha256"),
    ],
)
def test_the_card_names_any_source_without_its_folder(dataset_rows, source, said):
    text = card_of(imported(dataset_rows, source))
    assert said in body_of(text)
    assert "maria" not in text
    assert "\n# x.csv" not in text


def test_a_mixed_set_says_both(dataset_rows):
    text = card_of([*written(dataset_rows[:40]), *imported(dataset_rows[40:])], other_language=0)
    assert header_of(text)["pretty_name"] == "BioInstruct rebuild, mixed with chat.jsonl"
    assert "synthetic" in header_of(text)["tags"]
    assert "language" not in header_of(text)
    assert "A mixed set of 60 rows:" in text
    assert "- 40 rows of biomedical instructions, made by the method of BioInstruct" in text
    assert "- 20 rows, imported from the file `chat.jsonl`" in text
    assert "- sources: completion (40), the file `chat.jsonl`" in text
    assert "The generated rows are outputs of" in text
    assert "The imported rows are under the licence of" in text
    assert "empty if the row was imported" in text
    assert "ehearsal." not in text.split("## How to load it")[0]


def test_a_set_of_three_origins_counts_each(dataset_rows):
    text = card_of(
        [*dataset_rows[:10], *written(dataset_rows[10:40]), *imported(dataset_rows[40:])]
    )
    for said in ("- 30 rows of", "- 10 rows that the", "- 20 rows, imported", "10 of 60 rows of"):
        assert said in text, said


def test_several_imported_sets_are_counted_apart(dataset_rows):
    other = imported(dataset_rows[40:], "import:owner/name@train")
    text = card_of([*imported(dataset_rows[:40]), *other])
    assert f"`chat.jsonl` (sha256 begins with {HASH}) (40 rows); the data set" in text
    assert "`owner/name`, split `train` (20 rows)" in text


def test_an_import_with_recorded_labels_says_that_only_they_are_rehearsed(dataset_rows):
    rows = imported(dataset_rows)
    rows[:7] = [row | {"labelled_by": "teacher:rehearsal-teacher"} for row in rows[:7]]
    text = card_of(rows)
    assert "rehearsal" not in header_of(text)["tags"]
    assert "(rehearsal)" not in text
    assert "categories of 7 of 60 rows are recorded labels" in text
    assert "**Rehearsal.**" not in text


@pytest.mark.parametrize("trap", ["```", "a\n```\n# Heading", "`````", "x" * 290 + "`" * 20])
def test_no_example_leaves_its_fence(dataset_rows, trap):
    rows = [row | {"instruction": trap, "input": trap, "output": trap} for row in dataset_rows]
    example = body_of(card_of(rows)).split("## Example\n\n")[1].split("\n\n## ")[0].split("\n")
    fence = example[0]
    assert set(fence) == {"`"}
    assert example[-1] == fence
    assert not any(line.strip().startswith(fence) for line in example[1:-1])


def test_the_card_says_by_what_the_rows_are_split(dataset_rows):
    assert "A hash of the instruction decides the split" in card_of(dataset_rows)
    both = card_of(dataset_rows, split_by="instruction_and_input")
    assert "A hash of the instruction and input decides the split" in both


def test_the_limits_name_the_rows_that_a_gate_marked(dataset_rows):
    said = "privacy: 3 of the rows hold identifiers that the gate found and let stay."
    limits = card_of(dataset_rows, marked=[said]).split("## Limits")[1]
    assert f"- {said}\n" in limits
    assert "- privacy" not in card_of(dataset_rows)


def test_a_set_of_one_replayed_row_is_spoken_of_in_the_singular(dataset_rows):
    text = card_of(dataset_rows[:1])
    assert "> **Rehearsal.** The only row of this set was made with" in text
    assert "The categories of the only row are recorded labels" in text


def test_within_a_sentence_all_rows_have_no_capital(dataset_rows):
    assert "The categories of all 60 rows are recorded labels" in card_of(dataset_rows)
