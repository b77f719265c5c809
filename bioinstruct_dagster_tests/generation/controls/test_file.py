"""Reading the controls file: every fault is named with its place."""

import copy

import pytest
import yaml

from bioinstruct_dagster.generation.controls.file import ControlsError, read_controls

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
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(text, "utf-8")
        return path

    return make


def changed(change):
    content = copy.deepcopy(SOUND)
    change(content["dimensions"], content)
    return content


def test_shares_are_normalised_over_their_dimension(write):
    topic, length = read_controls(write(SOUND)).dimensions
    assert topic.shares == {"heart": 0.75, "lung": 0.25}
    assert length.shares == {"none": 0.5, "some": 0.5}


def first(dimensions):
    return dimensions[0]["values"][0]


# What is changed, the field that is named, what is said of it, and what its line in the file holds.
FAULTS = {
    "an unknown key": (
        lambda d, c: first(d).update(colour="red"),
        "dimensions.topic.values.heart.colour",
        "unknown key 'colour'; use one of: id, share, ask, signs, words",
        "colour: red",
    ),
    "an unknown key at the top": (
        lambda d, c: c.update(dimension=[]),
        "dimension",
        "unknown key 'dimension'; did you mean 'dimensions'?",
        "dimension: []",
    ),
    "a missing key": (
        lambda d, c: first(d).pop("ask"),
        "dimensions.topic.values.heart.ask",
        "missing; add it",
        "- id: heart",
    ),
    "a share of zero": (
        lambda d, c: first(d).update(share=0),
        "dimensions.topic.values.heart.share",
        "must be greater than 0, not 0",
        "share: 0",
    ),
    "a negative share": (
        lambda d, c: first(d).update(share=-1),
        "dimensions.topic.values.heart.share",
        "must be greater than 0, not -1",
        "share: -1",
    ),
    "an infinite share": (
        lambda d, c: first(d).update(share=float("inf")),
        "dimensions.topic.values.heart.share",
        "must be a finite number, not inf",
        "share: .inf",
    ),
    "a share in words": (
        lambda d, c: first(d).update(share="5"),
        "dimensions.topic.values.heart.share",
        "must be a number, not '5'; write 5, without quotes",
        "share: '5'",
    ),
    "an id that YAML takes for a truth value": (
        lambda d, c: first(d).update(id=False),
        "dimensions.topic.values.1.id",
        "must be text, but YAML reads it as false, as a bare yes, no, on or off; put it in quotes",
        "id: false",
    ),
    "an id with a space": (
        lambda d, c: first(d).update(id="my heart"),
        "dimensions.topic.values.'my heart'.id",
        "'my heart' must be small letters, digits and _, beginning with a letter",
        "id: my heart",
    ),
    "words that are empty": (
        lambda d, c: first(d).update(ask="  "),
        "dimensions.topic.values.heart.ask",
        "is empty; write something",
        "ask: '  '",
    ),
    "a bad regular expression": (
        lambda d, c: first(d).update(signs=["heart", "/(/"]),
        "dimensions.topic.values.heart.signs.2",
        "/(/ is no regular expression",
        "- /(/",
    ),
    "a sign that every row shows": (
        lambda d, c: first(d).update(signs=["/x?/"]),
        "dimensions.topic.values.heart.signs.1",
        "/x?/ is found in every row",
        "- /x?/",
    ),
    "signs that are one text": (
        lambda d, c: first(d).update(signs="cardi*"),
        "dimensions.topic.values.heart.signs",
        "must be a list, such as [one, two], not 'cardi*'",
        "signs: cardi*",
    ),
    "a value twice": (
        lambda d, c: d[0]["values"].append(dict(first(d))),
        "dimensions.topic.values.heart.id",
        "heart is there twice, first in line 6; rename or remove one",
        "id: heart",
    ),
    "a dimension twice": (
        lambda d, c: d.append(copy.deepcopy(d[0])),
        "dimensions.topic.id",
        "topic is there twice, first in line 3; rename or remove one",
        "id: topic",
    ),
    "one value only": (
        lambda d, c: d[0]["values"].pop(),
        "dimensions.topic.values",
        "has 1 of at least 2 entries",
        "values:",
    ),
    "an unknown measure": (
        lambda d, c: d[0].update(measure="sign"),
        "dimensions.topic.measure",
        "must be one of signs, input_words, asked, not 'sign'; did you mean 'signs'?",
        "measure: sign",
    ),
    "an unknown field": (
        lambda d, c: d[0].update(fields=["title"]),
        "dimensions.topic.fields.1",
        "must be one of instruction, input, output, not 'title'",
        "- title",
    ),
    "signs where nothing reads them": (
        lambda d, c: d[0].update(measure="asked"),
        "dimensions.topic.values.heart.signs",
        "remove the signs, or set measure: signs",
        "signs:",
    ),
    "a length without words": (
        lambda d, c: d[1]["values"][0].pop("words"),
        "dimensions.length.values.none.words",
        "missing; add [lowest, highest], or change measure",
        "- id: none",
    ),
    "words outside a length": (
        lambda d, c: first(d).update(words=[1, 2]),
        "dimensions.topic.values.heart.words",
        "remove the words, or set measure: input_words",
        "words:",
    ),
    "words the wrong way round": (
        lambda d, c: d[1]["values"][1].update(words=[50, 1]),
        "dimensions.length.values.some.words",
        "must be [lowest, highest]",
        "words:",
    ),
    "lengths that overlap": (
        lambda d, c: d[1]["values"][1].update(words=[0, 50]),
        "dimensions.length.values.some.words",
        "must begin above 0, where the range of another value ends",
        "words:",
    ),
    "avoiding an unknown value": (
        lambda d, c: c.update(avoid=[{"together": {"topic": ["haert"], "length": ["none"]}}]),
        "avoid.1.together.topic.1",
        "topic has no value haert; did you mean 'heart'?",
        "- haert",
    ),
    "avoiding an unknown dimension": (
        lambda d, c: c.update(avoid=[{"together": {"colour": ["red"], "length": ["none"]}}]),
        "avoid.1.together.colour",
        "unknown dimension; use one of: topic, length",
        "colour:",
    ),
    "avoiding one dimension": (
        lambda d, c: c.update(avoid=[{"together": {"topic": ["lung"]}}]),
        "avoid.1.together",
        "has 1 of at least 2 entries",
        "together:",
    ),
    "a version in words": (
        lambda d, c: c.update(version="one"),
        "version",
        "must be a whole number, not 'one'; write it in digits",
        "version: one",
    ),
    "no dimensions": (
        lambda d, c: c.update(dimensions=[]),
        "dimensions",
        "has 0 of at least 1 entries",
        "dimensions: []",
    ),
    "a value that is avoided with everything": (
        lambda d, c: c.update(
            avoid=[{"together": {"topic": ["lung"], "length": ["none", "some"]}}]
        ),
        "dimensions.topic.values.lung.share",
        "avoid allows a share of 0.0%, not 25.0%",
        "share: 1",
    ),
    "a dimension whose every value is avoided": (
        lambda d, c: c.update(
            avoid=[{"together": {"topic": ["lung", "heart"], "length": ["none", "some"]}}]
        ),
        "dimensions.length.values.some.share",
        "avoid allows a share of 0.0%, not 50.0%",
        "share: 1",
    ),
    "a share that avoiding puts out of reach": (
        lambda d, c: c.update(avoid=[{"together": {"topic": ["heart"], "length": ["some"]}}]),
        "dimensions.topic.values.heart.share",
        "change the share or remove it from an avoid",
        "share: 3",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_file_line_and_field(write, name):
    change, field, message, on_line = FAULTS[name]
    path = write(changed(change))
    with pytest.raises(ControlsError) as raised:
        read_controls(path)
    (number, said) = next(
        (line.removeprefix(f"{path}:").split(": ", 1))
        for line in str(raised.value).splitlines()
        if f": {field}: " in line and message in line
    )
    assert said.startswith(f"{field}: ")
    assert on_line in path.read_text("utf-8").splitlines()[int(number) - 1]


def test_every_fault_is_listed_at_once(write):
    def change(dimensions, content):
        first(dimensions).update(share=0, ask=None)
        dimensions[1]["values"][1].update(share="many", words=[1])
        content.update(version=0, more=1)

    path = write(changed(change))
    with pytest.raises(ControlsError) as raised:
        read_controls(path)
    heart, some = "dimensions.topic.values.heart", "dimensions.length.values.some"
    fields = [line.split(": ")[1] for line in str(raised.value).splitlines()]
    assert sorted(fields) == sorted(
        [f"{heart}.share", f"{heart}.ask", f"{some}.share", f"{some}.words.2", "version", "more"]
    )


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
def test_another_file_is_refused_with_its_name(write, text):
    path = write(text)
    with pytest.raises(ControlsError, match=r"controls\.yaml:\d+: "):
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


def test_a_key_given_twice_is_refused_with_both_lines(write):
    path = write(TWICE)
    with pytest.raises(ControlsError) as raised:
        read_controls(path)
    assert [line for line in str(raised.value).splitlines() if "given twice" in line] == [
        f"{path}:{line}: {field}: given twice, first in line {earlier}; keep one"
        for line, field, earlier in (
            (2, "version", 1),
            (7, "dimensions.topic.values.heart.share", 7),
            (11, "avoid.1.together.topic", 11),
            (12, "avoid.1.why", 10),
        )
    ]


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


def test_a_missing_file_and_a_binary_file_are_refused(tmp_path):
    with pytest.raises(ControlsError, match=r"nowhere\.yaml does not exist.*BIOINSTRUCT_CONTROLS"):
        read_controls(tmp_path / "nowhere.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ControlsError, match=r"bytes\.yaml:1: is not UTF-8"):
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
