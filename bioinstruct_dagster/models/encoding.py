"""Rows as token ids: prompt and response, with labels that restrict the loss to the response.

Belongs here: tokenising one row. Does not: the text of the prompt (models.prompt), or batches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.prompt import prompt_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED_LABEL = -100  # torch's cross-entropy leaves out tokens with this label


@dataclass(frozen=True)
class Example:
    """One row as token ids and labels of equal length. The prompt's labels are IGNORED_LABEL."""

    row_id: str
    input_ids: list[int]
    labels: list[int]
    prompt_tokens: int

    @property
    def length(self) -> int:
        """The number of tokens in prompt and response."""
        return len(self.input_ids)


def encode(
    row: Mapping[str, Any], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Example | None:
    """A row as an example, cut at `max_length` tokens; None if the prompt leaves no room.

    Prompt and response are tokenised separately, as they are when the model generates. So the
    response's first token does not depend on the end of the prompt.
    """
    prompt = tokenizer(prompt_of(row["instruction"], row["input"]))["input_ids"]
    response = tokenizer(row["output"], add_special_tokens=False)["input_ids"]
    response = [*response, tokenizer.eos_token_id]
    room = max_length - len(prompt)
    if room < 1:
        return None
    response = response[:room]
    return Example(
        row["row_id"], prompt + response, [IGNORED_LABEL] * len(prompt) + response, len(prompt)
    )


def encode_all(
    rows: Iterable[Mapping[str, Any]], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> tuple[list[Example], int]:
    """The examples of all rows that fit, and the number of rows that do not fit."""
    encoded = [encode(row, tokenizer, max_length) for row in rows]
    examples = [example for example in encoded if example]
    return examples, len(encoded) - len(examples)
