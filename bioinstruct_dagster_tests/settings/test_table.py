"""The tables of settings on the pages and `.env.example` agree with the settings."""

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT, Settings, load_settings
from bioinstruct_dagster.settings.reading import PLACES
from bioinstruct_dagster.settings.table import (
    BEGIN,
    END,
    FIRST_SETTINGS,
    README,
    REFERENCE,
    all_tables,
    env_example,
    first_table,
    unit_of,
    with_tables,
    write_files,
)

AGAIN = "run `make reference`"


@pytest.mark.parametrize(("page", "tables"), [(README, first_table), (REFERENCE, all_tables)])
def test_the_pages_hold_the_tables_of_the_settings(page, tables):
    text = (PROJECT_ROOT / page).read_text("utf-8")
    assert text == with_tables(text, tables()), AGAIN


def test_the_readme_has_the_first_settings_alone():
    rows = [line for line in first_table().splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(FIRST_SETTINGS)
    assert set(rows) <= set(all_tables().splitlines())


def test_the_env_example_holds_the_defaults():
    assert (PROJECT_ROOT / ".env.example").read_text("utf-8") == env_example(), AGAIN


@pytest.mark.parametrize("variable", PLACES)
def test_each_setting_has_a_row_with_unit_and_meaning(variable):
    [row] = [line for line in all_tables().splitlines() if line.startswith(f"| `{variable}` |")]
    _, _, _, unit, meaning, _ = (cell.strip() for cell in row.split("|"))
    assert unit == unit_of(PLACES[variable])
    assert unit
    assert meaning.endswith(".")


def test_the_env_example_sets_what_is_the_default_anyway(monkeypatch, tmp_path):
    # Every line uncommented: the same settings as with no file at all.
    monkeypatch.delenv("BIOINSTRUCT_DATA_DIR")
    lines = [line.removeprefix("# ") for line in env_example().splitlines()]
    assignments = [line for line in lines if line.partition("=")[0] in PLACES]
    assert len(assignments) == len(PLACES)
    (tmp_path / ".env").write_text("\n".join(assignments), "utf-8")
    assert load_settings(tmp_path / ".env") == Settings.of()


def test_the_text_around_the_tables_is_kept(tmp_path):
    tables = {tmp_path / README: first_table(), tmp_path / REFERENCE: all_tables()}
    for page in tables:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n", "utf-8")
    write_files(tmp_path)
    for page, table in tables.items():
        assert page.read_text("utf-8") == f"Before.\n{BEGIN}\n{table}\n{END}\nAfter.\n"
    assert (tmp_path / ".env.example").read_text("utf-8") == env_example()


@pytest.mark.parametrize("text", ["no marker", BEGIN, END])
def test_a_page_without_markers_is_refused(text):
    with pytest.raises(ValueError, match=BEGIN):
        with_tables(text, "")
