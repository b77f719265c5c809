"""The sum of the weights of a candidate's features."""

from math import exp, log

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.privacy.reader.weights import SCALE, Weights
from bioinstruct_dagster.curation.privacy.reader.words import KnownWords

KINDS = ["date", "name", "none", "number"]
NO_WORDS = KnownWords(frozenset(), frozenset(), frozenset(), (), ())
ROWS = st.lists(st.integers(-9_999, 9_999), min_size=len(KINDS), max_size=len(KINDS))


@given(ROWS, st.dictionaries(st.text(max_size=3), ROWS, max_size=40))
def test_the_score_is_that_of_the_sums_of_each_kind_over_the_kind_of_none(bias, weights):
    read = Weights(KINDS, bias, weights, NO_WORDS).read([*weights, "a feature without weights"])
    sums = [sum(column) for column in zip(bias, *weights.values(), strict=True)]
    over = {name: part - sums[2] for name, part in zip(KINDS, sums, strict=True) if name != "none"}
    top = max(over.values())
    assert over[read.kind] == top
    margin = top / SCALE + log(sum(exp((part - top) / SCALE) for part in over.values()))
    assert read.margin == round(margin, 3)
