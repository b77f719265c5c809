"""Trees of requests: each text is found again in its pass, and common beginnings are there once."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.evaluation.engine.prefix_tree import (
    OptionTree,
    common_beginning,
    passes_of,
)
from bioinstruct_dagster.evaluation.engine.requests import OptionRequest

TEXTS = st.lists(st.integers(0, 2), min_size=1, max_size=6).map(tuple)
REQUESTS = st.lists(
    st.builds(
        OptionRequest,
        key=st.just("k"),
        prompt_ids=TEXTS,
        option_ids=st.lists(TEXTS, min_size=1, max_size=4).map(tuple),
    ),
    min_size=1,
    max_size=7,
)


def texts_of(one):
    """For each token of a pass, the tokens that it follows and itself, by the branches."""
    found = {}
    for branch in one.branches:
        before = [place for start, stop in branch.before for place in range(start, stop)]
        chain = list(range(branch.start, branch.start + branch.chain))
        for number, place in enumerate(chain):
            found[place] = [*before, *chain[: number + 1]]
        behind = branch.start + branch.chain
        for number, parent in enumerate(branch.parents):
            above = found[behind + parent] if parent >= 0 else [*before, *chain]
            found[behind + number] = [*above, behind + number]
    return found


@given(REQUESTS, st.integers(1, 30), st.integers(1, 12))
def test_what_predicts_a_token_follows_exactly_the_text_before_it(requests, tokens, predicting):
    seen = []
    for one in passes_of(requests, tokens=tokens, predicting=predicting):
        texts, targets, at = texts_of(one), iter(one.targets), 0
        assert sorted(texts) == list(range(len(one.ids)))
        assert all(one.positions[place] == len(path) - 1 for place, path in texts.items())
        for request in one.requests:
            for option in request.option_ids:
                for number, token in enumerate(option):
                    row, target = next(targets)
                    read = [one.ids[place] for place in texts[one.predicting[row]]]
                    assert read == [*request.prompt_ids, *option[:number]]
                    assert target == token
                assert one.option_tokens[at] == len(option)
                at += 1
        assert len(one.requests) == 1 or len(one.ids) <= tokens
        assert len(one.requests) == 1 or len(one.predicting) <= predicting
        seen += one.requests
    assert sorted(seen, key=repr) == sorted(requests, key=repr)


def test_what_prompts_begin_with_is_there_once():
    requests = [OptionRequest(str(n), (*range(10), 50 + n), ((1,), (2,))) for n in range(5)]
    (one,) = passes_of(requests, tokens=100, predicting=100)
    assert len(one.ids) == 10 + 5
    assert len(one.predicting) == 5  # options of one token are predicted by the prompt's last


def test_options_that_begin_alike_share_tokens_and_their_last_one_is_not_read():
    tree = OptionTree.of([(7, 8, 9), (7, 8, 5, 6), (7, 4)])
    assert tree.tokens == (7, 8, 5)
    assert tree.parents == (-1, 0, 1)
    assert tree.chain == 3  # 8 is the only child of 7, because 4 is a last token
    assert OptionTree.of([(1,), (2,)]).tokens == ()
    assert OptionTree.of([(1, 2), (3, 4)]).chain == 0


def test_the_passes_do_not_depend_on_the_order_of_requests():
    requests = [OptionRequest(str(n), (1, n % 3, n), ((n, 2), (3,))) for n in range(12)]
    there, back = (
        [one.ids for one in passes_of(order, tokens=16, predicting=99)]
        for order in (requests, requests[::-1])
    )
    assert there == back


@given(TEXTS, TEXTS)
def test_the_common_beginning(one, other):
    size = common_beginning(one, other)
    assert one[:size] == other[:size]
    assert one[size : size + 1] != other[size : size + 1] or size == len(one) == len(other)
