"""What a command prints if it names a wrong partition or a wrong configuration."""

import subprocess
import sys

import dagster as dg
import pytest

from bioinstruct_dagster.automation.command_line import stated
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.models.partitions import missing_partition, unknown_partitions


@pytest.fixture
def matrix(settings):
    return read_experiments(settings.models.experiments)


def command(environment, *arguments):
    """What a command prints when it ends."""
    ended = subprocess.run(
        [sys.executable, "-m", "dagster", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode
    assert "Traceback" not in ended.stderr
    return ended.stderr


MATERIALIZE = ("asset", "materialize", "-m", "bioinstruct_dagster", "--select", "key:lora_adapter")


def test_a_missing_partition_lists_those_there_are(environment, matrix):
    said = command(environment, *MATERIALIZE)
    assert said.endswith(f"\n{missing_partition(matrix)}\n")
    assert "--partition 'rehearsal-llama|all'" in said


def test_a_misspelt_partition_names_the_nearest_and_lists_those_there_are(environment, matrix):
    said = command(environment, *MATERIALIZE, "--partition", "rehearsal-lama|all")
    assert said.endswith(f"\n{unknown_partitions(matrix, ['rehearsal-lama|all'])}\n")
    assert "did you mean 'rehearsal-llama|all'?" in said


def test_a_value_of_a_wrong_kind_names_its_field(environment):
    config = '{"ops": {"lora_adapter": {"config": {"retrain": 3}}}}'
    said = command(
        environment, *MATERIALIZE, "--partition", "rehearsal-llama|all", "--config-json", config
    )
    assert "The run config has faults:\n" in said
    assert "ops:lora_adapter:config:retrain" in said


def test_configuration_under_a_misspelt_name_is_not_passed_over(environment):
    config = '{"ops": {"raw_instruction": {"config": {"max_usd": 0.1}}}}'
    command_line = (*MATERIALIZE[:-1], "key:raw_instructions", "--config-json", config)
    said = command(environment, *command_line)
    assert said.endswith("ops has no 'raw_instruction'; did you mean 'raw_instructions'?\n")


def test_a_misspelt_name_is_not_passed_over_where_another_asset_runs(environment):
    config = '{"ops": {"raw_instruction": {"config": {"max_usd": 0.1}}}}'
    command_line = (*MATERIALIZE[:-1], "key:seed_tasks", "--config-json", config)
    said = command(environment, *command_line)
    assert said.endswith("ops has no 'raw_instruction'; did you mean 'raw_instructions'?\n")


def test_values_and_fields_are_told_in_plain_words(environment):
    config = '{"ops": {"raw_instructions": {"config": {"instructionz": 5, "max_usd": "lots"}}}}'
    command_line = (*MATERIALIZE[:-1], "key:raw_instructions", "--config-json", config)
    said = command(environment, *command_line)
    assert "did you mean 'instructions'?" in said
    assert '"lots" is not a number' in said
    assert "<class" not in said
    assert "Expected:" not in said


def test_a_partition_of_an_asset_without_any_is_told_so(environment):
    command_line = (*MATERIALIZE[:-1], "key:hf_dataset", "--partition", "rehearsal-llama|all")
    said = command(environment, *command_line)
    assert "None of the selected assets has partitions" in said


def test_a_base_model_is_not_offered_in_the_recipe_s_place(matrix):
    said = unknown_partitions(matrix, ["rehearsal-llama"])
    assert "'rehearsal-llama|*'" in said
    assert "'*|rehearsal-llama'" not in said


@pytest.mark.parametrize(
    "options", [{"partition": "a|b"}, {"partition_range": "rehearsal-llama|all...a|b"}]
)
def test_an_unknown_key_is_named_and_known_ones_are_not(matrix, options):
    said = stated(dg.DagsterUnknownPartitionError("Could not find"), options, lambda: matrix)
    assert "'a|b' stands for no experiment" in said
    assert "'rehearsal-llama|all' stands" not in said
    assert said.endswith(unknown_partitions(matrix, []))


def test_a_pattern_is_no_partition_but_the_job_study_takes_it(matrix):
    said = unknown_partitions(matrix, ["rehearsal-llama|*"])
    assert "'rehearsal-llama|*' is a pattern" in said
    assert "study" in said


def test_any_other_error_keeps_its_trace(matrix):
    assert stated(ValueError("a fault"), {}, lambda: matrix) is None
    assert stated(StatedError("Set the key."), {}, lambda: matrix) == "Set the key."
