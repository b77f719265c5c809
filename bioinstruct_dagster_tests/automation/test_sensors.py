"""The sensor of the Batch API: when it skips, and that its runs complete the data set."""

from datetime import timedelta

import dagster as dg
import pytest

from bioinstruct_dagster.automation.sensors import JUDGE_S_BATCHES, batch_results
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.evaluation.judge.choice import open_judge
from bioinstruct_dagster.evaluation.judge.grades import GradedText
from bioinstruct_dagster.evaluation.judge.judging import judge
from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.curation.imports import rules_file

DAY = 86_400.0


class Project:
    """A project whose teacher uses the Batch API, with its own Dagster instance."""

    def __init__(self, folder, url, instance, **changed) -> None:
        self.settings = Settings.of(
            data_dir=folder / "data",
            openai_api_key="sk-of-the-tests",
            openai_base_url=url,
            service="batch",
            **{"teacher": "openai", "instructions": 10, **changed},
        )
        self.defs = build_defs(self.settings)
        self.store = Store(self.settings.store.path, timeout=10.0)
        self.instance = instance

    def run(self, **options):
        """Run the data set job."""
        selection = options.pop("asset_selection", None)
        job = self.defs.resolve_job_def("data_set")
        return job.execute_in_process(
            instance=self.instance, asset_selection=selection, raise_on_error=False, **options
        )

    def tick(self):
        """Evaluate the sensor: a run request, or the reason of a skip."""
        context = dg.build_sensor_context(
            instance=self.instance,
            resources={"store": self.store, "settings": self.settings},
        )
        return batch_results(context)

    def launch(self, request):
        """Run what a tick asked for."""
        result = self.run(run_config=request.run_config, asset_selection=request.asset_selection)
        assert result.success
        return result

    def settled(self):
        """Tick and run until no batch is open. Returns the number of runs."""
        for number in range(12):
            request = self.tick()
            if isinstance(request, dg.SkipReason):
                assert request.skip_message == "No batch is open."
                return number
            self.launch(request)
        raise AssertionError("It never came to an end.")

    def column(self, statement):
        """The one column of a statement."""
        return [next(iter(row.values())) for row in self.store.rows(statement)]


@pytest.fixture
def instance():
    """A Dagster instance of the test's own, in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def project(tmp_path, instance):
    """Start a server and make a project that asks it."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(options=None, **changed):
            teacher = RehearsalTeacher(read_recordings(), options=ServerOptions(**options or {}))
            made = Project(
                tmp_path, stack.enter_context(serve_teacher(teacher)), instance, **changed
            )
            made.teacher = teacher
            return made

        yield make


def materialized(result) -> set[str]:
    return {
        event.asset_key.to_user_string()
        for event in result.all_events
        if event.is_step_materialization
    }


def test_it_is_on_from_the_start_and_stops_before_training(project):
    assert batch_results.default_status == dg.DefaultSensorStatus.RUNNING
    job = project().defs.resolve_job_def(batch_results.job_name)
    steps = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert "hf_dataset" in steps
    assert not steps & {"lora_adapter", "eval_scores"}


def test_it_keeps_still_where_there_is_nothing_to_ask(project):
    made = project()
    assert made.tick().skip_message == "No batch is open."
    assert made.teacher.ledger.admitted == 0


def test_it_keeps_still_while_a_batch_is_under_way(project):
    made = project({"batch_seconds": DAY})
    first = made.run()
    assert first.success  # it has done all it could, and what follows waits
    assert materialized(first) == {"seed_tasks"}
    [batch_id] = made.column("select batch_id from batches")
    assert made.tick().skip_message == f"{batch_id} is validating"


def test_a_batch_of_the_judge_starts_no_run_of_the_data_set(project):
    made = project()
    made.store.replace({})
    text = GradedText("The knee hurts.", "Knee pain.", "Pain.")
    with open_judge(made.settings, made.store, lambda _: None) as session:
        assert judge(session, [text], [], seed=1).tally.pending == 1
    assert made.tick().skip_message == JUDGE_S_BATCHES
    assert made.run().success  # a batch of the data set is open too
    assert isinstance(made.tick(), dg.RunRequest)


def test_a_batch_ends_in_the_data_set_without_a_second_payment(project):
    made = project()
    assert made.run().success
    runs = made.settled()
    assert runs >= 2  # instructions, then their categories
    [rows] = made.column("select count(*) from hf_dataset")
    assert rows >= 10
    counts = made.teacher.ledger.as_json()
    assert counts["most_billed_of_a_digest"] == 1
    # The two requests of the probe, and the lines; every one of them is in the store.
    assert counts["billed"] == counts["batch_lines_billed"] + 2
    assert made.column("select count(*) from completions") == [counts["billed"]]
    assert made.tick().skip_message == "No batch is open."


def test_expired_and_failed_requests_are_sent_again(project):
    faults = {"faults": {"server_error": 0.4}, "fault_attempts": 1, "fault_seed": 1}
    made = project({"batch_expire_share": 0.5, **faults})
    assert made.run().success
    made.settled()
    assert "expired" in made.column("select status from batches")
    assert any("had an error" in detail for detail in made.column("select detail from batches"))
    [rows] = made.column("select count(*) from hf_dataset")
    assert rows >= 10
    assert made.teacher.ledger.as_json()["most_billed_of_a_digest"] == 1


def test_portions_follow_each_other_until_the_goal(project):
    made = project({"batch_token_limit": 6_000}, instructions=35)
    assert made.run().success
    made.settled()
    rows = made.store.rows("select state, requests, purpose from batches order by submitted_at")
    portions = [row for row in rows if row["purpose"] == "generation"]
    assert portions[0]["state"] == "failed"  # the whole, before the limit was known
    assert len(portions) >= 3
    assert all(row["state"] == "harvested" for row in portions[1:])
    assert max(row["requests"] for row in portions[1:]) < portions[0]["requests"]
    [kept] = made.column("select count(*) from hf_dataset")
    assert kept >= 35
    assert made.teacher.ledger.as_json()["most_billed_of_a_digest"] == 1


def test_the_new_run_has_the_first_runs_goal_seed_and_caps(project):
    made = project()
    config = {"instructions": 4, "seed": 5, "requests": 30, "max_usd": 2.0, "max_tokens": 900_000}
    assert made.run(run_config={"ops": {"raw_instructions": {"config": config}}}).success
    request = made.tick()
    assert request.run_config["ops"]["raw_instructions"]["config"] == config
    while request.asset_selection is None:
        made.launch(request)
        request = made.tick()
    # Labels alone are missing now: what the settings themselves ask for is nobody's wish here.
    after = ["categorized_instructions", "hf_dataset", "dataset_figures"]
    assert request.asset_selection == [dg.AssetKey(name) for name in after]
    assert materialized(made.launch(request)) == set(after)
    assert set(made.column("select run_seed from completions where purpose = 'generation'")) == {5}
    assert made.tick().skip_message == "No batch is open."
    [rows] = made.column("select count(*) from hf_dataset")
    assert 4 <= rows < 10


def test_growth_is_carried_over_as_the_goal_it_meant(project):
    made = project()
    assert made.run().success
    made.settled()
    [before] = made.column("select count(*) from deduplicated_instructions")
    grow = {"ops": {"raw_instructions": {"config": {"grow_by": 4}}}}
    assert made.run(run_config=grow).success
    config = made.tick().run_config["ops"]["raw_instructions"]["config"]
    assert config["instructions"] == before + 4
    assert "grow_by" not in config


def test_it_waits_for_a_run_that_asks_and_for_no_other(project):
    made = project()
    assert made.run().success
    for job, selected, waits in (
        ("experiment", None, False),
        ("__ASSET_JOB", {"lora_adapter"}, False),
        ("data_set", None, True),
        ("data_set_multiprocess", None, True),
        ("__ASSET_JOB", {"raw_instructions"}, True),
        ("__ASSET_JOB", {"categorized_instructions", "hf_dataset"}, True),
    ):
        keys = frozenset(dg.AssetKey(name) for name in selected) if selected else None
        run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, asset_selection=keys)
        made.instance.add_run(run)
        answer = made.tick()
        assert isinstance(answer, dg.SkipReason) == waits, job
        if waits:
            assert answer.skip_message == f"Run {run.run_id} has not finished yet."
        made.instance.delete_run(run.run_id)


def test_the_same_end_is_taken_up_once_an_hour(project, monkeypatch):
    import datetime as dt

    from bioinstruct_dagster.automation import sensors

    made = project()
    assert made.run().success
    key = made.tick().run_key
    assert made.tick().run_key == key
    later = dt.datetime.now(dt.UTC) + timedelta(hours=1)
    monkeypatch.setattr(sensors, "datetime", type("Clock", (), {"now": lambda _zone: later}))
    assert made.tick().run_key != key


def test_a_server_that_is_gone_is_a_reason_to_skip(project, tmp_path, instance):
    made = project()
    assert made.run().success
    gone = Project(tmp_path, "http://127.0.0.1:9/v1", instance)
    assert "another server" in gone.tick().skip_message
    keyless = made.settings.changed(openai_api_key=None)
    made.settings = keyless
    assert "OPENAI_API_KEY" in made.tick().skip_message


def test_the_embedded_teacher_works_by_batch_too(tmp_path, instance):
    made = Project(tmp_path, None, instance, teacher="rehearsal")
    assert made.run().success
    made.settled()
    assert made.column("select count(*) >= 10 from hf_dataset") == [True]
    assert set(made.column("select service from completions")) == {"batch"}


def test_a_batch_of_quality_checks_starts_no_generation(project, tmp_path):
    rules = rules_file(tmp_path / "rules.yaml", {"llm_incorrect": "reject"})
    made = project(quality_rules=rules)
    assert made.run().success
    request = made.tick()
    while request.asset_selection is None:
        made.launch(request)
        request = made.tick()
    assert request.asset_selection[0] == dg.AssetKey("deduplicated_instructions")
    asked = "select count(*) from completions where purpose = 'generation'"
    before = made.column(asked)
    made.launch(request)
    made.settled()
    assert made.column(asked) == before
    assert made.column("select count(*) from quality_checks")[0] >= 10
    assert made.column("select count(*) from hf_dataset")[0] >= 10
    assert made.teacher.ledger.as_json()["most_billed_of_a_digest"] == 1
