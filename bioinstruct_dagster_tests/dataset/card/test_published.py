"""The published figures: complete, named with their source, and consistent."""

from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.statistics import FIELDS, text_statistics


def test_each_figure_that_we_measure_has_a_published_one():
    ours = text_statistics([{"instruction": "a b", "input": "", "output": "c"}] * 2)
    published = published_set().measured
    assert set(published.lengths) == set(ours.lengths) == set(FIELDS)
    assert set(published.shares) == set(ours.shares)
    assert len(published.diversity.distinct) == len(ours.diversity.distinct)


def test_the_histogram_holds_all_rows_and_the_source_says_how_many():
    published = published_set()
    assert sum(published.measured.diversity.nearest) == published.measured.rows == 2501
    assert "2,501 of the 25,005" in published.source
    assert abs(sum(published.categories.values()) - 1) < 0.002  # as stated: 100.1 %
