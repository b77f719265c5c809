"""Passages cut in their middle: as much is kept as fits, from both ends."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.evaluation.tasks.shortening import shortened_passages
from bioinstruct_dagster.models.shortening import MARKER

WORDS = st.lists(st.text(alphabet="ab", min_size=1, max_size=9), min_size=1, max_size=30)


def within(room):
    """Whether passages are short enough, in characters; and the calls."""
    calls = []

    def fitting(tried):
        calls.append(len(tried))
        return [len(text) <= room[number] for number, text in tried]

    return fitting, calls


def test_both_ends_are_kept():
    text = "one two three four five six"
    fitting, _ = within({7: len("one two") + len(MARKER) + len("six")})
    assert shortened_passages({7: text}, fitting, may_vanish=True) == {7: f"one two{MARKER}six"}


def test_a_passage_of_which_nothing_fits_vanishes_if_it_may():
    fitting, _ = within({0: 3})
    assert shortened_passages({0: "one two three"}, fitting, may_vanish=True) == {0: ""}
    assert shortened_passages({0: "one two three"}, fitting, may_vanish=False) == {}


def test_an_item_that_can_not_fit_is_given_up_at_once():
    fitting, calls = within({0: -1, 1: -1})
    texts = {0: "one two three", 1: "four five six"}
    assert shortened_passages(texts, fitting, may_vanish=True) == {}
    assert shortened_passages(texts, fitting, may_vanish=False) == {}
    assert calls == [2, 2]


@given(st.lists(st.tuples(WORDS, st.integers(0, 80)), min_size=1, max_size=5), st.booleans())
def test_the_longest_that_fits_is_kept(items, may_vanish):
    texts = {number: " ".join(words) for number, (words, _) in enumerate(items)}
    room = {number: size for number, (_, size) in enumerate(items)}
    fitting, calls = within(room)
    found = shortened_passages(texts, fitting, may_vanish=may_vanish)
    assert len(calls) <= 9
    for number, (words, size) in enumerate(items):
        candidates = [
            " ".join(words[: (kept + 1) // 2]) + MARKER + " ".join(words[len(words) - kept // 2 :])
            for kept in range(2, len(words))
        ]
        fit = [text for text in ([""] if may_vanish else []) + candidates if len(text) <= size]
        assert found.get(number) == (fit[-1] if fit else None)
