"""The list of adapters: also those that no experiment names any more, and none is deleted."""

import shutil

import pytest

from bioinstruct_dagster.models.adapters import RESULT_FILE, WEIGHTS_FILE
from bioinstruct_dagster.models.commands.found_adapter import (
    AdapterCommandError,
    find_adapter,
    tell_of_older,
)
from bioinstruct_dagster.models.commands.listing import UNNAMED, listed_adapters
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.models.commands.conftest import EXPERIMENT


def states(settings):
    return [(one.experiment, one.state) for one in listed_adapters(settings)]


def changed_experiments(settings, tmp_path, old, new):
    text = settings.models.experiments.read_text("utf-8")
    assert old in text
    path = tmp_path / "changed.yaml"
    path.write_text(text.replace(old, new), "utf-8")
    return Settings.of(data_dir=settings.store.data_dir, experiments=path)


def test_a_trained_adapter_is_listed_with_its_figures(trained, adapter):
    (one,) = listed_adapters(trained)
    assert (one.experiment, one.state) == (EXPERIMENT, "newest")
    assert one.rows == adapter["train_rows"]
    assert one.last_loss == adapter["last_loss"]
    assert one.change == adapter["proof"]["change"]
    line = one.line()
    assert line.startswith(f"{EXPERIMENT}: newest, {adapter['trained_at'][:16]}, ")
    assert ", rehearsal\n" in line
    assert line.endswith(adapter["adapter_path"])


def test_an_adapter_that_no_experiment_names_is_listed_and_stays(copied):
    adapters = copied.store.data_dir / "adapters"
    shutil.copytree(adapters / "rehearsal-llama__all", adapters / "old-model__all")
    found = states(copied)
    assert found == [("old-model|all", UNNAMED), (EXPERIMENT, "newest")]
    assert len(list(adapters.rglob(WEIGHTS_FILE))) == 2


def test_a_name_with_underscores_of_its_own_is_not_guessed(copied):
    adapters = copied.store.data_dir / "adapters"
    shutil.copytree(adapters / "rehearsal-llama__all", adapters / "old__model__all")
    assert ("old__model__all", UNNAMED) in states(copied)


def test_an_adapter_of_a_changed_recipe_is_older(copied, tmp_path):
    settings = changed_experiments(copied, tmp_path, "lora_alpha: 8", "lora_alpha: 9")
    assert states(settings) == [(EXPERIMENT, "older: its recipe has other values now")]


def placed(settings, fingerprint):
    row = {"row_id": "1", "split": "train", "category": "other", "rehearsal": False}
    store = Store(settings.store.path)
    store.replace({"hf_dataset": [row | {"dataset_fingerprint": fingerprint}]})


def test_an_adapter_of_an_older_data_set_is_marked(copied, adapter):
    trained_on = adapter["dataset_fingerprint"]
    placed(copied, trained_on)
    lines = []
    tell_of_older(copied, [find_adapter(copied, EXPERIMENT)], lines.append)
    assert (states(copied), lines) == ([(EXPERIMENT, "newest")], [])
    placed(copied, "f" * 64)
    words = f"of an older data set ({trained_on[:12]}; the present one is ffffffffffff)"
    assert states(copied) == [(EXPERIMENT, f"newest, but {words}")]
    tell_of_older(copied, [find_adapter(copied, EXPERIMENT)], lines.append)
    assert lines[0].startswith(f"{EXPERIMENT} is {words}. To train it on the present rows")


def test_a_second_adapter_of_the_same_recipe_is_older(copied):
    (folder,) = (copied.store.data_dir / "adapters" / "rehearsal-llama__all").iterdir()
    shutil.copytree(folder, folder.with_name("0123456789ab"))
    assert [state for _, state in states(copied)] == [
        "newest",
        "older: of other data, base model or run seed",
    ]


def test_a_folder_in_the_place_of_another_experiment_is_marked(copied):
    adapters = copied.store.data_dir / "adapters"
    place = adapters / "rehearsal-llama__information_extraction"
    shutil.copytree(adapters / "rehearsal-llama__all", place)
    assert states(copied) == [
        (EXPERIMENT, "newest"),
        (
            "rehearsal-llama|information_extraction",
            f"of another experiment: it was trained as {EXPERIMENT}, and moved here",
        ),
    ]
    with pytest.raises(AdapterCommandError, match="was trained as rehearsal-llama"):
        find_adapter(copied, "rehearsal-llama|information_extraction")


def test_a_broken_adapter_is_listed(copied):
    (result,) = (copied.store.data_dir / "adapters").rglob(RESULT_FILE)
    result.write_text("{", "utf-8")
    (one,) = listed_adapters(copied)
    assert one.state.startswith("not intact")
    assert one.rows is None
    assert one.line()


def test_a_project_without_adapters_has_an_empty_list(settings):
    assert listed_adapters(settings) == []


def test_folders_of_training_are_not_adapters(copied):
    (copied.store.data_dir / "adapters" / ".training" / "x").mkdir(parents=True)
    (copied.store.data_dir / "adapters" / "rehearsal-llama__all" / ".fresh").mkdir()
    assert len(listed_adapters(copied)) == 1
