"""Reading YAML files: every fault with file, line and field, in each of the six files alike."""

import re

import pytest
from pydantic import Field

from bioinstruct_dagster.curation.category import prompts
from bioinstruct_dagster.curation.category.prompts import CategoryFileError, category_definitions
from bioinstruct_dagster.curation.contamination.limits import ContaminationRulesError, read_limits
from bioinstruct_dagster.curation.quality.rules import QualityRulesError, read_rules
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.controls.file import ControlsError, read_controls
from bioinstruct_dagster.models.experiments import ExperimentFileError, read_experiments
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.teacher.money.prices import PricesError, read_prices
from bioinstruct_dagster.yaml_files import Identifier, NonEmptyText, StrictModel, read_yaml
from bioinstruct_dagster.yaml_lines import Fault


class Entry(StrictModel):
    """One entry of the test's own file."""

    id: Identifier
    note: NonEmptyText = "-"


class Listing(StrictModel):
    """The test's own file."""

    entries: tuple[Entry, ...] = Field(min_length=1)


class ListingError(StatedError):
    """The test's own file is malformed."""


@pytest.fixture
def read(tmp_path):
    """Read a file of the given text or bytes."""

    def run(content, **options):
        path = tmp_path / "listing.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_yaml(path, Listing, ListingError, **options)

    return run


def said_of(read, content, **options):
    with pytest.raises(ListingError) as raised:
        read(content, **options)
    said = str(raised.value)
    assert all(re.match(r"/.*listing\.yaml:\d+: ", line) for line in said.splitlines())
    return [line.rpartition("listing.yaml:")[2] for line in said.splitlines()]


def test_a_sound_file_becomes_its_model(read):
    found = read("entries:\n- id: a\n- id: b\n  note: text\n").entries
    assert [(one.id, one.note) for one in found] == [("a", "-"), ("b", "text")]


def test_a_windows_editors_marks_and_line_ends_are_read(read):
    assert read("\ufeffentries:\r\n- id: a\r\n").entries[0].id == "a"
    assert said_of(read, "\ufeffentries:\r\n- id: a\r\n  note: 5\r\n") == [
        "3: entries.a.note: must be text, but YAML reads it as 5; put it in quotes if it is text"
    ]


def test_faults_come_in_the_order_of_the_file(read):
    text = "entries:\n- id: a\n  note:\n- id: a\n  id: b\n  notes: x\nentrys: 3\n5: 6\n"
    assert said_of(read, text) == [
        "3: entries.a.note: has no value; it must be text",
        "5: entries.b.id: given twice, first in line 4; keep one",
        "6: entries.b.notes: unknown key 'notes'; did you mean 'note'?",
        "7: entrys: unknown key 'entrys'; did you mean 'entries'?",
        "8: the file: YAML reads the key 5 as a number, not as text; put it in quotes",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "~"])
def test_an_empty_file_is_refused(read, text):
    assert said_of(read, text) == [
        "1: the file: is empty; begin with the file that ships with the project"
    ]


def test_a_list_where_a_mapping_is_wanted_is_refused(read):
    wanted = "must be names with values, such as `name: value`, not"
    assert said_of(read, "- id: a\n") == [f"1: the file: {wanted} a list"]
    assert said_of(read, "entries:\n- [a]\n") == [f"2: entries.1: {wanted} a list"]
    assert said_of(read, "entries:\n- a\n") == [f"2: entries.1: {wanted} 'a'"]


def test_a_file_that_is_not_utf_8_is_named_with_its_line(read):
    said = ["2: is not UTF-8 text; save the file as UTF-8"]
    assert said_of(read, b"entries:\n- id: \xff\n") == said


def test_a_file_that_is_too_large_for_its_kind_is_refused_unread(tmp_path):
    path = tmp_path / "rows.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)  # a sparse file: it takes no room
    with pytest.raises(ListingError, match=r"rows\.yaml:1: holds more than 4 MiB"):
        read_yaml(path, Listing, ListingError)


def test_a_file_that_can_not_be_read_is_named_with_its_setting(tmp_path):
    path = tmp_path / "none.yaml"
    with pytest.raises(ListingError) as raised:
        read_yaml(path, Listing, ListingError, setting="BIOINSTRUCT_LISTING")
    assert str(raised.value) == (
        f"{path} does not exist; set BIOINSTRUCT_LISTING to a YAML file that can be read."
    )
    with pytest.raises(ListingError, match="is a folder, not a file; restore it"):
        read_yaml(tmp_path, Listing, ListingError)


def test_a_readers_own_faults_come_with_the_models(read):
    def more(content):
        yield Fault(("entries", len(content["entries"]) - 1, "note"), "says nothing; say more")

    assert said_of(read, "entries:\n- id: A\n- id: b\n  note: x\n", more_faults=more) == [
        "2: entries.A.id: 'A' must be small letters, digits and _, beginning with a letter",
        "4: entries.b.note: says nothing; say more",
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("'a b': 1", "'a b': unknown key 'a b'; use one of: entries"),
        ("...x: 1", "'...x': unknown key '...x'; use one of: entries"),
        ("a.b-c/d: 1", "a.b-c/d: unknown key 'a.b-c/d'; use one of: entries"),
    ],
)
def test_an_odd_key_is_shown_in_quotes(read, line, said):
    assert said_of(read, f"entries:\n- id: a\n{line}\n") == [f"3: {said}"]


# --- The six files -----------------------------------------------------------------------------


def read_categories(path):
    """The definitions of another file than the shipped one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prompts, "DEFINITIONS_FILE", path)
        category_definitions.cache_clear()
        try:
            return category_definitions()
        finally:
            category_definitions.cache_clear()


# Of each file: how it is read, its error, a line that it holds once and where that line's key is,
# a misspelt key with what is meant, and a value that does not fit with what is said of it.
FILES = {
    "experiments": (
        read_experiments,
        ExperimentFileError,
        ("    source: rehearsal", "base_models.rehearsal-llama.source"),
        ("    revison: main", "base_models.rehearsal-llama.revison", "revision"),
        (
            "      lora_rank: 32",
            "      lora_rank: 0",
            "hyperparameters.modern.values.lora_rank: must be at least 1, not 0",
        ),
    ),
    "controls": (
        read_controls,
        ControlsError,
        ("        ask: a summary of a text", "dimensions.task_family.values.summarising.ask"),
        ("        sign: [a]", "dimensions.task_family.values.summarising.sign", "signs"),
        ("version: 1", "version: 0", "version: must be at least 1, not 0"),
    ),
    "quality_rules": (
        read_rules,
        QualityRulesError,
        ("    most: 500", "rules.instruction_too_long.most"),
        ("    leats: 3", "rules.instruction_too_long.leats", "least"),
        (
            "  - id: instruction_too_short",
            "  - id: Too_short",
            (
                "rules.Too_short.id: 'Too_short' must be small letters, digits and _, beginning "
                "with a letter"
            ),
        ),
    ),
    "categories": (
        read_categories,
        CategoryFileError,
        ("other: >-", "other"),
        ("generations: x", "generations", "generation"),
        (
            "information_extraction: >-",
            "information_extraction:",
            "",  # sound: the test below makes the fault in another way
        ),
    ),
    "contamination": (
        read_limits,
        ContaminationRulesError,
        ("  ngram: {tokens: 13}", "limits.ngram"),
        ("  boilerplat: {texts: 3}", "limits.boilerplat", "boilerplate"),
        (
            "  boilerplate: {texts: 3}",
            "  boilerplate: {texts: 0}",
            "limits.boilerplate.texts: must be at least 1, not 0",
        ),
    ),
    "prices": (
        read_prices,
        PricesError,
        ("  gpt-4: {input: 30.00, output: 60.00}", "models.gpt-4"),
        ("modles: {}", "modles", "models"),
        (
            "batch: 0.5",
            "batch: half",
            (
                "batch: must be a number, not 'half'; write it in digits, without quotes "
                "(a share of the standard tier's price)"
            ),
        ),
    ),
}


@pytest.fixture(params=FILES)
def shipped(request, tmp_path):
    """A copy of one of the shipped files that can be changed, and what goes with it."""
    return ShippedFile(tmp_path, request.param)


class ShippedFile:
    """One of the six files, with lines put in and changed."""

    def __init__(self, folder, name):
        self.path = folder / f"{name}.yaml"
        self.lines = (INPUTS / f"{name}.yaml").read_text("utf-8").splitlines()
        self.read, self.error, self.once, self.misspelt, self.unfit = FILES[name]

    def put_after(self, line, new):
        """Put a line in after another one; the number of the new line."""
        assert self.lines.count(line) == 1
        at = self.lines.index(line) + 1
        while self.lines[at : at + 1] and self.lines[at].startswith("  ") and line.endswith(">-"):
            at += 1  # a text over several lines
        self.lines.insert(at, new)
        return at + 1

    def faults(self):
        """The faults that the file is refused with."""
        self.path.write_text("\n".join(self.lines) + "\n", "utf-8")
        with pytest.raises(self.error) as raised:
            self.read(self.path)
        return [line.removeprefix(f"{self.path}:") for line in str(raised.value).splitlines()]


def test_every_shipped_file_is_sound(shipped):
    shipped.path.write_text("\n".join(shipped.lines), "utf-8")
    assert shipped.read(shipped.path)


def test_a_duplicate_key_is_refused_with_both_lines(shipped):
    line, field = shipped.once
    second = shipped.put_after(line, line.removesuffix(" >-") if ">-" not in line else "other: x")
    first = shipped.lines.index(line) + 1
    assert f"{second}: {field}: given twice, first in line {first}; keep one" in shipped.faults()
    assert len(shipped.faults()) == 1


def test_an_unknown_key_is_refused_with_the_nearest_one(shipped):
    line, field, meant = shipped.misspelt
    key = field.rpartition(".")[2]
    number = shipped.put_after(shipped.once[0], line) if line[0] == " " else len(shipped.lines) + 1
    if line[0] != " ":
        shipped.lines.append(line)
    assert shipped.faults() == [f"{number}: {field}: unknown key {key!r}; did you mean {meant!r}?"]


def test_two_faults_are_named_at_once(shipped):
    sound, broken, said = shipped.unfit
    line, field, _ = shipped.misspelt
    where = shipped.lines.index(sound)
    shipped.lines[where] = broken
    if not said:  # a category's definition without its text
        while shipped.lines[where + 1].startswith("  "):
            del shipped.lines[where + 1]
        said = "information_extraction: has no value; it must be text"
    shipped.lines.append(line if line[0] != " " else "modles: {}")
    faults = shipped.faults()
    assert f"{where + 1}: {said}" in faults
    last = field if line[0] != " " else "modles"
    assert faults[-1].startswith(f"{len(shipped.lines)}: {last}: unknown key")
    assert len(faults) == 2


def test_a_file_that_is_not_there_is_a_stated_error(shipped):
    with pytest.raises(shipped.error, match=r"\.yaml does not exist"):
        shipped.read(shipped.path)


def test_what_is_no_yaml_is_a_stated_error(shipped):
    shipped.lines = ["a: 1", "b: [1, 2"]
    (fault,) = shipped.faults()
    assert fault.startswith("3: is not YAML: ")  # the end of the file, where a ] is missing
