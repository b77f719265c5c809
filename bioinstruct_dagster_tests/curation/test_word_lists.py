"""Reading word lists, and the error for each fault of a file."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import bioinstruct_dagster
from bioinstruct_dagster.curation.word_lists import (
    WordListError,
    alternatives,
    word_list,
    word_texts,
    word_values,
)

SHIPPED_FILES = sorted(Path(bioinstruct_dagster.__file__).parent.rglob("words/*.yaml"))


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes a file of lists into a new package, and returns the package's name."""
    name = f"gate_{tmp_path.name}"  # another for each test: Python remembers packages
    folder = tmp_path / name / "words"
    folder.mkdir(parents=True)
    (tmp_path / name / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()

    def write(text: str) -> str:
        (folder / "lists.yaml").write_text(text, "utf-8")
        return name

    return write


def test_every_word_is_read_as_text(written):
    package = written("a:\n  what: Small words.\n  words: [no, on, 12, 'it''s', two words, null]\n")
    assert word_list(package, "lists.yaml", "a") == {"no", "on", "12", "it's", "two words", "null"}


def test_numbers_of_words_keep_the_order_of_the_file(written):
    package = written("mass:\n  what: Grams.\n  words: {mg: 1.0e-3, g: 1, kg: 1e3}\n")
    values = word_values(package, "lists.yaml", "mass")
    assert list(values.items()) == [("mg", 0.001), ("g", 1.0), ("kg", 1000.0)]
    assert word_list(package, "lists.yaml", "mass") == {"mg", "g", "kg"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("- a\n", "must hold named lists"),
        ("a: [one]\n", "line 1: list a: a list must have `what` and `words`"),
        (
            "a:\n  what: x.\n  words: [b]\n  word: [c]\n",
            "list a: a list must have `what` and `words`",
        ),
        ("a:\n  what: [x]\n  words: [b]\n", "list a: `what` must be one sentence"),
        ("a:\n  what: x.\n  words: []\n", "list a: `words` must be a list of words"),
        ("a:\n  what: x.\n  words: b c\n", "list a: `words` must be a list of words"),
        ("a:\n  what: x.\n  words: [b, [c]]\n", "line 3: list a: write single words"),
        ("a:\n  what: x.\n  words: [b, '']\n", "line 3: list a: write single words"),
        (
            "a:\n  what: x.\n  words: [b]\na:\n  what: x.\n  words: [c]\n",
            "line 4: a is already in line 1",
        ),
        (
            "a:\n  what: x.\n  words:\n    b: 1\n    b: 2\n",
            "line 5: list a: b is already in line 4",
        ),
        ("b:\n  what: x.\n  words: [c]\n", "the list a is missing"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(written, text, message):
    package = written(text)
    with pytest.raises(WordListError) as refused:
        word_list(package, "lists.yaml", "a")
    assert f"{package}/words/lists.yaml" in str(refused.value)
    assert message in str(refused.value)


def test_alternatives_match_the_longest_word_as_it_stands():
    sought = re.compile(alternatives({"m", "m/s", "mm", "m.s"}))
    assert sought.findall("m/s mm m m.s mxs") == ["m/s", "mm", "m", "m.s", "m"]


def test_a_word_without_a_number_is_refused(written):
    package = written("a:\n  what: x.\n  words: {mg: 0.001, g: one}\n")
    with pytest.raises(WordListError, match="list a: the word g has no number"):
        word_values(package, "lists.yaml", "a")


def test_texts_of_words_keep_their_form_and_one_without_text_is_refused(written):
    package = written(
        "a:\n  what: x.\n  words: {dad: father, no: '12'}\nb:\n  what: x.\n  words: [dad]\n"
    )
    assert dict(word_texts(package, "lists.yaml", "a")) == {"dad": "father", "no": "12"}
    with pytest.raises(WordListError, match="list b: the word dad has no text"):
        word_texts(package, "lists.yaml", "b")


def test_a_missing_file_is_named(written):
    package = written("a:\n  what: x.\n  words: [b]\n")
    with pytest.raises(WordListError, match=r"words/others.yaml: can't be read"):
        word_list(package, "others.yaml", "a")


def _as_text(path):
    return yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - makes texts only


@pytest.mark.parametrize("path", SHIPPED_FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_shipped_lists_are_sound(path):
    package = ".".join(path.relative_to(Path(bioinstruct_dagster.__file__).parents[1]).parts[:-2])
    for name, entry in _as_text(path).items():
        words = entry["words"]
        assert word_list(package, path.name, name) == set(words)
        assert len(set(words)) == len(words), f"{name} holds a word twice"
        assert entry["what"].endswith("."), name


def test_no_list_is_read_before_a_gate_looks():
    code = (
        "import sys, bioinstruct_dagster.definitions, bioinstruct_dagster.curation.word_lists as w;"
        "sys.exit(w._lists_in.cache_info().currsize)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
