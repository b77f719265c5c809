"""Models of several architectures compute with slots what they compute without a cache."""

import pytest
import torch

from bioinstruct_dagster.evaluation.engine.slots import Slots, carries
from bioinstruct_dagster_tests.evaluation.engine.architectures import (
    ARCHITECTURES,
    BLOOM,
    FALCON_H1,
    GEMMA2,
    MAMBA,
    small_model,
)

PROMPT = list(range(5, 25))


@pytest.mark.parametrize(("name", "changes"), [*ARCHITECTURES, GEMMA2])
def test_rows_of_different_lengths_are_computed_as_without_a_cache(name, changes):
    model = small_model(name, **changes)
    rows = [[(7 * at + 3 * row) % 80 + 5 for at in range(30 - 9 * row)] for row in range(3)]
    slots = Slots(5, 40, "cpu")
    places = [1, 0, 2]
    by_place = [rows[places.index(place)] for place in range(3)]
    with torch.inference_mode():
        slots.fill(model, [0, 1, 2, 3, 4], [[9] * 38] * 5)  # what was there before
        first = slots.fill(model, places, [row[:-3] for row in rows])
        for row, logits in zip(rows, first, strict=True):
            plain = model(input_ids=torch.tensor([row[:-3]]), use_cache=False).logits[0, -1]
            assert torch.allclose(logits, plain, atol=1e-5)
        for back in (3, 2, 1):
            if back == 1:  # two rows go on, in another order
                by_place = [by_place[2], by_place[0]]
                slots.keep([2, 0], 30)
            found = slots.step(
                model, [row[-back] for row in by_place], [len(row) - back for row in by_place]
            )
            for row, logits in zip(by_place, found, strict=True):
                seen = row[: len(row) - back + 1]
                plain = model(input_ids=torch.tensor([seen]), use_cache=False).logits[0, -1]
                assert torch.allclose(logits, plain, atol=1e-5)
    assert carries(model, PROMPT, "cpu")


@pytest.mark.parametrize(("name", "changes"), [MAMBA, BLOOM, FALCON_H1])
def test_a_model_that_can_t_compute_with_slots_is_found(name, changes):
    assert not carries(small_model(name, **changes), PROMPT, "cpu")


def test_slots_are_compared_in_16_bits_too():
    assert carries(small_model("llama").to(torch.bfloat16), PROMPT, "cpu")


def test_a_wrong_mask_is_found(monkeypatch):
    """The comparison would fail if a row saw its neighbours' padding or too few of its tokens."""
    monkeypatch.setattr(
        Slots, "_masks", lambda self, _: torch.ones(2, 1, 1, self._reach, dtype=torch.bool)
    )
    assert not carries(small_model("llama"), PROMPT, "cpu")
