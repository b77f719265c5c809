"""The README's tables and `.env.example` agree with the settings."""

from pathlib import Path

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT, Settings, load_settings
from bioinstruct_dagster.settings.reading import PLACES
from bioinstruct_dagster.settings.table import (
    BEGIN,
    END,
    env_example,
    readme_tables,
    unit_of,
    with_tables,
    write_files,
)

README = PROJECT_ROOT / "README.md"
AGAIN = "run `make settings-table`"


def test_the_readme_holds_the_tables_of_the_settings():
    text = README.read_text("utf-8")
    assert text == with_tables(text), AGAIN


def test_the_env_example_holds_the_defaults():
    assert (PROJECT_ROOT / ".env.example").read_text("utf-8") == env_example(), AGAIN


@pytest.mark.parametrize("variable", PLACES)
def test_each_setting_has_a_row_with_unit_and_meaning(variable):
    [row] = [line for line in readme_tables().splitlines() if line.startswith(f"| `{variable}` |")]
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
    (tmp_path / "README.md").write_text(f"Before.\n{BEGIN}\nold\n{END}\nAfter.\n", "utf-8")
    write_files(tmp_path)
    text = Path(tmp_path / "README.md").read_text("utf-8")
    assert text == f"Before.\n{BEGIN}\n{readme_tables()}\n{END}\nAfter.\n"
    assert (tmp_path / ".env.example").read_text("utf-8") == env_example()


@pytest.mark.parametrize("text", ["no marker", BEGIN, END])
def test_a_readme_without_markers_is_refused(text):
    with pytest.raises(ValueError, match=BEGIN):
        with_tables(text)
