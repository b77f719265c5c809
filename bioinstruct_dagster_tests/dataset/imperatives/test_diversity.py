"""The most frequent verbs with their objects, and the shares that they cover."""

import pytest

from bioinstruct_dagster.dataset.imperatives.diversity import MOST_VERBS, verb_diversity


def rows_of(counts):
    return [
        {"instruction": text, "input": "", "output": str(number)}
        for text, count in counts.items()
        for number in range(count)
    ]


def test_shares_are_of_all_rows_that_were_read():
    found = verb_diversity(
        rows_of({
            "List the drugs.": 4, "List the signs.": 3, "List causes.": 2, "List doses.": 2,
            "List risks.": 1, "Explain how it works.": 5, "Explain the scan.": 1, "What is it?": 2,
        })
    )  # fmt: skip
    assert (found.rows, found.read, found.with_verb) == (20, 20, 18)
    assert (found.verbs, found.pairs) == (2, 6)
    first, second = found.top
    assert (first.verb, first.rows) == ("list", 12)
    assert first.objects == {"drug": 4, "sign": 3, "cause": 2, "dose": 2}  # four of five
    assert (second.verb, second.rows, second.objects) == ("explain", 6, {"scan": 1})
    assert found.share_of_verbs == 18 / 20
    assert found.share_of_pairs == 12 / 20
    assert "word lists" in found.reader


def test_no_more_verbs_than_the_figure_of_the_paper_has():
    verbs = "add adapt adjust apply arrange assess assign build choose classify compare compile "
    verbs += "compose compute convert create define derive describe design determine"
    found = verb_diversity(rows_of({f"{verb} the dose.": 1 for verb in verbs.split()}))
    assert found.verbs == 21
    assert len(found.top) == MOST_VERBS
    assert found.share_of_verbs == pytest.approx(20 / 21)
    assert [one.verb for one in found.top] == sorted(verbs.split())[:MOST_VERBS]


def test_no_rows_have_no_share():
    found = verb_diversity([])
    assert not found.top
    assert found.share_of_verbs == found.share_of_pairs == 0
