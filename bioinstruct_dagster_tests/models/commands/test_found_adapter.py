"""An experiment's adapter is found by name, and refused in words if it can't be used."""

import json
from pathlib import Path

import pytest

from bioinstruct_dagster.models.adapter_proof import AdapterFaultError
from bioinstruct_dagster.models.adapters import RESULT_FILE, WEIGHTS_FILE, sealed
from bioinstruct_dagster.models.commands.found_adapter import (
    AdapterCommandError,
    find_adapter,
)
from bioinstruct_dagster.models.experiments import UnknownExperimentError
from bioinstruct_dagster_tests.models.commands.conftest import EXPERIMENT


def test_the_adapter_of_an_experiment_is_found(trained, adapter):
    found = find_adapter(trained, EXPERIMENT)
    assert str(found.folder) == adapter["adapter_path"]
    assert found.experiment == EXPERIMENT
    assert found.base.rehearsal


def test_the_newest_intact_adapter_is_taken(copied, adapter):
    name = Path(adapter["adapter_path"]).name
    old = next((copied.store.data_dir / "adapters").rglob(name))
    new = old.with_name("0123456789ab")
    new.mkdir()
    for path in old.iterdir():
        (new / path.name).write_bytes(path.read_bytes())
    result = json.loads((new / RESULT_FILE).read_text("utf-8"))
    later = sealed(result | {"trained_at": "2999-01-01"})
    (new / RESULT_FILE).write_text(json.dumps(later), "utf-8")
    assert find_adapter(copied, EXPERIMENT).folder == new
    (new / WEIGHTS_FILE).write_bytes(b"broken")
    assert find_adapter(copied, EXPERIMENT).folder == old
    assert find_adapter(copied, EXPERIMENT, new).folder == new


def test_an_unknown_experiment_is_refused_by_name(trained):
    with pytest.raises(UnknownExperimentError, match="rehearsal-lama"):
        find_adapter(trained, "rehearsal-lama|all")


def test_a_name_of_several_experiments_is_refused(trained):
    with pytest.raises(AdapterCommandError, match=r"stands for 2 experiments.*\|all"):
        find_adapter(trained, "rehearsal-llama|*")


def test_an_experiment_without_adapter_says_what_to_do(trained):
    with pytest.raises(AdapterCommandError) as raised:
        find_adapter(trained, "rehearsal-llama|information_extraction")
    assert "has no adapter yet" in str(raised.value)
    assert "--partition 'rehearsal-llama|information_extraction'" in str(raised.value)


def test_an_experiment_whose_adapter_is_broken_names_the_folder(copied):
    (weights,) = (copied.store.data_dir / "adapters").rglob(WEIGHTS_FILE)
    weights.unlink()
    with pytest.raises(AdapterCommandError, match=f"no intact adapter.*{weights.parent}"):
        find_adapter(copied, EXPERIMENT)


def test_an_adapter_is_proven_before_it_is_used(copied):
    found = find_adapter(copied, EXPERIMENT)
    lines = []
    found.open(lines.append)
    assert "the adapter acts: 28 of 28 layers" in lines[-1]
    (found.folder / "optimizer.pt").write_bytes(b"")
    with pytest.raises(AdapterFaultError, match="pickle"):
        found.open(lines.append)
