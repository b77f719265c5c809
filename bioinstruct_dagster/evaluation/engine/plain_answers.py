"""Answers by transformers' own `generate`, for models that keep their state in another form.

Belongs here: one batch without refill. Does not: the usual way (evaluation.engine.answers).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bioinstruct_dagster.models.base_models import LoadedBaseModel


def plain_batch(
    model: Any,
    prompts: Sequence[Sequence[int]],
    limit: int,
    base: LoadedBaseModel,
) -> list[list[int]]:
    """The greedily decoded tokens after each prompt, the end among them.

    Args:
        model: of transformers.
        prompts: token ids.
        limit: the most tokens of an answer.
        base: gives the tokens at which an answer stops.
    """
    import torch

    width = max(map(len, prompts))
    # Prompts are padded on the left, so that all answers start at the same position.
    ids = torch.tensor([[0] * (width - len(prompt)) + [*prompt] for prompt in prompts])
    mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
    with torch.inference_mode(), _greedy(model):
        output = model.generate(
            input_ids=ids.to(base.device),
            attention_mask=mask.to(base.device),
            max_new_tokens=limit,
            do_sample=False,
            pad_token_id=0,
            eos_token_id=list(base.prompt.stop_ids),
        )
    return [_until_end(tokens, base.prompt.stop_ids) for tokens in output[:, width:].tolist()]


@contextmanager
def _greedy(model: Any) -> Iterator[None]:
    """Without the model's own settings, such as a penalty for repetition."""
    from transformers import GenerationConfig

    own, model.generation_config = model.generation_config, GenerationConfig()
    try:
        yield
    finally:
        model.generation_config = own


def _until_end(tokens: list[int], stops: Sequence[int]) -> list[int]:
    for at, token in enumerate(tokens):
        if token in stops:
            return tokens[: at + 1]
    return tokens
