"""The blocks of a batch, and what is added to a layer's output, on layers without a model."""

import pytest
import torch

from bioinstruct_dagster.evaluation.engine.mixed_adapters import (
    AdaptedLayers,
    LayerWeights,
    blocks_of,
)


def test_rows_that_lie_in_equal_blocks_are_not_moved():
    blocks = blocks_of(["one", "one", None, None, "two", "two"], "cpu")
    assert (blocks.subjects, blocks.rows) == (("one", None, "two"), 2)
    assert blocks.gather is None
    assert blocks.places is None


@pytest.mark.parametrize(
    "rows",
    [
        ["one", "two", "one", None],
        [None, "one", "one", "one", "one", "one", "two"],
        ["one"] * 30 + ["two"],
        [["one", "two", "three"][at * at % 3] for at in range(20)],
    ],
)
def test_every_row_lies_in_a_block_of_its_adapter(rows):
    blocks = blocks_of(rows, "cpu")
    gather, places = blocks.gather.tolist(), blocks.places.tolist()
    assert len(gather) == len(blocks.subjects) * blocks.rows
    assert [gather[place] for place in places] == list(range(len(rows)))
    assert [blocks.subjects[place // blocks.rows] for place in places] == rows


def test_a_few_rows_of_one_adapter_do_not_fill_a_large_block():
    """30 rows beside one: blocks of 30 would compute 60 rows."""
    blocks = blocks_of(["one"] * 30 + ["two"], "cpu")
    assert len(blocks.subjects) * blocks.rows < 50


@pytest.fixture
def model():
    torch.manual_seed(0)
    return torch.nn.ModuleDict({"first": torch.nn.Linear(6, 4), "second": torch.nn.Linear(4, 5)})


def weights(inputs, rank, outputs):
    return LayerWeights(torch.randn(inputs, rank), torch.randn(rank, outputs))


@pytest.mark.parametrize("tokens", [1, 3, 70])  # side by side, in blocks, one product a run
def test_ranks_and_layers_may_differ(model, tokens):
    adapters = {
        "low": {"first": weights(6, 1, 4), "second": weights(4, 2, 5)},
        "high": {"second": weights(4, 7, 5)},
    }
    x = torch.randn(5, tokens, 6)
    layers = AdaptedLayers(adapters)
    rows = ["high", "low", None, "low", "high"]
    with layers.on(model), torch.inference_mode():
        layers.chosen = blocks_of(rows, "cpu")
        found = model["second"](model["first"](x))
        for row, name in enumerate(rows):
            layers.chosen = name
            alone = model["second"](model["first"](x[row : row + 1]))
            assert torch.allclose(found[row], alone[0], atol=1e-5)
            layers.chosen = None
            plain = model["second"](model["first"](x[row : row + 1]))
            assert torch.allclose(plain, alone, atol=1e-5) == (name is None)


@pytest.mark.parametrize("tokens", [1, 3, 70])
def test_a_layer_that_no_adapter_of_the_batch_adapts_is_the_base_model_s(model, tokens):
    layers = AdaptedLayers(
        {"low": {"first": weights(6, 2, 4)}, "high": {"second": weights(4, 2, 5)}}
    )
    x = torch.randn(3, tokens, 6)
    with layers.on(model), torch.inference_mode():
        plain = model["first"](x)
        layers.chosen = blocks_of(["high", None, "high"], "cpu")
        assert model["first"](x).equal(plain)


def test_a_forward_pass_of_the_layer_s_own_is_kept(model):
    """Other libraries exchange forward passes too, and find theirs again."""
    calls = []
    linear = model["first"].forward

    def own(x):
        calls.append(len(x))
        return linear(x)

    model["first"].forward = own
    layers = AdaptedLayers({"one": {"first": weights(6, 2, 4), "second": weights(4, 2, 5)}})
    layers.chosen = "one"
    wrong = torch.ones(2, 7)  # seven values, and the layer reads six
    with layers.on(model):
        model["first"](torch.ones(2, 6))
        assert vars(model["first"])["forward"] is not own
    with pytest.raises(RuntimeError), layers.on(model):
        model["first"](wrong)
    assert calls == [2, 2]
    assert vars(model["first"])["forward"] is own
    assert "forward" not in vars(model["second"])


@pytest.mark.parametrize("tokens", [1, 3, 70])
def test_the_sum_has_the_type_of_the_layer(model, tokens):
    """In 16 bits, the adapter is computed in 32 and the sum is rounded once, as by peft."""
    model.to(torch.bfloat16)
    layers = AdaptedLayers({"one": {"first": weights(6, 2, 4)}})
    x = torch.randn(2, tokens, 6, dtype=torch.bfloat16)
    with layers.on(model), torch.inference_mode():
        plain = model["first"](x)
        layers.chosen = "one"
        alone = model["first"](x)
        layers.chosen = blocks_of(["one", None], "cpu")
        mixed = model["first"](x)
    assert alone.dtype == mixed.dtype == torch.bfloat16
    assert mixed[0].equal(alone[0])
    assert mixed[1].equal(plain[1])


def test_matrices_side_by_side_serve_batches_of_some_of_the_adapters(model):
    """Also after a batch of adapters that are too many to lie side by side."""
    adapters = {f"adapter-{at}": {"first": weights(6, 16, 4)} for at in range(12)}
    layers = AdaptedLayers(adapters)
    x = torch.randn(4, 1, 6)
    few = [["adapter-1", None, "adapter-3", "adapter-1"], ["adapter-3", "adapter-3", None, None]]
    with layers.on(model), torch.inference_mode():
        for rows in [*few, list(adapters)[:4], few[0]]:
            layers.chosen = blocks_of(rows, "cpu")
            mixed = model["first"](x)
            for row, name in enumerate(rows):
                layers.chosen = name
                assert torch.allclose(mixed[row], model["first"](x)[row], atol=1e-5)
        many = list(adapters)
        layers.chosen = blocks_of(many, "cpu")
        mixed = model["first"](torch.cat([x] * 3))
        layers.chosen = blocks_of(few[0], "cpu")
        again = model["first"](x)
        layers.chosen = "adapter-11"
        assert torch.allclose(mixed[11], model["first"](x)[3], atol=1e-5)
        layers.chosen = "adapter-1"
        assert torch.allclose(again[3], model["first"](x)[3], atol=1e-5)
