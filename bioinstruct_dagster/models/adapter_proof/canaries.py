"""Eight fixed prompts, and how far an adapter changes the logits that the base model gives to them.

An adapter that loads without a word may still do nothing. Belongs here: the prompts, the logits,
and the noise that a change has to exceed. Does not: the files of an adapter (weights_file).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from bioinstruct_dagster.models.linear_layers import base_of

# Raise the version with any change of a prompt: stored logits belong to the prompts of a version.
VERSION = 1
PROMPTS = (
    "Extract the medications and doses: metformin 500 mg twice daily, lisinopril 10 mg.\n\nAnswer:",
    "Does this say that aspirin lowers the risk of stroke? Aspirin reduced recurrent stroke.\n\nA:",
    "Explain in plain words what a low haemoglobin means.\n\nAnswer:",
    "Write a short discharge summary for a patient who was treated for pneumonia.\n\nSummary:",
    "Is weight gain, fever or a cough a symptom of hypothyroidism?\n\nAnswer:",
    "Benign or malignant: smooth, round nodule of 4 mm without growth over five years.\n\nClass:",
    "Summarize: Drink enough, and come back if the fever lasts more than three days.\n\nSummary:",
    "List three common side effects of corticosteroids.\n\n1.",
)
_SAME_BASE = 1e-3  # share of the greatest logit; float32 on other machines was below 1e-5


@dataclass(frozen=True)
class CanaryLogits:
    """What is kept of the logits of each prompt, to recognize the model by.

    Attributes:
        version: of the prompts.
        dtype: the type in which the model computes, and whether its weights have four bits.
        greatest: the greatest logit of each prompt, over all its tokens.
        mean: the mean logit of each prompt.
        spread: the standard deviation of the logits of each prompt.
    """

    version: int
    dtype: str
    greatest: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The values as JSON."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    def differs_from(self, other: dict[str, Any]) -> float | None:
        """How far the model differs from the stored one, if that is more than rounding.

        Args:
            other: what `to_json` gave for the model that is compared.

        Returns:
            The greatest difference; None if it is rounding, or if the two can't be compared because
            prompts or types of weights differ.
        """
        if (other.get("version"), other.get("dtype")) != (self.version, self.dtype):
            return None
        allowed = _SAME_BASE if self.dtype == "float32" else 50 * _SAME_BASE
        scale = max(map(abs, self.greatest), default=0.0) or 1.0
        worst = 0.0
        for name in ("greatest", "mean", "spread"):
            ours, theirs = getattr(self, name), other.get(name)
            if not isinstance(theirs, Sequence) or len(theirs) != len(ours):
                return float("inf")
            pairs = zip(ours, theirs, strict=True)
            worst = max(worst, *(abs(one - float(two)) for one, two in pairs))
        return worst if worst > allowed * scale else None


@dataclass(frozen=True)
class CanaryChange:
    """How far an adapter changes logits, and how far they change without it.

    Attributes:
        base: the logits of the base model.
        changes: the greatest absolute change of a logit of each prompt.
        noise: the greatest change of a logit that rounding alone can make: of the base model, if
            each value of the embeddings is moved by one rounding, or if each prompt is computed
            twice at once; at least one rounding of the greatest logit. For SmolLM2-135M, it is 6e-5
            in float32, and 1.4 in bfloat16, because the layers amplify a rounding.
    """

    base: CanaryLogits
    changes: tuple[float, ...]
    noise: float


def read_canaries(model: Any, base: Any) -> CanaryLogits:
    """What is kept of the base model's logits on the eight prompts.

    Args:
        model: the base model, with or without an adapter.
        base: the loaded base model, for its tokenizer and device.
    """
    return _kept(model, _without_adapter(model, base))


def measure(model: Any, base: Any) -> CanaryChange:
    """How far the adapter of a peft model changes the logits of its base model.

    Training mode, and the state of random numbers, are the same afterwards.
    """
    import torch

    first, second = _without_adapter(model, base), _without_adapter(model, base, copies=2)
    with _moved_embeddings(model):
        moved = _without_adapter(model, base)
    adapted = logits_of(model, base)
    rounding = torch.finfo(_dtype(model)).eps * max(float(one.abs().max()) for one in first)
    noise = max(greatest_difference(first, second), greatest_difference(first, moved), rounding)
    return CanaryChange(
        base=_kept(model, first),
        changes=tuple(
            float((one - two).abs().max()) for one, two in zip(first, adapted, strict=True)
        ),
        noise=noise,
    )


@contextmanager
def _moved_embeddings(model: Any) -> Iterator[None]:
    """Move each value of the embeddings up or down by one rounding, in turn."""
    import torch

    def move(_module: Any, _inputs: Any, embeddings: Any) -> Any:
        step = torch.full_like(embeddings, torch.finfo(embeddings.dtype).eps)
        step[..., ::2] *= -1
        return embeddings + embeddings * step

    handle = base_of(model).get_input_embeddings().register_forward_hook(move)
    try:
        yield
    finally:
        handle.remove()


def logits_of(model: Any, base: Any, *, copies: int = 1) -> list[Any]:
    """The logits of each prompt in float32 on the CPU, of shape (tokens, vocabulary).

    Args:
        model: a causal language model, with or without an adapter.
        base: the loaded base model, for its tokenizer and device.
        copies: how often a prompt is computed in one pass. Other numbers round otherwise.
    """
    import torch

    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return [
                model(input_ids=ids.repeat(copies, 1), use_cache=False).logits[-1].float().cpu()
                for ids in (
                    base.tokenizer(prompt, return_tensors="pt")["input_ids"].to(base.device)
                    for prompt in PROMPTS
                )
            ]
    finally:
        model.train(training)


def greatest_difference(one: Sequence[Any], other: Sequence[Any]) -> float:
    """The greatest absolute difference of a logit between two results of `logits_of`."""
    pairs = zip(one, other, strict=True)
    return max(float((first - second).abs().max()) for first, second in pairs)


def _without_adapter(model: Any, base: Any, *, copies: int = 1) -> list[Any]:
    if not hasattr(model, "peft_config"):
        return logits_of(model, base, copies=copies)
    with model.disable_adapter():
        return logits_of(model, base, copies=copies)


def _kept(model: Any, logits: list[Any]) -> CanaryLogits:
    four_bits = " of 4-bit weights" if getattr(base_of(model), "is_loaded_in_4bit", False) else ""
    return CanaryLogits(
        version=VERSION,
        dtype=str(_dtype(model)).removeprefix("torch.") + four_bits,
        greatest=tuple(float(one.max()) for one in logits),
        mean=tuple(float(one.mean()) for one in logits),
        spread=tuple(float(one.std()) for one in logits),
    )


def _dtype(model: Any) -> Any:
    """The type in which the model computes: that of its output layer's weights."""
    output = model.get_output_embeddings()
    weight = getattr(output, "weight", None)
    return weight.dtype if weight is not None and weight.dtype.is_floating_point else model.dtype
