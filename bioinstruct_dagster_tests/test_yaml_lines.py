"""YAML text: its values, the line of every field, and what no file may hold."""

import datetime as dt
import importlib.util
import itertools

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster import yaml_lines
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.yaml_lines import MOST_LEVELS, REFUSED_VALUE, YamlDocument, YamlTextError


def document(text):
    return YamlDocument(text, "id")


def stated(text):
    """The faults of a text that can be read."""
    return [
        (fault.line, document(text).named(fault.place), fault.message)
        for fault in document(text).faults
    ]


def refused(text):
    """Line and message of a text that can't be read."""
    with pytest.raises(YamlTextError) as raised:
        document(text)
    return raised.value.line, raised.value.message


@pytest.mark.parametrize("path", sorted(INPUTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_files_have_the_values_that_pyyaml_reads(path):
    text = path.read_text("utf-8")
    read = document(text)
    assert read.content == yaml.safe_load(text)
    assert read.faults == []


KEYS = st.text("abcdefg", min_size=1, max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab: #-\n'\""),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(content=st.dictionaries(KEYS, VALUES), flow=st.booleans())
def test_any_values_come_back_as_they_were_written(content, flow):
    text = yaml.safe_dump(content, default_flow_style=flow, allow_unicode=True)
    assert document(text).content == content
    assert document(text).faults == []


TEXT = """\
top: 1
nested:
  list:
    - id: one
      text: >-
        folded
        text
    - {id: two, flow: [a, b,
       c]}
  "quoted": x
"""


@pytest.mark.parametrize(
    ("place", "line", "named"),
    [
        ((), 1, "the file"),
        (("top",), 1, "top"),
        (("nested", "list"), 3, "nested.list"),
        (("nested", "list", 0), 4, "nested.list.one"),
        (("nested", "list", 0, "text"), 5, "nested.list.one.text"),
        (("nested", "list", 1, "flow"), 8, "nested.list.two.flow"),
        (("nested", "list", 1, "flow", 2), 9, "nested.list.two.flow.3"),
        (("nested", "quoted"), 10, "nested.quoted"),
        (("nested", "list", 1, "absent"), 8, "nested.list.two.absent"),
        (("nested", "list", 7, "x"), 3, "nested.list.8.x"),
        (("absent", "x"), 1, "absent.x"),
        (("top", "x"), 1, "top.x"),
    ],
)
def test_a_field_has_its_line_and_its_name(place, line, named):
    assert document(TEXT).line(place) == line
    assert document(TEXT).named(place) == named


def test_a_line_separator_inside_a_text_is_no_line():
    read = document("a: 'x\u2028y'\nb: 1\n")
    assert read.line(("b",)) == 2


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85"])
def test_a_line_separator_ends_no_comment_and_no_line(mark):
    text = f"# one{mark}still the comment \ue000\na: x{mark}y\n'b{mark}': ['{mark}']\nc: 1\n"
    read = document(text)
    assert read.content == {"a": f"x{mark}y", f"b{mark}": [mark], "c": 1}
    assert read.line(("c",)) == 4
    assert refused(f"# one{mark}two\na: b: c\n")[0] == 2


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("1:30.5", "1:30.5"),
        ("-1:30", "-1:30"),
        ("010", "010"),
        ("0o10", "0o10"),
        ("0", 0),
        ("-7", -7),
        ("1_000", 1000),
        ("0x1F", 31),
        ("0b11", 3),
        ("3e-4", 3e-4),
        ("1E5", 1e5),
        ("1.5", 1.5),
        ("010.5", 10.5),
        (".5e1", 5.0),
        ("-.inf", -float("inf")),
        ("1e400", float("inf")),
        ("1.2.3", "1.2.3"),
        ("e5", "e5"),
        ("'3'", "3"),
    ],
)
def test_only_a_decimal_number_is_read_as_a_number(written, value):
    read = document(f"a: {written}\nb: [{written}]")
    assert (read.content, read.faults) == ({"a": value, "b": [value]}, [])
    assert type(read.content["a"]) is type(value)


@pytest.mark.parametrize("written", ["!!int 1:30", "!!float 1:30.5", "!!int 010", "!!int x"])
def test_a_tag_makes_no_number_of_such_a_text(written):
    kind_of = document(f"a: {written}")
    assert kind_of.content == {"a": REFUSED_VALUE}
    assert "can't read it; mend it" in kind_of.faults[0].message


def test_a_merged_key_has_the_line_where_it_is_written():
    text = "base: &base\n  x: 1\n  y: 2\nuse:\n  <<: *base\n  y: 3\n"
    read = document(text)
    assert read.content["use"] == {"x": 1, "y": 3}
    assert (read.line(("use", "x")), read.line(("use", "y"))) == (2, 6)
    assert read.faults == []


def test_of_merged_mappings_the_first_one_wins():
    text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nuse: {<<: [*a, *b], z: 3}\n"
    assert document(text).content["use"] == yaml.safe_load(text)["use"] == {"x": 1, "y": 2, "z": 3}


def test_a_merge_of_no_mapping_is_refused():
    said = "merges what is no mapping; name the anchor of a mapping"
    assert stated("a: 1\n<<: 5\n") == [(2, "<<", said)]
    assert stated("a: &a [1]\nuse:\n  <<: [*a]\n") == [(3, "use.<<", said)]


def test_keys_given_twice_are_found_at_any_depth():
    text = "a: 1\nb:\n  - {c: 1, c: 2}\na: {d: 1, d: 2}\na: 3\n"
    assert sorted(stated(text)) == [
        (3, "b.1.c", "given twice, first in line 3; keep one"),
        (4, "a", "given twice, first in line 1; keep one"),
        (4, "a.d", "given twice, first in line 4; keep one"),
        (5, "a", "given twice, first in line 1; keep one"),
    ]


def test_names_given_twice_in_one_list_are_found():
    text = "a:\n- id: x\n- id: y\n- {id: x}\nb:\n- &one {id: x}\n- *one\n"
    assert stated(text) == [
        (4, "a.x.id", "x is there twice, first in line 2; rename or remove one"),
        (6, "b.x.id", "x is there twice, first in line 6; rename or remove one"),
    ]
    other = YamlDocument("a:\n- {name: n, id: x}\n- {name: m, id: x}\n", "name")
    assert other.faults == []


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("5", "a number"),
        ("1.5", "a number"),
        ("no", "true or false"),
        ("~", "no value"),
        ("2026-10-14", "a date"),
    ],
)
def test_a_key_that_is_not_text_is_refused(key, kind):
    said = f"YAML reads the key {key} as {kind}, not as text; put it in quotes"
    assert stated(f"a:\n  {key}: 1\n") == [(2, "a", said)]
    assert stated(f"a:\n  '{key}': 1\n") == []


def test_a_key_that_is_a_list_or_mapping_is_refused():
    said = "a key must be text, not a list or mapping; mend the indentation or the brackets"
    assert stated("? [a]\n: 1\n? {b: c}\n: 2\n") == [(1, "the file", said), (3, "the file", said)]


def test_a_bare_equals_sign_is_text():
    assert document("a: =\n=: b\n").content == {"a": "=", "=": "b"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-13-45", "YAML takes 2026-13-45 for a date and can't read it; mend it"),
        ("9" * 5000, f"YAML takes {'9' * 40} for a number and can't read it; mend it"),
        ("!!binary aGVsbG8=", "the tag binary is not read here; remove it"),
        ("!!set {x, y}", "the tag set is not read here; remove it"),
        ("!!python/object:os.system x", "the tag python/object:os.system is not read here"),
        ("!own x", "the tag !own is not read here; remove it"),
    ],
)
def test_a_value_that_can_not_be_made_is_refused(value, said):
    read = document(f"a: 1\nb:\n- x\n- {value}\n")
    (fault,) = read.faults
    assert (fault.line, read.named(fault.place)) == (4, "b.2")
    assert fault.message.startswith(said)
    assert read.content["b"][1] is REFUSED_VALUE


def test_a_date_and_a_number_are_read_as_such():
    read = document("a: 2026-10-14\nb: 0x1f\nc: .inf\n").content
    assert read == {"a": dt.date(2026, 10, 14), "b": 31, "c": float("inf")}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\n\tb: 2\n", 2, "indent with spaces; YAML allows no tab here"),
        ("\ta: 1\n", 1, "indent with spaces; YAML allows no tab here"),
        ("a: 1\nb: @x\n", 2, "put the text in quotes"),
        ("a: b: c\n", 1, "put text with a colon in quotes, or mend the indentation"),
        ("a: 1\nb: *x\n", 2, "mend its name, or define it above with &"),
        ("a: 1\n---\nb: 2\n", 2, "remove the line ---; the file is one document"),
        ("a:\n  b: 1\n c: 2\n", 3, "mend the indentation"),
        ("a: 'x\n", 2, "mend the quotes, brackets or indentation, here or in the line above"),
    ],
)
def test_what_is_not_yaml_is_named_with_its_line_and_a_hint(text, line, said):
    found = refused(text)
    assert found[0] == line
    assert found[1].startswith("is not YAML: ")
    assert found[1].endswith(f"; {said}")


def test_a_control_character_is_named_with_its_line():
    said = "holds the character U+0007, which YAML forbids; remove it"
    assert refused("é: ü\nb: \x07\n") == (2, said)


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: &a {<<: *a}"])
def test_an_alias_inside_its_own_anchor_is_refused(text):
    line, said = refused(f"x: 1\n{text}\n")
    assert line == 2
    assert said.endswith("lies inside its own anchor; write it out")


def test_aliases_that_stand_for_too_much_are_refused():
    """A few lines that stand for 10^9 values, and a chain that is thousands of levels deep."""
    names = "abcdefghij"
    wide = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in itertools.pairwise(names)
    )
    said = "its aliases stand for too much; write fewer of them, or none"
    assert refused(wide) == (3, f"d.4: {said}")  # the line of the anchor, the place of the alias
    deep = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 5000))
    assert refused(deep) == (MOST_LEVELS, f"a{MOST_LEVELS - 1}: {said}")


@pytest.mark.parametrize(("times", "fits"), [(12, True), (70, False)])
def test_aliases_may_repeat_a_few_thousand_values(times, fits):
    # 70 * 70 faults to name would be a file of 700 bytes that takes many seconds.
    aliases = ", ".join(["*inner"] * times)
    text = f"a: &inner [{', '.join('1' * times)}]\nb: &outer [{aliases}]\nc: [*outer, *outer]\n"
    if fits:
        assert document(text).content["c"] == [[[1] * times] * times] * 2
    else:
        assert refused(text)[0] == 2  # the line of the anchor that is repeated too often


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 200_000 + "x", "{a: " * 200_000])
def test_endless_nesting_is_refused(text):
    said = f"is nested deeper than {MOST_LEVELS} levels; write it flatter"
    assert refused(f"a: 1\nb:\n  {text}") == (3, said)


def test_as_many_levels_as_are_allowed_are_read():
    levels = MOST_LEVELS - 2  # the mapping and the innermost text are levels too
    assert document("a: " + "[" * levels + "x" + "]" * levels).faults == []


def test_without_the_parser_in_c_all_is_the_same(monkeypatch):
    spec = importlib.util.find_spec("bioinstruct_dagster.yaml_lines")
    monkeypatch.delattr(yaml, "CSafeLoader")
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)
    assert plain._SafeLoader is yaml.SafeLoader
    assert yaml_lines._SafeLoader is not yaml.SafeLoader
    read = plain.YamlDocument(TEXT, "id")
    assert read.content == document(TEXT).content
    assert read.line(("nested", "list", 1, "flow", 2)) == 9
    with pytest.raises(plain.YamlTextError, match="nested deeper"):
        plain.YamlDocument("[" * 3000, "id")
