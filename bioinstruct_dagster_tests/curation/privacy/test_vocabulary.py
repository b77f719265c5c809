"""How word lists become parts of patterns, and that each list is used."""

import re
from pathlib import Path

import pytest
import yaml

import bioinstruct_dagster.curation.privacy
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NAMES,
    all_words,
    any_of,
    any_shape_of,
    any_start_of,
    cues,
    places_of,
)

PACKAGE = Path(bioinstruct_dagster.curation.privacy.__file__).parent
FILES = sorted((PACKAGE / "words").glob("*.yaml"))


def test_the_longest_word_is_tried_first():
    pattern = any_of({"id", "id no."}, {"s/n"})
    assert re.match(pattern, "id no. 5").group() == "id no."
    assert re.match(pattern, "id nox").group() == "id"
    assert re.fullmatch(pattern, "s/n")


def test_shapes_stand_for_digits_and_letters():
    pattern = re.compile(any_shape_of({"GSE#", "PRJ@@"}))
    assert pattern.fullmatch("GSE7")
    assert pattern.fullmatch("PRJna")
    assert not pattern.fullmatch("GSEx")
    assert not pattern.fullmatch("PRJ12")


def test_a_first_letter_may_be_a_capital():
    assert re.fullmatch(any_start_of({"moved here"}), "Moved here")
    assert not re.fullmatch(any_start_of({"moved here"}), "Moved Here")


def test_cues_are_first_words():
    assert cues({"date of birth", "d/c"}, {"MRN"}) == {"date", "d", "mrn"}
    assert all_words({"date of birth"}) == {"date", "of", "birth"}


def test_names_keep_the_title_judge():
    assert {"Judge", "Señora"} <= NAMES("titles")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_list_is_used_by_a_pattern(file):
    code = "\n".join(module.read_text("utf-8") for module in PACKAGE.rglob("*.py"))
    names = yaml.safe_load(file.read_text("utf-8"))
    assert names
    assert [name for name in names if not re.search(rf"['\"]{name}['\"]", code)] == []


def test_loading_the_definitions_reads_no_word_list(start_python):
    process = start_python(
        "import sys\n"
        "import bioinstruct_dagster.definitions\n"
        "late = ('privacy.vocabulary', 'pycountry', 'phonenumbers')\n"
        "print([name for name in sys.modules if name.endswith(late)])\n"
    )
    output, errors = process.communicate()
    assert output == "[]\n", errors


def test_places_of_a_part_may_overlap():
    assert list(places_of("a said said b", " said ")) == [1, 6]
    assert list(places_of("a says b", " said ")) == []
