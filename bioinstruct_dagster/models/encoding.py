"""Rows as token ids: prompt and response, with labels that restrict the loss to the response.

No row loses its end. A row that is too long is left out, or its input is shortened; both are
listed. Belongs here: the lengths and labels of rows. Does not: the text of the prompt and its
tokens (models.prompts), or batches.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bioinstruct_dagster.models.base_models import TokenizingBase
from bioinstruct_dagster.models.prompts import Ids, RowTokenizer
from bioinstruct_dagster.models.shortening import longest_that_fit

IGNORED_LABEL = -100  # torch's cross-entropy leaves out tokens with this label

Action = Literal["left_out", "input_shortened", "no_output"]


@dataclass(frozen=True, slots=True)
class Example:
    """One row as token ids: the prompt, the response, and the token that ends it.

    Attributes:
        row_id: of the row.
        input_ids: all tokens; an array, because a list needs nine times the memory.
        prompt_tokens: how many of them are the prompt.
    """

    row_id: str
    input_ids: Sequence[int]
    prompt_tokens: int

    @property
    def labels(self) -> list[int]:
        """One label per token: IGNORED_LABEL in the prompt, the token itself in the response."""
        return [IGNORED_LABEL] * self.prompt_tokens + list(self.input_ids[self.prompt_tokens :])

    @property
    def length(self) -> int:
        """The number of tokens in prompt and response."""
        return len(self.input_ids)


@dataclass(frozen=True)
class LeftOutRow:
    """A row that training does not see, or not all of it.

    Attributes:
        row_id: of the row.
        tokens: of the whole row: prompt, response and its end.
        tokens_lost: by how many tokens the example is shorter; all of them if there is none.
        action: `left_out`, because it is too long; `input_shortened`; or `no_output`, because there
            is nothing to learn.
    """

    row_id: str
    tokens: int
    tokens_lost: int
    action: Action


@dataclass(frozen=True)
class RowExamples:
    """The examples of rows in their order, and the rows that are not there as a whole."""

    examples: list[Example]
    left_out: list[LeftOutRow]

    @property
    def dropped(self) -> int:
        """The number of rows without an example."""
        return len(self.left_out) - self.shortened

    @property
    def shortened(self) -> int:
        """The number of examples whose input is shortened."""
        return sum(row.action == "input_shortened" for row in self.left_out)


def encode_rows(
    rows: Iterable[Mapping[str, Any]],
    base: TokenizingBase,
    max_length: int,
    too_long: Literal["leave_out", "shorten_input"] = "leave_out",
) -> RowExamples:
    """Rows as examples. Each of them ends with the base's end token.

    Prompt and response are tokenised separately, as they are when the model generates. So the
    prompt's tokens do not depend on the response. The tokens of a row do not depend on other rows.

    Args:
        rows: with `row_id`, `instruction`, `input` and `output`.
        base: gives the tokenizer, the prompt template and the context.
        max_length: tokens of the longest example; the base's context counts too.
        too_long: what is done with a longer row. A row whose shortened input still does not fit is
            left out.
    """
    rows = list(rows)
    limit = min(max_length, base.context)
    encoder = RowTokenizer(base.tokenizer, base.prompt)
    prompts = encoder.prompts([(row["instruction"], row["input"]) for row in rows])
    responses = encoder.responses([row["output"] for row in rows])
    shortened = {}
    if too_long == "shorten_input":
        room = {
            place: limit - len(response) - 1
            for place, (prompt, response) in enumerate(zip(prompts, responses, strict=True))
            if len(prompt) + len(response) + 1 > limit and rows[place]["input"]
        }
        shortened = _shortened_prompts(rows, encoder, room)

    end = array("i", [base.prompt.end_id])
    examples, left_out = [], []
    for place, row in enumerate(rows):
        prompt, response = prompts[place], responses[place]
        tokens = len(prompt) + len(response) + 1
        if not response or not row["output"].strip():
            left_out.append(LeftOutRow(row["row_id"], tokens, tokens, "no_output"))
            continue
        if tokens > limit:
            if place not in shortened:
                left_out.append(LeftOutRow(row["row_id"], tokens, tokens, "left_out"))
                continue
            lost = len(prompt) - len(shortened[place])
            left_out.append(LeftOutRow(row["row_id"], tokens, lost, "input_shortened"))
            prompt = shortened[place]
        ids = prompt + response + end
        examples.append(Example(row["row_id"], ids, len(prompt)))
    return RowExamples(examples, left_out)


def _shortened_prompts(
    rows: Sequence[Mapping[str, Any]], encoder: RowTokenizer, room: Mapping[int, int]
) -> dict[int, Ids]:
    """The longest prompts with a shortened input that fit; places without one are missing.

    Args:
        rows: all rows.
        encoder: of the base model.
        room: the place of each row that is too long, and the most tokens of its prompt.
    """

    def attempt(tried: Sequence[tuple[int, str]]) -> "list[Ids | None]":  # Ids is a text
        prompts = encoder.prompts([(rows[place]["instruction"], text) for place, text in tried])
        return [
            prompt if len(prompt) <= room[place] else None
            for (place, _), prompt in zip(tried, prompts, strict=True)
        ]

    return longest_that_fit({place: rows[place]["input"] for place in room}, attempt)
