"""Odd paths: each setting that names a file or folder refuses them in words, without waiting."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.contamination.limits import read_limits
from bioinstruct_dagster.curation.quality.rules import read_rules
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import load_items
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.input_files import fault_of_file, fault_of_folder, shown
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.settings.reading import load_settings
from bioinstruct_dagster.store.database import Store, StoreError

READERS: dict[str, Callable[[Path], object]] = {
    "BIOINSTRUCT_SEEDS": read_seed_tasks,
    "BIOINSTRUCT_CONTROLS": read_controls,
    "BIOINSTRUCT_QUALITY_RULES": read_rules,
    "BIOINSTRUCT_EXPERIMENTS": read_experiments,
    "BIOINSTRUCT_CONTAMINATION_RULES": read_limits,
}


def a_folder(path: Path) -> None:
    path.mkdir()


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_loop(path: Path) -> None:
    path.symlink_to(path)


def a_dead_link(path: Path) -> None:
    path.symlink_to(path.with_name("gone"))


def locked(path: Path) -> None:
    path.write_text("x")
    path.chmod(0)


ODD = [
    (a_folder, "is a folder, not a file"),
    (a_pipe, "is a pipe, not a file"),
    (a_socket, "is a socket, not a file"),
    (a_device, "is a device, not a file"),
    (a_loop, "is a link that leads back to itself"),
    (a_dead_link, "does not exist"),
    pytest.param(
        locked,
        "can't be read: this user has no permission",
        marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file"),
    ),
]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)  # the path of a socket has at most 108 bytes
    return Path("odd")


@pytest.mark.parametrize(("make", "said"), ODD)
@pytest.mark.parametrize("setting", READERS)
def test_an_odd_path_is_refused_with_its_setting(place, make, said, setting):
    make(place)
    with pytest.raises(StatedError) as refused:
        READERS[setting](place)
    assert f"odd {said}" in str(refused.value)
    assert setting in str(refused.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a\0b", "a\\x00b holds a NUL character or a character that no path can hold"),
        ("x" * 300, "is longer than a path can be"),
        ("file/inside", "does not exist: a part of the path is a file, not a folder"),
        ("a\ud800", "a\\ud800 holds a NUL character or a character that no path can hold"),
        ("no\nne", "no\\nne does not exist"),
    ],
)
@pytest.mark.parametrize("setting", READERS)
def test_an_odd_name_is_refused_with_its_setting(place, name, said, setting):
    place.with_name("file").write_text("x")
    with pytest.raises(StatedError) as refused:
        READERS[setting](place.with_name("file").parent / name)
    assert said in str(refused.value)
    assert setting in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n", b"\xff\xfe", b"\0" * 40])
@pytest.mark.parametrize("setting", READERS)
def test_a_file_without_text_is_refused_by_its_name(tmp_path, content, setting):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(StatedError, match=str(path)):
        READERS[setting](path)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (Path.touch, "is a file, not a folder"),
        (a_pipe, "is a pipe, not a folder"),
        (a_loop, "is a link that leads back to itself"),
        (a_dead_link, "does not exist"),
    ],
)
def test_an_odd_folder_of_evaluation_files_is_refused(place, make, said):
    make(place)
    with pytest.raises(StatedError, match=f"odd {said}.*BIOINSTRUCT_EVAL_DIR"):
        load_items(folder=place)
    with pytest.raises(StatedError, match=f"odd {said}.*BIOINSTRUCT_EVALUATION_TASKS"):
        read_tasks(place)


@pytest.mark.parametrize("make", [a_folder, a_pipe, a_device, a_loop])
def test_an_odd_file_among_the_evaluation_files_is_refused(tmp_path, make):
    (tmp_path / "phee").mkdir()
    make(tmp_path / "phee" / "a.jsonl")
    with pytest.raises(StatedError, match=r"a\.jsonl: task phee: is a"):
        load_items(folder=tmp_path)


@pytest.mark.parametrize("make", [Path.touch, a_pipe, a_loop, a_device])
def test_a_data_folder_that_is_none_is_refused_with_its_setting(place, make):
    make(place)
    with pytest.raises(StoreError, match=r"odd is a .*Set BIOINSTRUCT_DATA_DIR"):
        Store(place / "bioinstruct.duckdb").replace({})
    with pytest.raises(StoreError, match=r"odd/in .*Set BIOINSTRUCT_DATA_DIR"):
        Store(place / "in" / "bioinstruct.duckdb").replace({})


@pytest.mark.parametrize("make", [a_folder, a_pipe, a_loop, a_device])
def test_a_store_that_is_no_file_is_refused_with_its_setting(place, make):
    make(place)
    for use in (lambda store: store.replace({}), lambda store: store.rows("select 1")):
        with pytest.raises(StoreError, match=r"odd is a .*BIOINSTRUCT_DATA_DIR"):
            use(Store(place))


PATH_VARIABLES = [
    *READERS,
    "BIOINSTRUCT_EVALUATION_TASKS",
    "BIOINSTRUCT_EVAL_DIR",
    "BIOINSTRUCT_DATA_DIR",
    "BIOINSTRUCT_MEANING_MODEL",
    "BIOINSTRUCT_PRIVACY_MODEL",
]


@pytest.mark.parametrize("variable", PATH_VARIABLES)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("~nobody-at-all/x", "there is no user with this home folder; write the path in full"),
        ("/" + "x" * 300, "is longer than a path can be; name another path"),
        ("x" * 300, "is longer than a path can be; name another path"),
        ("LOOP/x", "is a link that leads back to itself; name another path"),
    ],
)
def test_a_setting_refuses_a_path_that_means_nothing(tmp_path, monkeypatch, variable, value, said):
    a_loop(tmp_path / "loop")
    monkeypatch.setenv(variable, value.replace("LOOP", str(tmp_path / "loop")))
    with pytest.raises(StatedError) as refused:
        load_settings(None)
    assert f"{variable}: " in str(refused.value)
    assert said in str(refused.value)


def test_a_path_with_a_nul_character_is_refused_by_the_settings():
    with pytest.raises(ValueError, match=r"a\\x00b holds a NUL character"):
        Settings.of(seeds="a\0b")


def test_a_readable_file_and_a_readable_folder_have_no_fault(tmp_path):
    (tmp_path / "file").touch()
    assert fault_of_file(tmp_path / "file") == ""
    assert fault_of_folder(tmp_path) == ""


def test_a_path_is_shown_in_one_line():
    assert shown("/data/Zürich µ.csv") == "/data/Zürich µ.csv"
    assert shown("a\nb\udcff\0\x1b[1m") == "a\\nb\\udcff\\x00\\x1b[1m"
