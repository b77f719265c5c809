"""The attention of trees: each token sees its own text, within a window if there is one."""

import pytest
import torch

from bioinstruct_dagster.evaluation.engine import tree_attention as module
from bioinstruct_dagster.evaluation.engine.prefix_tree import passes_of
from bioinstruct_dagster.evaluation.engine.requests import OptionRequest
from bioinstruct_dagster.evaluation.engine.tree_attention import TreeMasks, tree_attention
from bioinstruct_dagster.models.attention.exchange import AttentionUnsupportedError
from bioinstruct_dagster_tests.evaluation.engine.test_prefix_tree import texts_of
from bioinstruct_dagster_tests.evaluation.engine.test_self_test import made

HEADS, KEY_HEADS, WIDTH = 4, 2, 8
BEGIN = tuple(range(30))
REQUESTS = [
    OptionRequest("a", (*BEGIN, 1, 2), ((7, 8, 9), (7, 8, 5, 6), (7, 4))),
    OptionRequest("b", (*BEGIN, 1, 3, 3), ((1, 2), (2, 2, 2))),
    OptionRequest("c", BEGIN, ((1,), (2,))),
    OptionRequest("d", (40, *BEGIN), ((1, 1, 1, 1),)),
]


def dense(heads, one, window):
    """The same by one product of all queries with all keys."""
    query, key, value = heads
    sees = torch.zeros(len(one.ids), len(one.ids), dtype=torch.bool)
    for place, text in texts_of(one).items():
        sees[place, text[-window:] if window else text] = True
    scores = query @ key.repeat_interleave(2, 1).transpose(2, 3) / WIDTH**0.5
    weights = scores.masked_fill(~sees, float("-inf")).softmax(-1)
    return (weights @ value.repeat_interleave(2, 1)).transpose(1, 2)


@pytest.mark.parametrize("chunk", [5, 128])
@pytest.mark.parametrize("window", [None, 1, 4, 31, 500])
def test_each_token_sees_its_own_text(monkeypatch, chunk, window):
    monkeypatch.setattr(module, "CHUNK", chunk)
    (one,) = passes_of(REQUESTS, tokens=500, predicting=500)
    torch.manual_seed(0)
    heads = tuple(
        torch.randn(2, number, len(one.ids), WIDTH) for number in (HEADS, KEY_HEADS, KEY_HEADS)
    )
    masks = TreeMasks.of(one.branches, torch.tensor(one.positions), torch.float32)
    for _ in range(2):  # the second time with the masks of the first
        found = masks.attend(heads, None, window)
        assert torch.allclose(found, dense(heads, one, window), atol=1e-6)


def test_a_model_that_asks_for_more_is_refused():
    model = made("gemma3_text", head_dim=8, sliding_window=8).model
    (one,) = passes_of(REQUESTS[:1], tokens=500, predicting=500)
    masks = TreeMasks.of(one.branches, torch.tensor(one.positions), torch.float32)
    with tree_attention(model, masks), pytest.raises(AttentionUnsupportedError, match="mask"):
        module._attend(model, *[torch.zeros(1, 1, 1, 8)] * 3, torch.zeros(1, 1))
    with (
        tree_attention(model, masks),
        pytest.raises(AttentionUnsupportedError, match="not causal"),
    ):
        module._attend(model, *[torch.zeros(1, 1, 1, 8)] * 3, None, is_causal=False)


def test_a_model_whose_scores_are_biased_by_distance_is_refused():
    model = made("falcon", alibi=True, num_kv_heads=2).model
    own = model.config._attn_implementation
    masks = TreeMasks([], torch.zeros(0))
    with pytest.raises(AttentionUnsupportedError, match="ALiBi"), tree_attention(model, masks):
        pytest.fail("it was not refused")
    assert model.config._attn_implementation == own
