"""The figures of a set: what they show, what stands beside them, and how they are marked."""

import pytest

from bioinstruct_dagster.dataset.figures.drawn import REHEARSAL, data_figures
from bioinstruct_dagster.dataset.figures.growth import GrowthStep
from bioinstruct_dagster.plots.canvas import svg_text

STEPS = [GrowthStep("0a1b2c3d-e", "2026-01-05", 50, 40), GrowthStep("import:a.csv@1", "", 30, 20)]


def texts(figure):
    """All texts of a figure."""
    return " ".join(
        found.get_text() for found in figure.findobj(lambda one: hasattr(one, "get_text"))
    )


@pytest.fixture(scope="module")
def drawn():
    rows = [
        {
            "instruction": f"{verb} the {noun} of case {n}.", "input": "a " * n, "output": "b",
            "category": category, "source": "completion", "rehearsal": False, "labelled_by": "t",
        }
        for n in range(3)
        for verb, noun, category in (
            ("List", "drugs", "generation"), ("Explain", "risk", "other"),
            ("List", "signs", "other"),
        )
    ]  # fmt: skip
    return rows, data_figures(rows, STEPS)[1]


def test_each_figure_has_its_counts_in_words_and_rows(drawn):
    rows, figures = drawn
    by_name = {one.name: one for one in figures}
    assert list(by_name) == [
        f"dataset_{name}" for name in ("categories", "verbs", "lengths", "novelty", "growth")
    ]
    assert "other 66.7 %, generation 33.3 %" in by_name["dataset_categories"].told
    assert by_name["dataset_verbs"].counts == [
        ("list", "drug", 3), ("list", "sign", 3), ("explain", "risk", 3),
    ]  # fmt: skip
    assert "have 100.0 % of the rows" in by_name["dataset_verbs"].told
    assert sum(count for *_, count in by_name["dataset_novelty"].counts) == len(rows)
    assert ("input", "0 to 9", 9) in by_name["dataset_lengths"].counts
    assert "2 runs or imports brought 80 raw rows, of which 60 (75.0 %)" in (
        by_name["dataset_growth"].told
    )


def test_the_drawings_name_axes_units_and_what_is_quoted(drawn):
    shown = {one.name: texts(one.figure) for one in drawn[1]}
    assert "share of rows (%)" in shown["dataset_categories"]
    assert "as stated by its authors" in shown["dataset_categories"]
    for word in ("list", "explain", "drug", "risk", "100.0 %\nof 9 rows"):
        assert word in shown["dataset_verbs"]
    assert "words" in shown["dataset_lengths"]
    assert "ROUGE-L F1" in shown["dataset_novelty"]
    assert "80 %" in shown["dataset_growth"]
    assert "0a1b2c3d\n2026-01-05" in shown["dataset_growth"]
    for one in drawn[1]:
        assert one.title in shown[one.name]
        assert REHEARSAL not in shown[one.name]
        assert svg_text(one.figure, one.told).startswith("<svg role=")


def test_a_rehearsal_is_marked_and_an_import_stands_alone(drawn):
    rows = drawn[0]
    for one in data_figures([row | {"rehearsal": True} for row in rows])[1]:
        assert REHEARSAL in texts(one.figure)
    for one in data_figures([row | {"source": "import:a.csv"} for row in rows])[1]:
        assert "BioInstruct" not in texts(one.figure)


def test_a_set_of_one_question_has_the_figures_that_it_can_have(drawn):
    row = drawn[0][0] | {"instruction": "What is it?"}
    names = [one.name for one in data_figures([row])[1]]
    assert names == ["dataset_categories", "dataset_lengths"]
