"""Chat with an adapter beside its base model: the same prompt, and both greedy answers.

Belongs here: the answers to one prompt, and the loop over lines. Does not: answers to the rows of a
split (evaluation.held_out).
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.commands.found_adapter import OpenedAdapter
from bioinstruct_dagster.models.prompts import RowTokenizer

MOST_TOKENS = 256  # of an answer
_SEPARATOR = "\t"  # between instruction and input in a line


class Answer(NamedTuple):
    """An answer, and whether the model itself ended it."""

    text: str
    ended: bool

    def shown(self) -> str:
        """The answer, with a remark if it was cut off."""
        return self.text if self.ended else f"{self.text} [cut off: no end token came]"


def chat(
    opened: OpenedAdapter,
    lines: Iterable[str],
    write: Callable[[str], None],
    *,
    most_tokens: int = MOST_TOKENS,
) -> int:
    """Answer each line by the base model and by the adapter.

    Args:
        opened: the adapter.
        lines: an instruction each; a tab separates it from its input. Empty lines are skipped.
        write: receives each line of the answers.
        most_tokens: after this many tokens, an answer is cut off.

    Returns:
        The number of answered lines.
    """
    answered = 0
    for line in lines:
        instruction, _, task_input = line.strip().partition(_SEPARATOR)
        if not instruction:
            continue
        ids = RowTokenizer(opened.base.tokenizer, opened.base.prompt).prompts(
            [(instruction, task_input.strip())]
        )[0]
        room = min(most_tokens, opened.base.context - len(ids))
        if room < 1:
            write(
                f"This prompt has {len(ids)} tokens, and the model takes {opened.base.context}. "
                "Shorten it."
            )
            continue
        with opened.model.disable_adapter():
            write(f"base:    {answer(opened.model, opened.base, ids, room).shown()}")
        write(f"adapter: {answer(opened.model, opened.base, ids, room).shown()}")
        write("")
        answered += 1
    return answered


def answer(model: Any, base: LoadedBaseModel, ids: Iterable[int], most_tokens: int) -> Answer:
    """The greedy answer to a prompt of token ids, up to the end token."""
    import torch

    prompt = torch.tensor([list(ids)], device=base.device)
    stops = list(base.prompt.stop_ids)
    pad = base.tokenizer.pad_token_id
    with torch.inference_mode():
        output = model.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=most_tokens,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=stops[0] if pad is None else pad,
            eos_token_id=stops,
        )
    new = output[0, prompt.shape[1] :].tolist()
    text = base.tokenizer.decode(new, skip_special_tokens=True)
    return Answer(text.strip(), ended=bool(new) and new[-1] in stops)
