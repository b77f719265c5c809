"""The optimization: transformers' Trainer trains the adapter on encoded rows, in a fixed order.

Belongs here: updating the weights. Does not: choosing the rows or saving the adapter
(training.train).
"""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import IGNORED_LABEL, Example
from bioinstruct_dagster.training.spec import TrainingSpec

LOGGED_STEPS = 200  # the most values of a loss curve, which is stored in one row


def optimize(
    model: Any,
    base: LoadedBaseModel,
    examples: Sequence[Example],
    spec: TrainingSpec,
    log: Callable[[str], None],
) -> tuple[list[float], int]:
    """Train the adapter in place. Returns the loss of each logged step and the update count."""
    from transformers import DataCollatorForSeq2Seq, Trainer, TrainerCallback, TrainingArguments

    recipe = spec.recipe
    updates = max(1, round(len(examples) * recipe.epochs / recipe.rows_per_update))

    class TrainingProgress(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs and state.global_step % max(1, state.max_steps // 10) == 0:
                log(
                    f"{spec.experiment}: step {state.global_step} of {state.max_steps}, "
                    f"loss {logs['loss']:.3f}"
                )

    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                num_train_epochs=recipe.epochs,
                per_device_train_batch_size=recipe.rows_per_update,
                learning_rate=recipe.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=recipe.warmup,
                # Rows of similar length form a batch. Among 16 random rows, 61 % of the tokens
                # would be padding.
                train_sampling_strategy="group_by_length",
                length_column_name="length",
                bf16=base.device == "cuda",
                use_cpu=base.device == "cpu",
                seed=spec.seed,
                data_seed=spec.seed,
                logging_steps=max(1, updates // LOGGED_STEPS),
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=base.device == "cuda",
            ),
            train_dataset=_torch_rows(examples),
            data_collator=DataCollatorForSeq2Seq(
                base.tokenizer, label_pad_token_id=IGNORED_LABEL, pad_to_multiple_of=8
            ),
            callbacks=[TrainingProgress()],
        )
        _silence_printed_logs(trainer)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return [float(loss) for loss in losses], int(trainer.state.global_step)


def _torch_rows(examples: Sequence[Example]) -> Any:
    import datasets

    return datasets.Dataset.from_list(
        [
            {
                "input_ids": list(example.input_ids),
                "attention_mask": [1] * example.length,
                "labels": example.labels,
                "length": example.length,
            }
            for example in examples
        ]
    )


def _silence_printed_logs(trainer: Any) -> None:
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)  # `log` reports instead
