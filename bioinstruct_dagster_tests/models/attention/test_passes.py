"""The tensors of a pass, and the loss of its response tokens."""

import pytest

from bioinstruct_dagster.models.attention.passes import Pass, response_tokens, token_losses
from bioinstruct_dagster_tests.training.loop.tiny_training import row, tiny_model


def test_positions_begin_anew_and_only_response_tokens_are_predicted():
    one = Pass.of([row("a", [10, 11, 12, 13], 2), row("b", [20, 21, 22], 1)], "cpu")
    assert one.input_ids.tolist() == [[10, 11, 12, 13, 20, 21, 22]]
    assert one.position_ids.tolist() == [[0, 1, 2, 3, 0, 1, 2]]
    assert one.starts.tolist() == [0, 4, 7]
    assert (one.longest, one.tokens) == (4, 7)
    assert one.predicting.tolist() == [1, 2, 4, 5]
    assert one.targets.tolist() == [12, 13, 21, 22]


def test_a_row_never_predicts_the_first_token_of_the_next_row():
    one = Pass.of([row("a", [10, 11], 0), row("b", [20, 21], 0)], "cpu")
    assert one.predicting.tolist() == [0, 2]
    assert one.targets.tolist() == [11, 21]


@pytest.mark.parametrize(
    ("ids", "prompt", "count"), [([1, 2, 3], 1, 2), ([1, 2], 2, 0), ([1], 0, 0)]
)
def test_response_tokens_are_counted(ids, prompt, count):
    one = row("a", ids, prompt)
    assert response_tokens(one) == count
    assert Pass.of([one], "cpu").targets.shape == (count,)


def test_the_losses_are_those_of_all_logits():
    import torch

    model, one = tiny_model().eval(), Pass.of([row("a", [5, 6, 7, 8, 9], 2)], "cpu")
    logits = model(input_ids=one.input_ids).logits[0]
    expected = torch.nn.functional.cross_entropy(
        logits[1:4], one.input_ids[0, 2:], reduction="none"
    )
    assert torch.allclose(token_losses(model, one, packed=False), expected, rtol=1e-12)


def test_a_model_that_can_not_leave_out_logits_gives_the_same_losses():
    import torch

    class Whole(torch.nn.Module):
        """Computes all logits."""

        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, input_ids, use_cache):
            return self.inner(input_ids=input_ids, use_cache=use_cache)

    model, one = tiny_model().eval(), Pass.of([row("a", [5, 6, 7, 8, 9], 2)], "cpu")
    expected = token_losses(model, one, packed=False)
    assert torch.allclose(token_losses(Whole(model), one, packed=False), expected, rtol=1e-12)
