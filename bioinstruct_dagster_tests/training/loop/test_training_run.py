"""A training run: exact, repeatable, resumable, and ended at the right time."""

import math

import pytest

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.training.loop import TrainingDivergedError
from bioinstruct_dagster_tests.training.loop.tiny_training import (
    DROPOUT,
    Plan,
    difference,
    equal,
    row,
    rows,
    tiny_model,
    train,
)

pytestmark = pytest.mark.usefixtures("one_thread")


def test_training_lowers_the_loss_and_changes_the_adapter_alone():
    model = tiny_model()
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    trained = train(model=model, epochs=4, learning_rate=5e-2)
    losses = trained.outcome.losses
    assert trained.outcome.updates == len(losses) == 24
    assert sum(losses[-6:]) < 0.9 * sum(losses[:6])
    base = dict(trained.model.get_base_model().named_parameters())
    for name, weight in before.items():
        assert base.get(name, base.get(name.replace(".weight", ".base_layer.weight"))).equal(weight)
    assert not trained.model.training
    assert trained.model.config._attn_implementation == "sdpa"


def test_padding_is_counted_and_there_is_none():
    outcome = train().outcome
    assert outcome.tokens == 2 * sum(one.length for one in rows(44))
    assert outcome.padding_tokens <= 0.02 * outcome.tokens
    assert outcome.padding_tokens == 0


def test_the_observer_is_told_of_each_update_and_validation():
    trained = train(validation_rows=rows(6, "held-out"), learning_rate=2e-3, schedule="linear")
    told = trained.observer.updates
    assert [(number, of) for number, of, *_ in told] == [(n, 12) for n in range(1, 13)]
    assert [loss for _, _, loss, *_ in told] == trained.outcome.losses
    assert max(rate for *_, rate, _, _ in told) == 2e-3
    assert sum(tokens for *_, tokens, _ in told) == trained.outcome.tokens
    assert trained.observer.validations == trained.outcome.validation_losses
    assert [update for update, _ in trained.observer.validations] == [6, 12]


@pytest.mark.parametrize("plan", [Plan(1), Plan(10_000), Plan(128, activation_checkpointing=True)])
def test_how_updates_are_computed_changes_the_adapter_by_rounding_alone(plan):
    one, other = train(), train(plan=plan)
    assert other.outcome.losses == pytest.approx(one.outcome.losses, rel=1e-9)
    assert difference(other.weights, one.weights) < 1e-6


def test_the_same_seed_gives_the_same_adapter_bit_for_bit_and_another_seed_another():
    import torch

    one = train(**DROPOUT)
    torch.manual_seed(99)
    torch.rand(7)  # what else the process drew does not matter
    assert equal(train(**DROPOUT).weights, one.weights)
    assert not equal(train(**DROPOUT, seed=2).weights, one.weights)


def test_recomputed_activations_have_the_same_dropout():
    plan = Plan(128, activation_checkpointing=True)
    assert equal(train(**DROPOUT, plan=plan).weights, train(**DROPOUT).weights)


def test_a_base_that_can_not_be_packed_is_trained_row_by_row_and_that_is_said():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    config = Gemma2Config(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, head_dim=8,
        intermediate_size=64, num_key_value_heads=2, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    trained = train(model=Gemma2ForCausalLM(config), dtype="float32", epochs=1)
    (line,) = trained.log
    assert line == (
        "Rows are trained one by one, because the base model can't be packed: its attention caps "
        "the scores (attn_logit_softcapping = 50.0)."
    )
    assert not trained.outcome.packed
    assert trained.outcome.padding_tokens == 0
    assert all(math.isfinite(loss) for loss in trained.outcome.losses)


def test_a_16_bit_base_trains_an_adapter_of_32_bits():
    one, other = train(dtype="bfloat16"), train(dtype="float32")
    assert {str(weight.dtype) for weight in one.weights.values()} == {"torch.float32"}
    assert one.outcome.losses == pytest.approx(other.outcome.losses, rel=0.02)
    assert one.outcome.packed


def test_early_stopping_ends_the_run_and_keeps_the_best_weights():
    held_out = rows(12, "held-out")
    trained = train(
        validation_rows=held_out, patience=2, validations_per_epoch=3, epochs=30,
        learning_rate=0.2, warmup=0,
    )  # fmt: skip
    outcome = trained.outcome
    losses = dict(outcome.validation_losses)
    assert outcome.ended_early
    assert outcome.updates == max(losses) < 180
    assert outcome.kept_update == min(losses, key=losses.get) < outcome.updates
    after = [update for update in losses if update > outcome.kept_update]
    assert len(after) == 2
    # The weights are those of that update: training again to there gives them and that loss.
    assert loss_of(trained.model, held_out) == pytest.approx(losses[outcome.kept_update], rel=1e-9)


def loss_of(model, held_out):
    import torch

    total, count = 0.0, 0
    with torch.no_grad():
        for one in held_out:
            ids = torch.tensor([one.input_ids])
            logits = model(input_ids=ids).logits[0, one.prompt_tokens - 1 : -1]
            targets = ids[0, one.prompt_tokens :]
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            count += len(targets)
    return total / count


def test_without_patience_the_last_weights_are_kept():
    held_out = rows(12, "held-out")
    trained = train(validation_rows=held_out, epochs=6, learning_rate=0.2, warmup=0)
    outcome = trained.outcome
    assert not outcome.ended_early
    assert outcome.kept_update == outcome.updates == 36
    assert loss_of(trained.model, held_out) == pytest.approx(
        outcome.validation_losses[-1][1], rel=1e-9
    )


def test_rslora_scales_the_adapter_by_the_root_of_the_rank():
    # alpha / sqrt(4) is twice alpha / 4: the same as twice the alpha.
    one = train(rslora=True, lora_alpha=8)
    assert difference(one.weights, train(lora_alpha=16).weights) < 1e-12
    assert difference(one.weights, train(lora_alpha=8).weights) > 1e-3


def test_rows_without_a_response_token_never_reach_the_loss():
    silent = row("silent", [5, 6, 7], 3)
    trained = train(train_rows=[silent, *rows(44)])
    assert trained.log == ["1 rows have no response token and are not trained on."]
    assert equal(trained.weights, train().weights)
    with pytest.raises(StatedError, match="nothing to learn"):
        train(train_rows=[silent])


def test_a_loss_that_is_no_number_names_update_rows_and_remedy():
    import torch

    model = tiny_model()
    with torch.no_grad():
        model.model.embed_tokens.weight[99] = math.nan
    # The longest row: the test of packing before training takes shorter ones.
    spoilt = [row("bad-row", [99, *[5, 6] * 40], 1), *rows(3)]
    for one in spoilt[1:]:
        one.input_ids[:] = [token % 99 for token in one.input_ids]
    with pytest.raises(TrainingDivergedError) as caught:
        train(model=model, train_rows=spoilt, weight_decay=0.5)
    message = str(caught.value)
    assert message.startswith("Update 1 of 2: the loss of its 4 rows is nan")
    assert "not a number: bad-row." in message
    assert "lower learning_rate (0.01), max_grad_norm (1) or weight_decay (0.5), raise" in message


def test_a_run_goes_on_after_its_end_and_after_early_stopping(tmp_path):
    # The adapter was not saved: the weights come from the last checkpoint alone.
    options = {
        "validation_rows": rows(12, "held-out"), "patience": 1, "epochs": 30, "learning_rate": 0.2,
        "warmup": 0, "checkpoints": tmp_path / "run",
    }  # fmt: skip
    one, again = train(**options), train(**options)
    assert one.outcome.ended_early
    assert again.outcome.resumed_from == one.outcome.updates
    assert not again.observer.updates
    assert equal(again.weights, one.weights)
    assert again.outcome.kept_update == one.outcome.kept_update


def test_a_checkpoint_of_another_recipe_is_not_used_and_that_is_said(tmp_path):
    train(checkpoints=tmp_path / "run")
    other = train(checkpoints=tmp_path / "run", learning_rate=5e-3)
    assert other.outcome.resumed_from is None
    assert len(other.log) == 2
    assert "another run" in other.log[0]
    assert "starts afresh" in other.log[1]
    assert equal(other.weights, train(learning_rate=5e-3).weights)


@pytest.mark.parametrize("now", [64, 256])
def test_a_run_goes_on_with_the_passes_of_its_checkpoint_unless_there_is_less_memory(tmp_path, now):
    options = DROPOUT | {"checkpoints": tmp_path / "run"}

    class InterruptedRunError(Exception):
        """Ends a run."""

    class Interrupting:
        def update(self, update, *_, **__):
            if update == 9:
                raise InterruptedRunError

    with pytest.raises(InterruptedRunError):
        train(**options, observer=Interrupting())
    again = train(**options, plan=Plan(now))
    assert again.outcome.resumed_from == 6
    uninterrupted = train(**DROPOUT)
    assert equal(again.weights, uninterrupted.weights) is (now == 256)
    assert any("Passes hold 64 tokens" in line for line in again.log) is (now == 64)
