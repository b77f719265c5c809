"""Figures are the same each time, are told in words, and appear as a whole."""

import xml.etree.ElementTree as ET

import pytest

from bioinstruct_dagster.plots.canvas import new_figure, save, svg_text

TOLD = 'Rows by category: "generation" & others'


def drawn():
    figure, axes = new_figure(480, 300)
    axes.bar(["a", "b"], [1, 2])
    axes.set_title("Rows")
    axes.set_ylabel("rows")
    return figure


def test_equal_figures_give_equal_files(tmp_path):
    first = save(drawn(), tmp_path / "one", "rows", TOLD)
    second = save(drawn(), tmp_path / "two", "rows", TOLD)
    assert first.png.read_bytes() == second.png.read_bytes()
    assert first.svg.read_text("utf-8") == second.svg.read_text("utf-8")
    assert {path.name for path in (tmp_path / "one").iterdir()} == {"rows.png", "rows.svg"}


def test_the_svg_says_in_words_what_it_shows():
    element = ET.fromstring(svg_text(drawn(), TOLD))
    assert (element.get("role"), element.get("aria-label")) == ("img", TOLD)
    assert float(element.get("width").removesuffix("pt")) == pytest.approx(480 * 72 / 96, abs=1)


def test_the_png_has_two_pixels_for_each_pixel_of_the_page(tmp_path):
    from PIL import Image

    with Image.open(save(drawn(), tmp_path, "rows", TOLD).png) as picture:
        assert picture.size == (960, 600)
        assert picture.info["Description"] == TOLD
