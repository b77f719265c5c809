"""Training and scoring on a new data set: what each tick starts, and why it waits."""

import dagster as dg
import pytest

from bioinstruct_dagster.automation.experiment_sensors import experiment_sensors
from bioinstruct_dagster.automation.run_estimates import (
    BASIS_TAG,
    EXPERIMENTS_TAG,
    GPU_HOURS_TAG,
    USD_TAG,
)
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.models.current_dataset import NO_DATA_SET
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster_tests.automation.made_adapters import adapter, data_set, score

ALL = ("rehearsal-llama", "all")
OTHER = ("rehearsal-llama", "information_extraction")


class Sensors:
    """The two sensors over a store and an instance of their own."""

    def __init__(self, store, settings, instance):
        self.store, self.settings, self.instance = store, settings, instance
        matrix = read_experiments(settings.models.experiments)
        self.train, self.evaluate = experiment_sensors(matrix)
        self.defs = build_defs(settings)

    def tick(self, sensor, **changed):
        """Evaluate a sensor: a run request, or the reason of a skip."""
        context = dg.build_sensor_context(
            instance=self.instance,
            repository_def=self.defs.get_repository_def(),
            resources={"store": self.store, "settings": self.settings.changed(**changed)},
        )
        return sensor(context)


@pytest.fixture
def sensors(store, settings):
    """The sensors over an empty store, and an instance in memory."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Sensors(store, settings, instance)


def asked_for(request):
    return request.run_config["ops"]["train_and_score"]["config"]


def test_both_are_off_until_switched_on(sensors):
    for sensor in (sensors.train, sensors.evaluate):
        assert sensor.default_status == dg.DefaultSensorStatus.STOPPED
        assert sensor.job_name == "study"


def test_nothing_is_started_without_a_data_set(sensors):
    assert sensors.tick(sensors.train).skip_message == NO_DATA_SET
    assert sensors.tick(sensors.evaluate).skip_message == NO_DATA_SET


def test_by_default_only_experiments_that_have_an_adapter_are_trained(sensors):
    data_set(sensors.store, "new")
    assert "No chosen experiment" in sensors.tick(sensors.train).skip_message
    adapter(sensors.store, ALL, "old")
    request = sensors.tick(sensors.train)
    assert asked_for(request) == {
        "experiments": ["rehearsal-llama|all"], "train": True, "score": False
    }  # fmt: skip
    assert request.run_key == "train new"
    adapter(sensors.store, ALL, "new")
    assert "No chosen experiment" in sensors.tick(sensors.train).skip_message


def test_named_experiments_are_trained_instead_or_besides(sensors):
    data_set(sensors.store, "new")
    adapter(sensors.store, ALL, "old")
    named = sensors.tick(sensors.train, train_on_release="*|information_extraction")
    assert asked_for(named)["experiments"] == ["|".join(OTHER)]
    both = sensors.tick(sensors.train, train_on_release="trained, *|information_extraction")
    assert asked_for(both)["experiments"] == ["|".join(ALL), "|".join(OTHER)]
    wrong = sensors.tick(sensors.train, train_on_release="no-such|experiment")
    assert "stands for no experiment" in wrong.skip_message


def test_the_tags_estimate_hours_by_tokens_and_earlier_throughput(sensors):
    data_set(sensors.store, "new", rows=40)
    # 100 tokens a row, so 4,000 tokens for 40 rows; at 100 tokens a second 40 seconds.
    adapter(sensors.store, ALL, "old", rows=20, tokens=2_000, speed=100.0, device="cuda")
    tags = sensors.tick(sensors.train).tags
    assert float(tags[GPU_HOURS_TAG]) == pytest.approx(40 / 3600, rel=0.05)
    assert "4,000 tokens" in tags[BASIS_TAG]
    assert tags[USD_TAG].startswith("0 ")
    assert tags[EXPERIMENTS_TAG] == "rehearsal-llama|all"


def test_an_experiment_that_was_never_trained_is_estimated_by_its_base_model_s_tokens(sensors):
    data_set(sensors.store, "new", rows=40)
    adapter(sensors.store, ALL, "new", rows=20, tokens=2_000, speed=100.0, device="cuda")
    named = sensors.tick(sensors.train, train_on_release="*|information_extraction")
    assert named.tags[GPU_HOURS_TAG] == "0"  # the data set has no row of its category


def test_hours_are_unknown_without_an_earlier_training(sensors):
    data_set(sensors.store, "new")
    request = sensors.tick(sensors.train, train_on_release="*|all")
    assert request.tags[GPU_HOURS_TAG] == "unknown"
    assert "no adapter was trained on rehearsal-llama yet" in request.tags[BASIS_TAG]


def test_on_a_cpu_the_tag_says_hours_but_no_gpu_hours(sensors):
    data_set(sensors.store, "new")
    adapter(sensors.store, ALL, "old", device="cpu")
    assert sensors.tick(sensors.train).tags[GPU_HOURS_TAG].startswith("0 (earlier runs used a CPU")


@pytest.mark.parametrize(
    ("job", "selected", "waits"),
    [
        ("data_set", None, True),
        ("study", None, True),
        ("__ASSET_JOB", {"hf_dataset"}, True),
        ("__ASSET_JOB", {"lora_adapter"}, True),
        ("__ASSET_JOB", {"seed_tasks"}, False),
    ],
)
def test_they_wait_for_runs_that_change_the_data_set_or_adapters(sensors, job, selected, waits):
    data_set(sensors.store, "new")
    adapter(sensors.store, ALL, "old")
    adapter(sensors.store, OTHER, "new")
    keys = frozenset(dg.AssetKey(name) for name in selected) if selected else None
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, asset_selection=keys)
    sensors.instance.add_run(run)
    for sensor in (sensors.train, sensors.evaluate):
        answer = sensors.tick(sensor)
        assert isinstance(answer, dg.SkipReason) == waits
        if waits:
            assert run.run_id in answer.skip_message


@pytest.mark.parametrize(
    ("passed", "severity", "waits"),
    [
        (False, dg.AssetCheckSeverity.ERROR, True),
        (False, dg.AssetCheckSeverity.WARN, False),
        (True, dg.AssetCheckSeverity.ERROR, False),
    ],
)
def test_no_version_that_fails_a_blocking_check_is_trained_on(sensors, passed, severity, waits):
    data_set(sensors.store, "new")
    adapter(sensors.store, ALL, "old")
    graph = sensors.defs.get_repository_def().asset_graph
    check = next(k for k in graph.asset_check_keys if k.asset_key == dg.AssetKey("hf_dataset"))
    sensors.instance.report_runless_asset_event(
        dg.AssetCheckEvaluation(
            asset_key=check.asset_key, check_name=check.name, passed=passed, severity=severity,
            metadata={},
        )
    )  # fmt: skip
    answer = sensors.tick(sensors.train)
    assert isinstance(answer, dg.SkipReason) == waits
    if waits:
        assert check.name in answer.skip_message


def test_only_adapters_of_the_present_data_set_without_scores_are_scored(sensors):
    data_set(sensors.store, "new")
    adapter(sensors.store, ALL, "old")
    adapter(sensors.store, OTHER, "new")
    request = sensors.tick(sensors.evaluate)
    assert asked_for(request) == {
        "experiments": ["|".join(OTHER)], "train": False, "score": True
    }  # fmt: skip
    assert request.tags[GPU_HOURS_TAG] == "unknown"
    assert "no earlier run scored" in request.tags[BASIS_TAG]
    score(sensors.store, OTHER, "new")
    assert "has scores" in sensors.tick(sensors.evaluate).skip_message


@pytest.mark.slow
def test_a_tick_s_run_trains_and_the_next_sensor_s_run_scores(store, settings, built_dataset):
    """The whole way, with real training: hf_dataset is new, both sensors tick, both runs end."""
    settings = settings.changed(evaluate_tasks="held_out", evaluation_items=4)
    settings.store.data_dir.mkdir(exist_ok=True)
    (settings.store.data_dir / "hf_dataset").symlink_to(built_dataset.path)
    placed = [
        {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
        | {"dataset_fingerprint": built_dataset.fingerprint}
        for row in built_dataset.rows
    ]
    store.replace({"hf_dataset": placed})
    adapter(store, ALL, "old")
    with dg.DagsterInstance.ephemeral() as instance:
        sensors = Sensors(store, settings, instance)
        job = sensors.defs.resolve_job_def("study")
        for sensor, made, other in (
            (sensors.train, "lora_adapter", "eval_scores"),
            (sensors.evaluate, "eval_scores", "lora_adapter"),
        ):
            request = sensors.tick(sensor)
            result = job.execute_in_process(
                run_config=request.run_config, instance=instance, tags=request.tags
            )
            events = [
                event.asset_key.to_user_string()
                for event in result.all_events
                if event.is_step_materialization
            ]
            assert made in events
            assert other not in events
            assert isinstance(sensors.tick(sensor), dg.SkipReason)


def test_hours_of_scoring_are_those_of_earlier_steps_on_the_same_base_model(sensors):
    data_set(sensors.store, "new")
    adapter(sensors.store, OTHER, "new")
    grid = dg.MultiPartitionsDefinition(
        {
            "base_model": dg.StaticPartitionsDefinition([ALL[0]]),
            "recipe": dg.StaticPartitionsDefinition([ALL[1], OTHER[1]]),
        }
    )

    @dg.asset(partitions_def=grid)
    def eval_scores() -> None:
        """A step that takes no time."""

    key = dg.MultiPartitionKey({"base_model": ALL[0], "recipe": ALL[1]})
    assert dg.materialize([eval_scores], instance=sensors.instance, partition_key=key).success
    tags = sensors.tick(sensors.evaluate).tags
    assert tags[GPU_HOURS_TAG].startswith("0 (earlier runs used a CPU: about ")
    assert "1 earlier scored adapters" in tags[BASIS_TAG]
