"""Reading definitions: names are resolved as Python does, and only code that executes counts."""

import textwrap

import pytest

from bioinstruct_dagster.curation.source_code import (
    IMPORT_EFFECTS,
    WHOLE_MODULE,
    ModuleSource,
    Reference,
    SourceCodeError,
)


@pytest.fixture
def read(tmp_path):
    """A module of a package whose other module is `other`, read from its source."""
    (tmp_path / "other.py").write_text("def helper(): ...\n", "utf-8")

    def make(source):
        (tmp_path / "gate.py").write_text(textwrap.dedent(source), "utf-8")
        return ModuleSource(tmp_path, "gate")

    return make


def named(definition):
    """The names that a definition refers to, without its module's import effects."""
    return {
        f"{one.module}.{one.name}" for one in definition.references if one.name != IMPORT_EFFECTS
    }


def test_the_syntax_is_the_same_in_every_python_version(read):
    source = """
        def check(row, *, most: int = 3) -> bool:
            '''Whether a row is short.'''
            return len(row) <= most  # words
    """
    assert read(source).definition("check").text == (
        "FunctionDef(name='check'args=arguments(args=arg(arg='row'),kwonlyargs=arg(arg='most'),"
        "kw_defaults=Constant(value=3),)body=Return(value=Compare(left=Call(func=Name(id='len')"
        "args=Name(id='row'),)ops=LtE(),comparators=Name(id='most'),)),)"
    )


@pytest.mark.parametrize(
    "other",
    [
        "def check(row):  # a remark\n    return row>LIMIT\nLIMIT = 3",
        "def check(row: str) -> bool:\n    'Says so.'\n    return (row > LIMIT)\nLIMIT = 3",
        "LIMIT = 4\ndef check(row):\n    return row > LIMIT",
        "def check(row):\n    return row > LIMIT\nLIMIT = 3\ndef unused(): ...",
    ],
)
def test_what_changes_nothing_leaves_the_text_as_it_is(other, read):
    first = read("def check(row):\n    return row > LIMIT\nLIMIT = 3").definition("check")
    assert read(other).definition("check") == first


@pytest.mark.parametrize(
    "other",
    [
        "def check(row):\n    return row >= LIMIT",
        "def check(row):\n    return row > LIMIT + 0",
        "def check(row, more=1):\n    return row > LIMIT",
        "@cache\ndef check(row):\n    return row > LIMIT",
        "def check(row):\n    return row > 'LIMIT'",
    ],
)
def test_what_is_computed_changes_the_text(other, read):
    first = read("def check(row):\n    return row > LIMIT").definition("check")
    assert read(other).definition("check").text != first.text


def test_declared_types_of_a_class_count(read):
    one, other = (
        read(f"class Rule:\n    words: {name}").definition("Rule") for name in ("Lower", "Exact")
    )
    assert one.text != other.text


def test_a_name_that_a_function_binds_is_its_own(read):
    source = """
        def nearest(): ...
        def text(): ...
        def word(): ...
        def left(): ...
        def right(): ...
        def check(text):
            nearest = 1
            for word in text:
                nearest += word
            def inner(left):
                return left + right()
            return nearest, inner
    """
    assert named(read(source).definition("check")) == {"gate.right"}


def test_a_comprehensions_name_is_local_to_it(read):
    source = """
        def word(): ...
        def words(): ...
        def one(): return [word for word in words()]
        def other(): return [word for word in words()] + word()
    """
    assert named(read(source).definition("one")) == {"gate.words"}
    assert named(read(source).definition("other")) == {"gate.words", "gate.word"}


@pytest.mark.parametrize(
    "source",
    [
        "from bioinstruct_dagster.other import helper\ndef check(): helper()",
        "from bioinstruct_dagster.other import helper as h\ndef check(): return [h]",
        "from bioinstruct_dagster import other\ndef check(): other.helper()",
        "def check():\n    from bioinstruct_dagster import other\n    other.helper()",
        "def check():\n    from bioinstruct_dagster.other import helper\n    helper()",
        "def check():\n def inner():\n  from bioinstruct_dagster.other import helper\n  helper()",
    ],
)
def test_an_import_is_followed_wherever_it_stands(source, read):
    assert named(read(source).definition("check")) == {"other.helper"}


def test_an_import_of_one_function_is_not_that_of_another(read):
    source = """
        def helper(): ...
        class Gate:
            def one(self):
                from bioinstruct_dagster.other import helper
                helper()
            def other(self):
                helper()
    """
    assert named(read(source).definition("Gate")) == {"other.helper", "gate.helper"}


def test_a_module_that_is_passed_on_counts_as_a_whole(read):
    source = """
        from bioinstruct_dagster import other
        def check(): return getattr(other, "helper")
    """
    assert read(source).definition("check").references >= {Reference("other", WHOLE_MODULE)}
    assert named(read("def a(): ...\nB = 1").definition(WHOLE_MODULE)) == {"gate.a", "gate.B"}


def test_what_only_type_checkers_import_does_not_count(read):
    source = """
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from bioinstruct_dagster.other import helper
        def check(row: "helper") -> "helper": return row
    """
    assert not named(read(source).definition("check"))


def test_libraries_are_named_where_they_are_called(read):
    source = """
        import numpy as np
        import yaml
        def check():
            from rapidfuzz.distance import LCSseq
            return np.zeros(1), LCSseq
    """
    assert read(source).definition("check").libraries == {"numpy", "rapidfuzz"}


def test_a_table_that_is_filled_later_is_one_definition(read):
    first = read("TABLE = {}\nTABLE['a'] = 1").definition("TABLE")
    assert read("TABLE = {}\nTABLE['a'] = 2").definition("TABLE") != first


def test_import_effects_count_with_each_definition(read):
    module = read("def check(): ...\nregister(check)")
    assert Reference("gate", IMPORT_EFFECTS) in module.definition("check").references
    assert "register" in module.definition(IMPORT_EFFECTS).text


def test_a_file_of_words_that_the_code_names_is_found(read, tmp_path):
    (tmp_path / "rules" / "words").mkdir(parents=True)
    (tmp_path / "rules" / "words" / "titles.yaml").write_text("", "utf-8")
    (tmp_path / "rules" / "inner").mkdir()
    for name in ("rules", "rules.inner"):
        tmp_path.joinpath(*name.split("."), "gate.py").write_text(
            "def check(): return read('titles.yaml'), read('other.yaml')", "utf-8"
        )
        words = ModuleSource(tmp_path, f"{name}.gate").definition("check").words
        assert words == {tmp_path / "rules" / "words" / "titles.yaml"}


def test_code_that_reads_word_lists_may_leave_out_the_ending(read, tmp_path):
    (tmp_path / "rules" / "words").mkdir(parents=True)
    file = tmp_path / "rules" / "words" / "titles.yaml"
    file.write_text("", "utf-8")
    reads = "from bioinstruct_dagster.curation.word_lists import word_list\n"
    names = "LISTS = [word_list('rules', f'{name}.yaml', 'all') for name in ('titles',)]"
    for source, words in ((reads + names, {file}), (names, set())):
        (tmp_path / "rules" / "gate.py").write_text(source, "utf-8")
        assert ModuleSource(tmp_path, "rules.gate").definition("LISTS").words == words


REGISTERED = """
from functools import singledispatch
@singledispatch
def shape(row): ...
@shape.register
def shape(row: str): return 1
"""


@pytest.mark.parametrize(
    "source",
    [
        "from bioinstruct_dagster.other import *",
        "from .other import helper",
        "import bioinstruct_dagster.other",
        "def shape(row): return globals()['helper'](row)",
        "def shape(row): return [one for one in Rule.__subclasses__()]",
        REGISTERED,
    ],
)
def test_code_that_cannot_be_followed_is_refused_with_its_line(source, read):
    with pytest.raises(SourceCodeError, match=r"gate\.py, line \d+: .* would miss code"):
        read(source).definition("shape")


def test_an_import_inside_a_top_level_try_is_followed(read):
    module = read(
        """
        try:
            from bioinstruct_dagster.other import helper
        except ImportError:
            helper = None
        def check(row):
            return helper(row)
        """
    )
    assert "other.helper" in named(module.definition("check")) | named(module.definition("helper"))


def test_a_pass_changes_nothing(read):
    first = read("def check(row):\n    return row").definition("check")
    assert read("def check(row):\n    pass\n    return row").definition("check") == first


def test_a_name_that_is_not_there_is_refused(read):
    with pytest.raises(SourceCodeError, match="module gate defines no check"):
        read("").definition("check")


def test_a_name_that_is_only_imported_leads_on(read):
    module = read("from bioinstruct_dagster.other import helper\nimport numpy")
    assert module.definition("helper").references == {Reference("other", "helper")}
    assert module.definition("numpy").libraries == {"numpy"}
