"""Reading the controls file: what ships is sound, and every fault is named with its place."""

import copy

import pytest
import yaml

from bioinstruct_dagster.generation.controls.file import ControlsError, read_controls
from bioinstruct_dagster.settings import INPUTS

SOUND = {
    "version": 1,
    "dimensions": [
        {
            "id": "topic",
            "measure": "signs",
            "values": [
                {"id": "heart", "share": 3, "ask": "on the heart", "signs": ["cardi*"]},
                {"id": "lung", "share": 1, "ask": "on the lung", "signs": ["/\\blungs?\\b/"]},
            ],
        },
        {
            "id": "length",
            "measure": "input_words",
            "values": [
                {"id": "none", "share": 1, "ask": "no input", "words": [0, 0]},
                {"id": "some", "share": 1, "ask": "an input", "words": [1, 50]},
            ],
        },
    ],
    "avoid": [],
}


@pytest.fixture
def write(tmp_path):
    """Write a controls file, from a Python value or as text."""

    def make(content):
        path = tmp_path / "controls.yaml"
        text = content if isinstance(content, str) else yaml.safe_dump(content)
        path.write_text(text, "utf-8")
        return path

    return make


def changed(change):
    content = copy.deepcopy(SOUND)
    change(content["dimensions"], content)
    return content


def test_the_shipped_file_covers_what_generation_is_to_vary():
    controls = read_controls(INPUTS / "controls.yaml")
    sizes = {one.id: len(one.values) for one in controls.dimensions}
    assert sizes == {
        "task_family": 19,
        "topic": 32,
        "audience": 6,
        "difficulty": 3,
        "input_length": 4,
        "form": 4,
    }
    assert len(controls.pairs) > 20


def test_the_shipped_files_shares_and_signs_are_complete():
    for one in read_controls(INPUTS / "controls.yaml").dimensions:
        assert sum(one.shares.values()) == pytest.approx(1)
        assert max(one.shares.values()) < 0.5
        assert all(one.measurable(value) for value in one.shares) == (one.measure != "asked")


def test_shares_are_normalised_over_their_dimension(write):
    topic, length = read_controls(write(SOUND)).dimensions
    assert topic.shares == {"heart": 0.75, "lung": 0.25}
    assert length.shares == {"none": 0.5, "some": 0.5}


def first(dimensions):
    return dimensions[0]["values"][0]


FAULTS = {
    "an unknown key": (
        lambda d, c: first(d).update(colour="red"),
        "dimension topic, value heart, colour: unknown key",
    ),
    "an unknown key at the top": (lambda d, c: c.update(dimension=[]), "dimension: unknown key"),
    "a missing key": (lambda d, c: first(d).pop("ask"), "value heart, ask: missing"),
    "a share of zero": (
        lambda d, c: first(d).update(share=0),
        "dimension topic, value heart, share: Input should be greater than 0",
    ),
    "a negative share": (
        lambda d, c: first(d).update(share=-1),
        "heart, share: Input should be greater",
    ),
    "an infinite share": (lambda d, c: first(d).update(share=float("inf")), "heart, share: "),
    "a share in words": (lambda d, c: first(d).update(share="5"), "heart, share: "),
    "an id that YAML takes for a truth value": (
        lambda d, c: first(d).update(id=False),
        "dimension topic, value 1, id: must be text; put it in quotes",
    ),
    "an id with a space": (lambda d, c: first(d).update(id="my heart"), "id: must be small"),
    "words that are empty": (lambda d, c: first(d).update(ask="  "), "value heart, ask: "),
    "a bad regular expression": (
        lambda d, c: first(d).update(signs=["heart", "/(/"]),
        "value heart, sign 2: /(/ is no regular expression",
    ),
    "a sign that every row shows": (
        lambda d, c: first(d).update(signs=["/x?/"]),
        "value heart, sign 1: /x?/ is found in every row",
    ),
    "signs that are one text": (
        lambda d, c: first(d).update(signs="cardi*"),
        "value heart, signs: must be a list",
    ),
    "a value twice": (
        lambda d, c: d[0]["values"].append(first(d)),
        "dimension topic: value heart: there twice",
    ),
    "a dimension twice": (lambda d, c: d.append(d[0]), "dimension topic: there twice"),
    "one value only": (lambda d, c: d[0]["values"].pop(), "dimension topic, values: holds too"),
    "an unknown measure": (
        lambda d, c: d[0].update(measure="guess"),
        "dimension topic, measure: Input should be 'signs', 'input_words' or 'asked'",
    ),
    "an unknown field": (lambda d, c: d[0].update(fields=["title"]), "topic, field 1: "),
    "signs where nothing reads them": (
        lambda d, c: d[0].update(measure="asked"),
        "dimension topic: value heart: has signs; remove them",
    ),
    "a length without words": (
        lambda d, c: d[1]["values"][0].pop("words"),
        "dimension length: value none: words go with measure: input_words",
    ),
    "words outside a length": (
        lambda d, c: first(d).update(words=[1, 2]),
        "dimension topic: value heart: words go with measure: input_words",
    ),
    "words the wrong way round": (
        lambda d, c: d[1]["values"][1].update(words=[50, 1]),
        "dimension length: words: must be [lowest, highest]",
    ),
    "lengths that overlap": (
        lambda d, c: d[1]["values"][1].update(words=[0, 50]),
        "dimension length: words: must be [lowest, highest], without overlap",
    ),
    "avoiding an unknown value": (
        lambda d, c: c.update(avoid=[{"together": {"topic": ["liver"], "length": ["none"]}}]),
        "avoid: topic has no value liver",
    ),
    "avoiding an unknown dimension": (
        lambda d, c: c.update(avoid=[{"together": {"colour": ["red"], "length": ["none"]}}]),
        "avoid: colour has no value red",
    ),
    "avoiding one dimension": (
        lambda d, c: c.update(avoid=[{"together": {"topic": ["lung"]}}]),
        "avoid 1, together: holds too little",
    ),
    "a version in words": (lambda d, c: c.update(version="one"), "version: "),
    "no dimensions": (lambda d, c: c.update(dimensions=[]), "dimensions: holds too little"),
    "a value that is avoided with everything": (
        lambda d, c: c.update(
            avoid=[{"together": {"topic": ["lung"], "length": ["none", "some"]}}]
        ),
        "dimension topic, value lung: avoid allows a share of 0.0%, not 25.0%",
    ),
    "a dimension whose every value is avoided": (
        lambda d, c: c.update(
            avoid=[{"together": {"topic": ["lung", "heart"], "length": ["none", "some"]}}]
        ),
        "dimension length, value some: avoid allows a share of 0.0%, not 50.0%",
    ),
    "a share that avoiding puts out of reach": (
        lambda d, c: c.update(avoid=[{"together": {"topic": ["heart"], "length": ["some"]}}]),
        "change the share or remove it from an avoid",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_file_and_place(write, name):
    change, message = FAULTS[name]
    path = write(changed(change))
    with pytest.raises(ControlsError) as raised:
        read_controls(path)
    assert any(
        line.startswith(f"{path}: ") and message in line for line in str(raised.value).splitlines()
    ), str(raised.value)


def test_every_fault_is_listed_at_once(write):
    def change(dimensions, content):
        first(dimensions).update(share=0, ask=None)
        dimensions[1]["values"][1].update(share="many", words=[1])
        content.update(version=0, more=1)

    path = write(changed(change))
    with pytest.raises(ControlsError) as raised:
        read_controls(path)
    places = ["heart, share", "heart, ask", "some, share", "some, word 2", "version", "more"]
    lines = str(raised.value).splitlines()
    assert all(any(place in line for line in lines) for place in places)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version: [",
        "- 1",
        "5: 6",
        "version: 1\ndimensions: 3",
        "dimensions: [[]]",
        "\x00",
        "&a [*a]",
        "version: 2026-13-45",
    ],
)
def test_what_is_no_controls_file_is_refused_with_its_name(write, text):
    path = write(text)
    with pytest.raises(ControlsError, match=r"controls\.yaml: "):
        read_controls(path)


TWICE = """\
version: 1
version: 1
dimensions:
  - id: topic
    measure: asked
    values:
      - {id: heart, share: 3, ask: on the heart, share: 30}
      - {id: lung, share: 1, ask: on the lung}
avoid:
  - why: no reason
    together: {topic: [heart], "topic": [lung]}
    why: another
"""


def test_a_key_given_twice_is_refused_with_its_lines(write):
    path = write(TWICE)
    with pytest.raises(ControlsError) as raised:
        read_controls(path)
    places = {
        "version": "1 and 2",
        "dimension topic, value heart, share": "7 and 7",
        "avoid 1, together, topic": "11 and 11",
        "avoid 1, why": "10 and 12",
    }
    assert sorted(str(raised.value).splitlines()) == sorted(
        f"{path}: {place}: there 2 times (lines {lines}); keep one"
        for place, lines in places.items()
    )


def test_an_anchor_and_a_merge_give_no_key_twice(write):
    text = """\
version: 1
dimensions:
  - id: topic
    measure: asked
    values:
      - &heart {id: heart, share: 3, ask: on the heart}
      - {<<: *heart, id: lung}
"""
    assert read_controls(write(text)).dimensions[0].shares == {"heart": 0.5, "lung": 0.5}


def test_a_missing_file_and_one_that_is_not_text_are_refused(tmp_path):
    with pytest.raises(ControlsError, match=r"nowhere\.yaml: can't be read"):
        read_controls(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ControlsError, match=r"bytes\.yaml: not YAML"):
        read_controls(tmp_path / "bytes.yaml")


AVOIDING = {"together": {"topic": ["heart"], "length": ["none"]}}


@pytest.mark.parametrize(
    "change",
    [
        lambda d, c: first(d).update(share=4),
        lambda d, c: first(d).update(ask="on hearts"),
        lambda d, c: first(d).update(signs=["heart"]),
        lambda d, c: d[0].update(separator="; "),
        lambda d, c: d[1]["values"][1].update(words=[1, 60]),
        lambda d, c: c.update(avoid=[AVOIDING]) or first(d).update(share=0.5),
        lambda d, c: c.update(version=2),
    ],
)
def test_the_fingerprint_follows_all_that_steers(write, change):
    before = read_controls(write(SOUND)).sha256
    assert read_controls(write(changed(change))).sha256 != before


def test_the_fingerprint_ignores_comments_layout_and_reasons(write):
    avoiding = changed(lambda d, c: c.update(avoid=[AVOIDING]) or first(d).update(share=0.5))
    before = read_controls(write(avoiding)).sha256
    avoiding["avoid"][0]["why"] = "a reason"
    text = "# a comment\n" + yaml.safe_dump(avoiding, indent=6, sort_keys=False)
    assert read_controls(write(text)).sha256 == before
