"""Checks what a loaded base model computes: finite numbers, and none that depend on later tokens.

Belongs here: checks that need the weights' values. Does not: names and shapes of weights
(models.base_checks.weights).
"""

from typing import Any

from bioinstruct_dagster.models.base_checks.findings import Findings

_SENTENCE = "The patient was given 5 mg of the drug."
# Relative to the largest logit. Rounding in bfloat16 stays below 1e-2; a model that reads ahead
# changes by its own size.
_TOLERANCE = 0.05


def check_behaviour(model: Any, tokenizer: Any, findings: Findings) -> None:
    """Run the model on one sentence with two endings, and compare what comes before the ending."""
    import torch

    ids = tokenizer(_SENTENCE, add_special_tokens=False)["input_ids"][:16]
    if len(ids) < 2:  # noqa: PLR2004  # a position and the one after it
        return
    other = [*ids[:-1], ids[0] if ids[-1] != ids[0] else ids[0] - 1 if ids[0] else 1]
    with torch.inference_mode():
        one, two = (
            model(torch.tensor([row], device=model.device), use_cache=False).logits[0, :-1].float()
            for row in (ids, other)
        )
    if not bool(torch.isfinite(one).all()):
        findings.fault(
            "Its logits are not finite numbers: the weights hold NaN or infinity, or overflow in "
            "this dtype. Set `dtype: float32`, or copy the weights again."
        )
    elif float(one.max() - one.min()) == 0:
        findings.fault(
            "Its logits are all equal, as those of weights that are all zero. Copy the weights "
            "again."
        )
    elif float((one - two).abs().max()) > _TOLERANCE * float(one.abs().max()):
        findings.fault(
            "It is not causal: its prediction of a token depends on the tokens after it. Name a "
            "causal language model such as a Llama."
        )
