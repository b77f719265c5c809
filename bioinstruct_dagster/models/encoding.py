"""Rows as token ids: prompt and response, with the loss on the response alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.prompt import prompt_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # what torch's cross-entropy leaves out


@dataclass(frozen=True)
class Example:
    """One row: token ids, and labels of equal length that are IGNORED over the prompt."""

    row_id: str
    input_ids: list[int]
    labels: list[int]
    prompt_tokens: int

    @property
    def length(self) -> int:
        """Tokens of prompt and response."""
        return len(self.input_ids)


def encode(
    row: Mapping[str, Any], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> Example | None:
    """A row as an example, cut at `max_length`; None where the prompt leaves a response no room.

    Prompt and response are tokenised apart, so that the response's first token is the same whatever
    the prompt ends with, as it is when the model generates.
    """
    prompt = tokenizer(prompt_of(row["instruction"], row["input"]))["input_ids"]
    response = tokenizer(row["output"], add_special_tokens=False)["input_ids"]
    response = [*response, tokenizer.eos_token_id]
    room = max_length - len(prompt)
    if room < 1:
        return None
    response = response[:room]
    return Example(
        row["row_id"], prompt + response, [IGNORED] * len(prompt) + response, len(prompt)
    )


def encode_all(
    rows: Iterable[Mapping[str, Any]], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> tuple[list[Example], int]:
    """Examples of all rows that fit, and how many did not."""
    encoded = [encode(row, tokenizer, max_length) for row in rows]
    examples = [example for example in encoded if example]
    return examples, len(encoded) - len(examples)
