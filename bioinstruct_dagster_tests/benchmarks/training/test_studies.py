"""Whole runs in the training benchmark: the experiments of a study, and what can't be measured."""

from types import SimpleNamespace

import pytest

from benchmarks.training.measures import demo, study
from benchmarks.training.runs import RunError, Session
from benchmarks.training.studies import Prepared, checked_out, study_of
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.settings import Settings


def test_a_study_has_eight_seeds_of_one_base_model_over_a_copy_of_the_outputs(tmp_path):
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    outputs.joinpath("a file").write_text("of the demo", "utf-8")
    prepared = Prepared(Settings.of(data_dir=outputs), outputs, "", {})
    made = study_of(Session(tmp_path), prepared, 100, tmp_path / "study")
    matrix = read_experiments(made.folder / "experiments.yaml")
    recipes = [matrix.recipe(*partition.split("|")) for partition in made.partitions]
    assert [recipe.seed for recipe in recipes] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {recipe.rows for recipe in recipes} == {100}
    assert made.folder.joinpath("a file").read_text("utf-8") == "of the demo"


def test_a_revision_that_is_not_at_hand_is_named(tmp_path):
    with pytest.raises(RunError, match="revision 0000000 is not at hand"):
        checked_out("0000000", tmp_path)


def test_a_command_that_fails_gives_the_end_of_its_output(tmp_path):
    session = Session(tmp_path)
    with pytest.raises(RunError, match="out of luck"):
        session.command(["sh", "-c", "echo begun; echo out of luck; exit 3"], tmp_path / "log")
    with pytest.raises(RunError, match="no end after 0 s"):
        session.command(["sleep", "60"], tmp_path / "log", timeout=0.2)


@pytest.mark.parametrize("measure", [study, demo])
def test_a_measure_without_its_data_set_gives_the_reason(measure):
    def no_data() -> None:
        raise RunError("status 1: the chain failed")

    (figure,) = measure(SimpleNamespace(demo_data=no_data))
    assert figure.error == "status 1: the chain failed"
