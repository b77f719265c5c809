"""The real chain on a reduced rehearsal: teacher over HTTP, DuckDB, a Llama trained on the CPU,
scores.

All tests share one materialization, and each test checks one promise about it.
"""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import dagster as dg
import datasets
import pytest

from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.report import render
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.conftest import CHAIN, TINY_EXPERIMENTS
from bioinstruct_dagster_tests.curation.imports import found_faults, not_judged

pytestmark = pytest.mark.chain
PARTITION = "rehearsal-llama|all"
TASKS = "held_out,medqa,nli4ct,coreference"  # one of each kind of scoring


class Chain:
    """A materialized chain: settings, store, the run's result."""

    def __init__(self, folder: Path, **overrides: object) -> None:
        experiments = folder / "experiments.yaml"
        experiments.write_text(TINY_EXPERIMENTS, "utf-8")
        self.settings = Settings.of(
            data_dir=folder / "data",
            experiments=experiments,
            eval_dir=folder / "eval",
            evaluation_items=12,
            evaluate_tasks=TASKS,
            **{"requests": 40, **overrides},
        )
        self.store = Store(self.settings.store.path)
        self.defs = build_defs(self.settings)
        self.instance = dg.DagsterInstance.ephemeral()

    def materialize(
        self, *names: str, partition: str | None = PARTITION
    ) -> dg.ExecuteInProcessResult:
        """Materialize the named assets, or all of them."""
        assets = list(self.defs.assets)
        selection = dg.AssetSelection.assets(*names) if names else None
        return dg.materialize(
            [*assets, *self.defs.asset_checks],
            selection=selection,
            resources=self.defs.resources,
            partition_key=partition,
            instance=self.instance,
            raise_on_error=False,
        )


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """The whole chain, materialized once."""
    chain = Chain(tmp_path_factory.mktemp("chain"))
    chain.result = chain.materialize()
    assert chain.result.success
    return chain


def unwrapped(text):
    """A note of a page without the line breaks that fit it into its column."""
    return text.replace("\\\n", " ")


def metadata(chain, name):
    (event,) = chain.result.asset_materializations_for_node(name)
    return event.metadata


# The tiny adapter is trained for a few steps: it need not be better yet, which is a warning.
NOT_BETTER_YET = {"adapter_lowers_held_out_loss", "adapter_lowers_no_score"}


def test_every_check_passes_or_says_why_it_did_not_judge(chain):
    failed = {e.check_name for e in found_faults(chain.result)}
    assert failed <= {"evaluation_sets_are_at_hand", *NOT_BETTER_YET}
    # There is no evaluation set, and recorded replies follow no controls.
    assert not_judged(chain.result) - NOT_BETTER_YET == {
        "kept_rows_are_no_evaluation_items",
        "kept_rows_are_what_was_asked_for",
    }


@pytest.mark.parametrize("name", CHAIN)
def test_each_asset_shows_summary_count_schema_and_version(chain, name):
    shown = metadata(chain, name)
    assert shown["dagster/row_count"].value > 0
    assert next(iter(shown)) == "summary"
    assert shown["table columns"].schema.columns
    # Dagster would show a schema of its own key above all metadata.
    assert "dagster/column_schema" not in shown
    (event,) = chain.result.asset_materializations_for_node(name)
    assert event.tags["dagster/data_version"] == shown["fingerprint"].text[:16]


@pytest.mark.parametrize("name", CHAIN)
def test_the_summary_is_a_sentence_and_a_figure_in_place(chain, name):
    sentence, _, drawn = metadata(chain, name)["summary"].md_str.partition("\n\n")
    assert sentence.endswith(".")
    assert drawn.startswith("![")
    assert "<data:image/svg+xml," in drawn
    assert len(sentence) + 2 + len(drawn) < 1000  # longer Markdown is put behind a button


def test_no_number_on_a_page_has_more_digits_than_it_means(chain):
    for event in chain.result.get_asset_materialization_events():
        made = event.step_materialization_data.materialization
        for key, value in made.metadata.items():
            where = f"{made.asset_key.to_user_string()}: {key}: {value.value}"
            if isinstance(value, dg.FloatMetadataValue):
                number = value.value
                assert number in (round(number, 4), float(f"{number:.6g}")), where
            elif isinstance(value, dg.MarkdownMetadataValue):
                text = re.sub(r"!\[.*?\]\(.*?\)", "", value.value)
                # Six significant digits, behind leading zeros.
                assert not re.search(r"(?<![\d.])\d+\.0*[1-9]\d{6,}(?!\d)", text), where


@pytest.mark.parametrize("name", CHAIN)
def test_what_dagster_plots_is_rounded_and_no_choice(chain, name):
    plotted = {
        key: value.value
        for key, value in metadata(chain, name).items()
        if isinstance(value, dg.FloatMetadataValue)
    }
    assert all(round(value, 6) == value for value in plotted.values()), plotted


@pytest.mark.parametrize("name", CHAIN)
def test_the_keys_leave_room_for_the_figure(chain, name):
    # Dagster breaks a key only at a space. The longest word makes the column of keys so wide.
    words = {word for key in metadata(chain, name) for word in key.split(" ")}
    assert {word for word in words if len(word) > 11} <= {"dagster/row_count"}


def test_findings_follow_the_scores_in_the_same_run(chain):
    """One run has a partition for the scores and none for the findings."""
    shown = metadata(chain, "leaderboard")
    assert next(iter(shown)) == "summary"
    assert shown["summary"].md_str.startswith("Rehearsal")
    assert len(shown["summary"].md_str) < 1000
    assert shown["figure"].md_str.startswith("![figure](data:image/png;base64,")
    (event,) = chain.result.asset_materializations_for_node("leaderboard")
    assert event.partition is None
    assert chain.store.rows("select distinct base_model, recipe from leaderboard") == [
        {"base_model": "rehearsal-llama", "recipe": "all"}
    ]
    for name in ("leaderboard", "category_ablation"):
        for ending in ("png", "svg", "csv"):
            path = chain.settings.store.data_dir / "reports" / f"{name}.{ending}"
            assert str(path) == metadata(chain, name)[f"{ending.upper()} file"].path
            assert path.stat().st_size > 0
    assert "| rehearsal-llama | all | held-out |" in shown["rows"].md_str
    missing = unwrapped(metadata(chain, "category_ablation")["scored"].md_str)
    assert "1 of 2 recipes of rehearsal-llama are scored" in missing
    assert '"rehearsal-llama|information_extraction"' in missing
    scaling = unwrapped(metadata(chain, "data_scaling")["scored"].md_str)
    assert "no recipe of several sizes" in scaling


def test_the_study_report_is_one_file_with_the_rehearsal_s_answer_and_examples(chain):
    shown = metadata(chain, "study_report")
    assert next(iter(shown)) == "summary"
    assert shown["summary"].md_str.startswith("Rehearsal")
    assert len(shown["summary"].md_str) < 1000
    assert shown["rehearsal"].value
    html = Path(shown["report"].path).read_text("utf-8")
    assert "REHEARSAL, not a result" in html
    assert "No scaling curve: data_scaling" in html
    for task in TASKS.split(","):  # fixtures and own rows ship
        assert f'<h3 id="example-{task}">' in html
    assert not re.findall(r"""(?:src|href)=["'](?!#)""", html.replace("xlink:href", "href"))
    statements = re.findall(r"<code>(.*?)</code>", html, re.DOTALL)
    assert len(statements) >= 15
    for statement in statements:
        assert chain.store.rows(unescape(statement)), statement


def test_rehearsal_is_marked_in_every_row(chain):
    for table in (
        "completions", "raw_instructions", "deduplicated_instructions", "rejected_instructions",
        "categorized_instructions", "hf_dataset", "lora_adapter", "eval_scores", "eval_predictions",
        "eval_class_counts", "leaderboard", "category_ablation",
    ):  # fmt: skip
        [counts] = chain.store.rows(
            f"select count(*) as n, count_if(rehearsal) as marked from {table}"
        )
        assert counts["n"] == counts["marked"] > 0, table


def test_the_run_is_marked_as_a_rehearsal(chain):
    run = chain.instance.get_run_by_id(chain.result.run_id)
    assert run.tags["rehearsal"] == "true"


def test_the_columns_are_explained(chain):
    schema = metadata(chain, "deduplicated_instructions")["table columns"].schema
    notes = {column.name: column.description for column in schema.columns}
    assert notes["repaired"] == "fields whose text a gate repaired"
    assert all(notes.values())


def test_lineage_links_a_row_to_completion_seeds_and_cost(chain):
    statement = """
        select lineage.row_id, lineage.request_id, lineage.usd_share, lineage.rehearsal,
            completion.messages, list(seed.instruction) as seeds
        from lineage
        join completions as completion using (completion_id)
        join seed_tasks as seed on list_contains(lineage.seed_ids, seed.seed_id)
        where lineage.fate = 'kept' and lineage.split = 'test'
        group by all
    """
    rows = chain.store.rows(statement)
    assert rows
    for row in rows:
        prompt = json.loads(row["messages"])[1]["content"]
        assert len(row["seeds"]) == 3
        for seed in row["seeds"]:
            assert json.dumps(seed, ensure_ascii=False) in prompt
        assert row["request_id"].startswith("req_")
        assert row["usd_share"] > 0  # of a pretended price
        assert row["rehearsal"]


def test_the_funnel_adds_up(chain):
    funnel = chain.store.rows("select stage, outcome, rows from funnel")
    total = {}
    for row in funnel:
        total[row["stage"]] = total.get(row["stage"], 0) + row["rows"]
    [asked] = chain.store.rows(
        "select count(*) as n, count(distinct request_number) as numbers from completions "
        "where purpose = 'generation'"
    )
    assert asked["numbers"] == 40
    assert total["completions"] == asked["n"] >= 40  # a malformed reply is asked for once more
    assert total["raw_instructions"] == (
        total["rejected_instructions"] + total["deduplicated_instructions"]
    )
    assert total["deduplicated_instructions"] == total["hf_dataset"]
    assert total["rejected_instructions"] > 0


def test_load_dataset_opens_the_folder(chain):
    loaded = datasets.load_dataset(str(chain.settings.store.data_dir / "hf_dataset"))
    assert set(loaded) == {"train", "validation", "test"}
    assert (
        sum(len(split) for split in loaded.values())
        == metadata(chain, "hf_dataset")["dagster/row_count"].value
    )


def test_predictions_are_stored_for_base_and_adapter(chain):
    [counts] = chain.store.rows(
        "select count(*) as items, count(distinct (task, item_id)) as rows, "
        "count(distinct subject) as subjects, count(distinct task) as tasks from eval_predictions"
    )
    assert counts["subjects"] == 2
    assert counts["items"] == 2 * counts["rows"] > 0
    assert counts["tasks"] == len(TASKS.split(","))


def test_the_own_test_split_is_scored_by_the_names_of_its_rows(chain):
    [counts] = chain.store.rows(
        "select count(*) as n from eval_predictions as item join hf_dataset as placed "
        "on item.item_id = placed.row_id where item.task = 'held_out' and placed.split <> 'test'"
    )
    assert counts["n"] == 0
    [found] = chain.store.rows(
        "select count(*) as n from eval_predictions join raw_instructions on item_id = row_id"
    )
    assert found["n"] > 0


def test_scores_carry_interval_count_prompt_and_fingerprint(chain):
    [dataset] = chain.store.rows("select distinct dataset_fingerprint from hf_dataset")
    for row in chain.store.rows("select * from eval_scores"):
        if row["ci_low"] is not None and row["ci_high"] is not None:
            assert row["ci_low"] - 1e-9 <= row["score"] <= row["ci_high"] + 1e-9
        assert row["n"] > 0
        assert row["method"]
        assert row["items_source"] == ("own" if row["task"] == "held_out" else "fixture")
        assert row["prompt_version"] == "alpaca/1"
        assert row["dataset_fingerprint"] == dataset["dataset_fingerprint"]
        assert (row["adapter_sha256"] is None) == (row["subject"] == "base")


def test_the_report_tells_of_every_stage(chain):
    text = "\n".join(render(chain.settings, chain.store))
    for expected in (
        "seed tasks", "rejected", "information_extraction", "rehearsal-llama|all", "nli4ct",
        "rehearsal", "make ui", "BIOINSTRUCT_TEACHER=openai",
    ):  # fmt: skip
        assert expected in text


def test_a_second_run_pays_for_nothing_and_changes_nothing(chain):
    fingerprints = {
        name: metadata(chain, name)["fingerprint"].text
        for name in ("raw_instructions", "hf_dataset", "lora_adapter", "eval_scores")
    }
    again = chain.materialize()
    assert again.success
    (raw,) = again.asset_materializations_for_node("raw_instructions")
    assert raw.metadata["replies paid for"].value == 0
    before = metadata(chain, "raw_instructions")
    assert raw.metadata["replies reused"].value == before["replies paid for"].value
    (labels,) = again.asset_materializations_for_node("categorized_instructions")
    assert labels.metadata["replies paid for"].value == 0
    (adapter,) = again.asset_materializations_for_node("lora_adapter")
    assert adapter.metadata["reused"].value is True
    for name, fingerprint in fingerprints.items():
        (event,) = again.asset_materializations_for_node(name)
        assert event.metadata["fingerprint"].text == fingerprint, name


def test_an_adapter_of_other_data_is_not_scored(chain, tmp_path):
    shutil.copytree(chain.settings.store.data_dir, tmp_path / "data")
    grown = Chain(tmp_path, requests=44)
    built = grown.materialize(*CHAIN[: CHAIN.index("hf_dataset") + 1], partition=None)
    assert built.success
    # The pages of the adapter and of its scores say so, without a new run of theirs.
    for asset, check in OLDER_RESULT_CHECKS.items():
        key = dg.AssetCheckKey(dg.AssetKey(asset), check)
        found = grown.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        if asset == "judged_answers":
            assert not found  # the chain asks no judge
            continue
        evaluation = found[0].event.dagster_event.asset_check_evaluation_data
        assert not evaluation.passed
        assert f"{PARTITION}: of an older data set" in evaluation.description
    (event,) = built.asset_materializations_for_node("hf_dataset")
    assert PARTITION.replace("|", "\\|") in event.metadata["older results"].md_str
    text = "\n".join(render(grown.settings, grown.store))
    assert text.count("OLDER: of an older data set") == 2  # the adapter and its scores
    refused = grown.materialize("eval_scores")
    assert not refused.success
    (failure,) = refused.get_step_failure_events()
    assert "trained on another version of the data set" in failure.step_failure_data.error.message
