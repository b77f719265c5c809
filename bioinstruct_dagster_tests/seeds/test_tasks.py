"""Reading a seed file: every error is named at once, by line and field."""

import contextlib
import json
import re

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bioinstruct_dagster.seeds.tasks import CATEGORIES, SeedFileError, SeedTask, read_seed_tasks

GOOD = {
    "id": "seed-1",
    "category": "other",
    "source_family": "ranking",
    "instruction": "Rank these findings by urgency.",
    "input": "Fever; chest pain.",
    "output": "Chest pain; fever.",
}


def task(number: int, **changed) -> dict:
    return {**GOOD, "id": f"seed-{number}", **changed}


def without(field: str) -> dict:
    return {name: value for name, value in task(9).items() if name != field}


@pytest.fixture
def seed_file(tmp_path):
    """Write lines (text as it is, anything else as JSON) to a seed file."""

    def write(*lines):
        path = tmp_path / "seeds.jsonl"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", "utf-8")
        return path

    return write


def complaints(path) -> list[str]:
    """The errors of a malformed file, each without the path it must start with."""
    with pytest.raises(SeedFileError) as caught:
        read_seed_tasks(path)
    heading, *lines = str(caught.value).splitlines()
    assert heading == f"{len(lines)} error(s) in the seed file:"
    assert all(line.startswith(f"{path}:") for line in lines)
    return [line.removeprefix(f"{path}:") for line in lines]


def test_tasks_are_read_in_file_order_without_outer_blanks(seed_file):
    path = seed_file(task(2, instruction="  Rank these. \n"), "", task(1, input=""), "  ", task(3))
    tasks = read_seed_tasks(path)
    assert [seed.id for seed in tasks] == ["seed-2", "seed-1", "seed-3"]
    assert tasks[0] == SeedTask(**task(2, instruction="Rank these."))
    assert tasks[1].input == ""


def test_unicode_line_separators_do_not_split_a_line(seed_file):
    lines = [json.dumps(task(n, input="a\u2028b\x85c"), ensure_ascii=False) for n in range(3)]
    assert [seed.input for seed in read_seed_tasks(seed_file(*lines))] == ["a\u2028b\x85c"] * 3


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "2: not JSON"),
        ("[1]", "2: expected a JSON object, found list"),
        ("null", "2: expected a JSON object, found NoneType"),
        *((without(name), f"2: {name}: missing") for name in GOOD),
        *((task(9, **{name: 3}), f"2: {name}: expected text, found int") for name in GOOD),
        *((task(9, **{name: None}), f"2: {name}: expected text, found NoneType") for name in GOOD),
        *((task(9, **{name: " \t"}), f"2: {name}: empty") for name in GOOD if name != "input"),
        *((task(9, **{name: "a\ud800"}), f"2: {name}: holds a lone surrogate") for name in GOOD),
        (task(9, output="a\0b"), "2: output: holds a lone surrogate or NUL"),
        (task(9, category="qa"), "2: category: 'qa' is not one of information_extraction"),
        (task(9, answer="x"), "2: answer: unknown field"),
        (task(1), "2: id: 'seed-1' was used on line 1"),
        (task(1, id=" seed-1 "), "2: id: 'seed-1' was used on line 1"),
        pytest.param("[" * 100_000, "2: not JSON", id="nested deeper than Python reads"),
        pytest.param('{"id": ' + "9" * 5_000 + "}", "2: not JSON", id="longer than Python reads"),
    ],
)
def test_a_malformed_line_is_named_with_its_field(seed_file, line, complaint):
    found = complaints(seed_file(task(1), line, task(3), task(4)))
    assert len(found) == 1
    assert found[0].startswith(complaint)


def test_every_error_is_named_at_once(seed_file):
    path = seed_file(
        task(1),
        "not JSON",
        {"id": 7, "surplus": 1},
        task(1),
        task(5, category="qa", instruction="", output="\ud800"),
        task(6),
        task(6),
    )
    places = [re.match(r"(\d+): (\w+)", line).groups() for line in complaints(path)]
    assert places == [
        ("2", "not"),
        ("3", "surplus"),
        ("3", "id"),
        ("3", "category"),
        ("3", "source_family"),
        ("3", "instruction"),
        ("3", "input"),
        ("3", "output"),
        ("4", "id"),
        ("5", "category"),
        ("5", "instruction"),
        ("5", "output"),
        ("7", "id"),
    ]


@pytest.mark.parametrize("faulty", [0, 1])
def test_a_repeated_id_is_named_beside_another_fault(seed_file, faulty):
    lines = [task(1), task(1)]
    lines[faulty] = {**lines[faulty], "output": ""}
    found = complaints(seed_file(*lines, task(3), task(4)))
    assert sorted(line.split(": ")[1] for line in found) == ["id", "output"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_tasks_than_a_prompt_shows_are_refused(seed_file, count):
    (complaint,) = complaints(seed_file(*map(task, range(count))))
    assert f"{count} seed tasks" in complaint


def test_text_that_is_not_utf8_is_refused_with_the_byte(tmp_path):
    path = tmp_path / "seeds.jsonl"
    path.write_bytes(b"ab\xff")
    with pytest.raises(SeedFileError, match=f"{path}: not UTF-8 text .* at byte 2"):
        read_seed_tasks(path)


def test_a_byte_order_mark_is_no_part_of_the_first_task(seed_file):
    path = seed_file(*map(task, range(3)))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(read_seed_tasks(path)) == 3


def test_a_field_that_is_given_twice_is_refused_with_its_line(seed_file):
    twice = json.dumps(task(1)).replace('"output"', '"output": "x", "output"')
    (complaint,) = complaints(seed_file(task(0), twice, task(2), task(3)))
    assert complaint == "2: not JSON (the field 'output' is given twice; keep one)"


def test_a_file_that_is_too_large_for_seeds_is_refused_unread(tmp_path):
    path = tmp_path / "seeds.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: it takes no room
    with pytest.raises(SeedFileError, match="holds more than 64 MiB, so it is no file of seed"):
        read_seed_tasks(path)


def test_a_missing_file_is_refused_with_its_setting(tmp_path):
    with pytest.raises(SeedFileError, match=r"none\.jsonl does not exist\. Set BIOINSTRUCT_SEEDS"):
        read_seed_tasks(tmp_path / "none.jsonl")


def test_a_folder_in_place_of_the_file_is_refused_by_name(tmp_path):
    with pytest.raises(SeedFileError, match=str(tmp_path)):
        read_seed_tasks(tmp_path)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ALMOST_TASKS = st.fixed_dictionaries(
    {},
    optional={name: JSON_VALUES | st.sampled_from([*CATEGORIES, "x"]) for name in [*GOOD, "more"]},
).map(json.dumps)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text() | ALMOST_TASKS, max_size=5))
@example(["\r", "\x0b", "\x1c\x1d"])
def test_any_file_is_read_or_refused(seed_file, lines):
    with contextlib.suppress(SeedFileError):
        tasks = read_seed_tasks(seed_file(*lines))
        assert len({seed.id for seed in tasks}) == len(tasks) >= 3
