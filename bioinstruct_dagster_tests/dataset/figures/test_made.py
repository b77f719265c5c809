"""Figures of a stored set: the table, the files, the card and the growth."""

import pytest

from bioinstruct_dagster.dataset.build import read_columns
from bioinstruct_dagster.dataset.figures.growth import growth_of
from bioinstruct_dagster.dataset.figures.made import make_figures
from bioinstruct_dagster.dataset.written_files import changed_since_written
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster_tests.dataset.placing import place


def test_without_a_data_set_the_step_says_what_to_do(store, settings):
    store.replace({"hf_dataset": []})
    with pytest.raises(StatedError, match="key:hf_dataset"):
        make_figures(store, settings)


def test_table_files_and_card_hold_the_same_figures(store, settings, dataset_rows, hugging_face):
    built = place(store, settings, dataset_rows)
    made = make_figures(store, settings)
    names = {one.name for one in made.drawn}
    table = store.rows("select * from dataset_figures")
    assert {row["figure"] for row in table} == names
    assert {row["dataset_fingerprint"] for row in table} == {built.fingerprint}
    shares = [row["rows"] for row in table if row["figure"] == "dataset_categories"]
    assert sum(shares) == len(dataset_rows)
    assert all(path.stat().st_size > 1_000 for path in made.files)
    card = (built.path / "README.md").read_text("utf-8")
    for name in names:
        assert f"(figures/{name}.png)" in card
        assert (built.path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert changed_since_written(built.path) == []  # the project wrote the section itself
    # The folder still opens as the same version.
    assert len(read_columns(built.path, built.fingerprint, ["row_id"])) == len(dataset_rows)
    again = make_figures(store, settings)
    assert again.fingerprint == made.fingerprint
    assert (built.path / "README.md").read_text("utf-8") == card


def test_a_card_that_somebody_changed_stays_marked(store, settings, dataset_rows, hugging_face):
    built = place(store, settings, dataset_rows)
    with (built.path / "README.md").open("a", encoding="utf-8") as card:
        card.write("\nWritten by hand.\n")
    make_figures(store, settings)
    assert changed_since_written(built.path) == ["README.md"]


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_card_that_can_t_be_read_is_named(store, settings, dataset_rows, hugging_face, content):
    card = place(store, settings, dataset_rows).path / "README.md"
    card.unlink() if content is None else card.write_bytes(content)
    with pytest.raises(StatedError, match=r"README\.md can't be read.*key:hf_dataset"):
        make_figures(store, settings)


def test_growth_counts_raw_and_kept_rows_of_each_run(store, settings, dataset_rows, hugging_face):
    place(store, settings, dataset_rows)
    store.replace({"hf_dataset": store.rows("select * from hf_dataset limit 7")})
    steps = growth_of(store)
    assert sum(step.raw_rows for step in steps) == len(dataset_rows)
    assert sum(step.kept_rows for step in steps) == 7
