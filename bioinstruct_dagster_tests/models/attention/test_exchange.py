"""The exchange of a model's attention: what rules it out, and that it is undone."""

import pytest

from bioinstruct_dagster.models.attention.exchange import (
    AttentionUnsupportedError,
    exchanged_attention,
)
from bioinstruct_dagster_tests.training.loop.tiny_training import tiny_model


def exchanged(model, *, trained):
    return exchanged_attention(model, "other", print, print, trained=trained)


def test_a_model_has_its_own_attention_afterwards():
    model = tiny_model()
    with exchanged(model, trained=True):
        assert model.config._attn_implementation == "other"
    assert model.config._attn_implementation == "sdpa"


def test_dropout_is_an_obstacle_in_training_alone():
    model = tiny_model()
    model.config.attention_dropout = 0.1
    with exchanged(model, trained=False):
        pass
    reason = r"its attention has dropout \(attention_dropout = 0.1\)"
    with pytest.raises(AttentionUnsupportedError, match=reason), exchanged(model, trained=True):
        pytest.fail("it was not refused")
    assert model.config._attn_implementation == "sdpa"
