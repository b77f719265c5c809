"""The token that ends a response, and the tokens at which generation stops.

A model that never sees the token at which its generation stops runs on past the end of its answer.
So a row ends with a token that generation stops at, which is not always the tokenizer's
end-of-sequence token. Belongs here: the end of a response without a chat template. Does not: the
end of a turn in a chat (models.prompts.chat).
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.prompts.template import PromptTemplateError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def stops_of(generation_config: Any, config: Any) -> tuple[int, ...]:
    """The ids at which the model's own generation stops; empty if it names none.

    Args:
        generation_config: of the model, by transformers, or None. As when transformers generates,
            it counts before the model's config.
        config: the model's config, or None.
    """
    for source in (generation_config, config):
        stated = getattr(source, "eos_token_id", None)
        if stated is not None:
            ids = stated if isinstance(stated, Iterable) else [stated]
            return tuple(dict.fromkeys(int(one) for one in ids))
    return ()


def end_of_text(
    tokenizer: "PreTrainedTokenizerBase", stops: Sequence[int]
) -> tuple[int, tuple[str, ...]]:
    """The token that ends a response outside a chat, and notes for the log.

    It is the tokenizer's end-of-sequence token, unless the model's generation does not stop there.

    Raises:
        PromptTemplateError: neither the tokenizer nor the model names an end.
    """
    stated = tokenizer.eos_token_id
    if stated is not None and (not stops or stated in stops):
        return int(stated), ()
    usable = next((one for one in stops if 0 <= one < len(tokenizer)), None)
    if usable is not None:
        found = f"is {tokenizer.eos_token!r}" if stated is not None else "is missing"
        note = (
            f"The tokenizer's end-of-sequence token {found}, but the model's generation stops at "
            f"{tokenizer.convert_ids_to_tokens(usable)!r}. Each row ends with the token at which "
            "generation stops."
        )
        return usable, (note,)
    if stated is not None:
        return int(stated), ()
    raise PromptTemplateError(
        "The tokenizer has no end-of-sequence token, and the model's generation_config.json names "
        "none (eos_token_id). Set `eos_token` in tokenizer_config.json, or use another base model "
        "in the experiment file (BIOINSTRUCT_EXPERIMENTS)."
    )


def with_end(end: int, stops: Sequence[int]) -> tuple[int, ...]:
    """The tokens at which generation stops: the row's end first, then those of the model."""
    return tuple(dict.fromkeys((end, *stops)))
