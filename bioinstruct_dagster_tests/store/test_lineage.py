"""The view `lineage`: it gives the origin of each row of a real materialization."""

import json
from datetime import datetime

import dagster as dg
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.series.prompts import TEMPLATE_ID, template
from bioinstruct_dagster.rehearsal.api_server.app import RehearsalTeacher, serve_teacher
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.settings import INPUTS, Settings
from bioinstruct_dagster.store.database import Store

MODEL = "gpt-4.1-mini"
DATA_SET = [
    "seed_tasks", "raw_instructions", "deduplicated_instructions", "categorized_instructions",
    "hf_dataset",
]  # fmt: skip
# Of a row made over the chat API, online; a server may leave out its tier, and no batch was used.
EMPTY = {"service_tier", "batch_id"}


class Made:
    """A materialized data set, its lineage, and what the server counted."""

    def __init__(self, folder):
        server = RehearsalTeacher(read_recordings())
        with serve_teacher(server) as url:
            self.url = url
            self.settings = Settings.of(
                data_dir=folder / "data",
                instructions=30,
                teacher="openai",
                teacher_model=MODEL,
                openai_base_url=url,
                openai_api_key="k",
            )
            defs = build_defs(self.settings)
            self.result = dg.materialize(
                [*defs.assets, *defs.asset_checks],
                selection=dg.AssetSelection.assets(*DATA_SET),
                resources=defs.resources,
                instance=dg.DagsterInstance.ephemeral(),
            )
        self.ledger = server.ledger.as_json()
        self.store = Store(self.settings.store.path)
        self.rows = self.store.rows("select * from lineage")
        self.kept = [row for row in self.rows if row["fate"] == "kept"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Made(tmp_path_factory.mktemp("lineage"))


def test_every_raw_row_is_there_once(made):
    raw = made.store.rows("select row_id from raw_instructions")
    assert sorted(row["row_id"] for row in made.rows) == sorted(row["row_id"] for row in raw)


def test_every_field_of_every_kept_row_is_filled(made):
    assert made.kept
    for row in made.kept:
        assert {name for name, value in row.items() if value is None} <= EMPTY


def test_the_seeds_shown_stand_in_the_prompt_that_was_sent(made):
    seeds = {row["seed_id"]: row for row in made.store.rows("select * from seed_tasks")}
    prompts = {
        row["completion_id"]: json.loads(row["messages"])[-1]["content"]
        for row in made.store.rows("select completion_id, messages from completions")
    }
    for row in made.rows:
        assert len(row["seed_ids"]) == 3
        for seed_id in row["seed_ids"]:
            shown = json.dumps(seeds[seed_id]["instruction"], ensure_ascii=False)
            assert shown in prompts[row["completion_id"]]


def test_a_rows_control_values_are_those_of_its_plan(made):
    controls = read_controls(INPUTS / "controls.yaml")
    prompts = {
        row["completion_id"]: json.loads(row["messages"])[-1]["content"]
        for row in made.store.rows("select completion_id, messages from completions")
    }
    for row in made.rows:
        assert row["controls_sha256"] == controls.sha256
        [line] = controls.lines([json.loads(row["controls"])])
        number = row["position"] + 1
        assert f"Task {number}{line.removeprefix('Task 1')}" in prompts[row["completion_id"]]


def test_template_model_and_way_of_asking_are_told(made):
    form = template("json_schema", controlled=True)
    for row in made.rows:
        assert (row["template_id"], row["template_sha256"]) == (TEMPLATE_ID, form.sha256)
        assert (row["model_asked"], row["model_answered"]) != (None, None)
        assert (row["model_asked"], row["teacher"], row["service"]) == (MODEL, "openai", "online")
        assert json.loads(row["parameters"])["seed"] is not None
        assert row["run_id"] == made.result.run_id
        assert row["endpoint"] in made.url
        assert row["request_id"].startswith("req_")
        assert row["system_fingerprint"]
        assert isinstance(row["requested_at"], datetime)
        assert row["requested_at"] <= row["completed_at"]
        assert row["rehearsal"]  # the server says that it is one


def test_the_rows_shares_add_up_to_what_was_billed(made):
    [paid] = made.store.rows(
        "select sum(prompt_tokens) as prompt, sum(completion_tokens) as output, sum(usd) as usd "
        "from completions join completion_outcomes using (completion_id) where tasks > 0"
    )
    shares = [
        sum(row[name] for row in made.rows)
        for name in ("prompt_tokens_share", "completion_tokens_share", "usd_share")
    ]
    assert shares == pytest.approx([paid["prompt"], paid["output"], paid["usd"]])
    assert paid["usd"] > 0
    [all_paid] = made.store.rows(
        "select sum(prompt_tokens) as prompt, sum(completion_tokens) as output from completions"
    )
    billed = (made.ledger["prompt_tokens"], made.ledger["completion_tokens"])
    assert (all_paid["prompt"], all_paid["output"]) == billed


def test_rejected_rows_say_why_and_have_no_category(made):
    rejected = [row for row in made.rows if row["fate"] != "kept"]
    reasons = {
        f"{row['gate']}: {row['reason']}"
        for row in made.store.rows("select gate, reason from rejected_instructions")
    }
    assert {row["fate"] for row in rejected} == reasons
    assert {(row["category"], row["split"]) for row in rejected} <= {(None, None)}
