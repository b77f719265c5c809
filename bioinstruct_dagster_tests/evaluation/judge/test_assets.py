"""The asset `judged_answers`: the rehearsal's judge over real HTTP, and what it refuses to do."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from bioinstruct_dagster.evaluation.judge.assets import judged_answers_asset
from bioinstruct_dagster.evaluation.judge.checks import judge_is_proven, judge_scores_schema
from bioinstruct_dagster.evaluation.selection import chosen_tasks
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.models.experiments.names import experiment_columns
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column

ONE = ("rehearsal-llama", "all")
OTHER = ("rehearsal-llama", "information_extraction")
ITEMS = 6
TASK = "mts_dialog"


NEEDED = """
    select column_name, data_type
    from information_schema.columns
    where table_name = $table and is_nullable = 'NO'
"""
ANYTHING = {"VARCHAR": "x", "BOOLEAN": False, "DOUBLE": 0.0, "BIGINT": 0}


def filled(store, table, rows):
    """The rows with something in each column that must not be null and that the judge ignores."""
    needed = {row["column_name"]: row["data_type"] for row in store.rows(NEEDED, {"table": table})}
    return [
        {name: ANYTHING.get(kind) for name, kind in needed.items() if name not in row} | row
        for row in rows
    ]


class Scored:
    """A store with scored answers of experiments, and the asset over it."""

    def __init__(self, store, settings):
        self.store = store
        self.settings = settings.changed(
            evaluation_items=ITEMS, evaluate_tasks=f"medqa,{TASK}", eval_dir=store.path.parent / "x"
        )
        (self.task,) = [
            one
            for one in chosen_tasks(self.settings, (), rehearsal=True).tasks
            if one.task.name == TASK
        ]
        self.instance = dg.DagsterInstance.ephemeral()
        store.replace({})

    def answer(self, experiment, *, base="Nothing is known.", fingerprint=None, adapter=None):
        """Store scores and predictions of an experiment, whose adapter repeats the reference."""
        columns = experiment_columns(experiment)
        provenance = {
            **columns,
            "task": TASK,
            "items": "all",
            "items_fingerprint": fingerprint or self.task.fingerprint,
            "items_source": self.task.source,
            "rehearsal": True,
            "scored_at": datetime.now(UTC),
        }
        scores = [
            {
                **provenance,
                "metric": metric,
                "subject": subject,
                "adapter_sha256": None if subject == "base" else "a",
            }
            for metric in ("rouge_1", "rouge_l")
            for subject in ("base", "adapter", "difference")
        ]
        predictions = [
            {
                **columns,
                "task": TASK,
                "subject": subject,
                "item_id": item.id,
                "prediction": base if subject == "base" else adapter or item.answers[0],
                "value": 0.5,
                "answer_key": "key",
                "metrics": "{}",
                "rehearsal": True,
            }
            for item in self.task.items
            for subject in ("base", "adapter")
        ]
        rows = {"eval_scores": scores, "eval_predictions": predictions}
        filled_rows = {table: filled(self.store, table, of) for table, of in rows.items()}
        self.store.replace(filled_rows, part=columns)

    def run(self, experiment=ONE, **changed):
        """Materialize the asset for an experiment; the result, and the lines of the log."""
        settings = self.settings.changed(**changed)
        asset = judged_answers_asset(read_experiments(settings.models.experiments))
        result = dg.materialize(
            [asset, dg.AssetSpec("eval_scores")],
            selection=[asset],
            partition_key=dg.MultiPartitionKey(
                {"base_model": experiment[0], "recipe": experiment[1]}
            ),
            resources={"store": self.store, "settings": settings},
            instance=self.instance,
            raise_on_error=False,
        )
        logs = [str(entry.user_message) for entry in self.instance.all_logs(result.run_id)]
        failures = [event.step_failure_data for event in result.get_step_failure_events()]
        return result, "\n".join([*logs, *(failure.error.message for failure in failures)])

    def materialized(self):
        """The events of the asset."""
        records = self.instance.fetch_materializations(dg.AssetKey("judged_answers"), limit=10)
        return [record.asset_materialization for record in records.records]


@pytest.fixture
def scored(store, settings):
    return Scored(store, settings)


def rows_by_name(store, experiment=ONE):
    rows = store.rows(
        "select * from judge_scores where base_model = $base_model and recipe = $recipe",
        experiment_columns(experiment),
    )
    return {(row["metric"], row["subject"]): row for row in rows}


def test_the_rehearsal_s_judge_scores_an_experiment_and_is_marked_everywhere(scored, store):
    scored.answer(ONE)
    result, _ = scored.run()
    assert result.success
    found = rows_by_name(store)
    recall = found["judge_factual_recall", "adapter"]
    assert (recall["score"], recall["n"], recall["drawn"]) == (1.0, ITEMS, ITEMS)
    assert found["judge_factual_recall", "difference"]["score"] > 0.9
    assert found["judge_win_rate", "difference"]["score"] == 1.0
    assert {row["judge_state"] for row in found.values()} == {"rehearsal"}
    assert all(row["rehearsal"] for row in found.values())
    assert {row["judge_model"] for row in found.values()} == {"rehearsal-teacher"}
    (event,) = scored.materialized()
    assert event.partition == "rehearsal-llama|all"
    assert event.metadata["judge state"].value == "rehearsal"
    assert event.metadata["rehearsal"].value is True
    assert judge_scores_schema(store=store).passed
    assert not judge_is_proven(store=store).passed


def test_nothing_is_paid_again_and_another_experiment_pays_for_its_own_answers(scored, store):
    scored.answer(ONE)
    scored.run()
    paid = len(column(store, "completions", "completion_id"))
    assert paid == 2 * ITEMS + 2 * ITEMS
    scored.run()
    assert len(column(store, "completions", "completion_id")) == paid
    scored.answer(OTHER, adapter="Fever.")
    scored.run(OTHER)
    # The base model's answers are graded already; six new answers are one text for each item.
    assert len(column(store, "completions", "completion_id")) == paid + ITEMS + 2 * ITEMS
    assert rows_by_name(store).keys() == rows_by_name(store, OTHER).keys()


def test_a_judge_that_is_off_is_said_and_leaves_no_event(scored, store):
    scored.answer(ONE)
    result, log = scored.run(judge="off")
    assert result.success
    assert "BIOINSTRUCT_JUDGE is off" in log
    assert scored.materialized() == []
    assert column(store, "completions", "completion_id") == []


def test_only_a_proven_judge_is_asked_if_the_setting_says_so(scored, store):
    scored.answer(ONE)
    result, log = scored.run(judge="proven")
    assert result.success
    assert "this judge was not asked" in log
    assert column(store, "completions", "completion_id") == []


def test_items_that_changed_since_they_were_scored_are_not_judged(scored, store):
    scored.answer(ONE, fingerprint="another")
    result, log = scored.run()
    assert result.success
    assert "are not those that were scored" in log
    assert "passed over" in log
    assert column(store, "completions", "completion_id") == []


def test_an_experiment_without_scores_is_passed_over(scored):
    result, log = scored.run()
    assert result.success
    assert "Materialize key:eval_scores" in log
    assert scored.materialized() == []


def test_fewer_items_and_no_pairs(scored, store):
    scored.answer(ONE)
    scored.run(judge_items=2, judge_pairs="off")
    found = rows_by_name(store)
    assert ("judge_win_rate", "difference") not in found
    assert found["judge_factual_f1", "base"]["drawn"] == 2
    assert len(column(store, "completions", "completion_id")) == 4


def test_a_cap_leaves_scores_of_a_part_and_says_so(scored, store):
    scored.answer(ONE)
    result, log = scored.run(judge_max_tokens=8_000, concurrency=1)
    assert result.success
    assert "BIOINSTRUCT_JUDGE_MAX_TOKENS is reached" in log
    found = rows_by_name(store)["judge_factual_recall", "adapter"]
    assert 0 < found["n"] < ITEMS
    assert found["n"] + found["not_asked"] == ITEMS
    scored.run()
    assert rows_by_name(store)["judge_factual_recall", "adapter"]["not_asked"] == 0


def test_a_batch_leaves_no_event_until_it_has_ended(scored):
    scored.answer(ONE)
    _, log = scored.run(service="batch")
    assert "Materialize key:judged_answers again" in log
    assert scored.materialized() == []
    scored.run(service="batch")
    assert len(scored.materialized()) == 1


def test_a_wrong_setting_fails_the_step_with_its_name(scored):
    scored.answer(ONE)
    result, log = scored.run(judge_model="gpt-5")
    assert not result.success
    assert "BIOINSTRUCT_JUDGE_MODEL" in log
