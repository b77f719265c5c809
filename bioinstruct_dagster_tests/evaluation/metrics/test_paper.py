"""What is quoted of the paper."""

from bioinstruct_dagster.evaluation.metrics.paper import NOT_KNOWN, SOURCE, quoted_gain


def test_the_gains_are_those_of_the_abstract():
    gains = {
        name: quoted_gain(name).gain for name in ("question_answering", "extraction", "generation")
    }
    assert gains == {"question_answering": 0.173, "extraction": 0.057, "generation": 0.96}
    assert "abstract" in SOURCE
    assert NOT_KNOWN


def test_other_categories_have_none():
    assert quoted_gain("all") is None
