"""Prompts and responses as token ids, where the text of a row is text and nothing else.

A control token's name in a row, such as `</s>` in a note that was copied from a web page, is
encoded as the characters that it consists of. Only the template writes control tokens.

Belongs here: tokenising the two parts of a row, many rows in one call. Does not: their lengths and
labels (models.encoding).
"""

from array import array
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from bioinstruct_dagster.models.prompts.control_tokens import ControlTokens
from bioinstruct_dagster.models.prompts.template import PromptTemplate

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Ids: TypeAlias = "array[int]"  # a list needs nine times the memory

# Rows of one call. It fills all cores, and what the tokenizer returns beside the ids of so few rows
# needs little memory.
_CALL_ROWS = 1_024
_MARKS = range(0xE000, 0xF900)  # Unicode's private use: no row is likely to hold one of these
_BLANK = "\u2581"  # SentencePiece's sign for a blank


def start_ids(tokenizer: "PreTrainedTokenizerBase") -> tuple[int, ...]:
    """The tokens that the tokenizer puts before a text, such as the begin-of-sequence token.

    Tokens that it puts behind a text, such as an end-of-sequence token, would end a prompt before
    its response begins. They are left out by those who put these ids before a plain encoding.
    """
    whole = list(tokenizer("a")["input_ids"])
    plain = list(tokenizer("a", add_special_tokens=False)["input_ids"])
    for at in range(len(whole) - len(plain) + 1):
        if whole[at : at + len(plain)] == plain:
            return tuple(whole[:at])
    return ()


class RowTokenizer:
    """The token ids of prompts and responses, by one tokenizer and one template."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", template: PromptTemplate) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._controls = ControlTokens.of(tokenizer)
        # Whether the template itself writes control tokens. If not, none is looked for in prompts.
        self._template_has_controls = any(
            self._controls.named_in(template.prompt_of("a", task_input)) for task_input in ("", "b")
        )
        first = tokenizer.tokenize("a")[:1]
        self._line_break = array("i")
        if template.joins and first and first[0].startswith(_BLANK):
            # SentencePiece puts a blank before every text. A response that continues the prompt's
            # text has none, so it is encoded behind a line break, whose tokens are then removed.
            self._line_break = self._plain(["\n"])[0]

    def prompts(self, tasks: Sequence[tuple[str, str]]) -> list[Ids]:
        """The prompts of tasks, each as (instruction, input), with the tokens that begin a text."""
        texts = [self._template.prompt_of(*task) for task in tasks]
        if not self._template_has_controls:
            found = self._as_text(texts)
        else:
            found = self._plain(texts)
            for place, task in enumerate(tasks):
                if any(map(self._controls.named_in, task)):
                    found[place] = self._with_names_as_text(*task)
        start = array("i", self._template.start_ids)
        # A template that writes the begin-of-sequence token itself gets no second one.
        return [ids if ids[: len(start)] == start else start + ids for ids in found]

    def responses(self, texts: Sequence[str]) -> list[Ids]:
        """The responses, each without the token that ends it."""
        lead, size = self._template.response_lead, len(self._line_break)
        if not size:
            return self._as_text([lead + text for text in texts])
        found = self._as_text([f"\n{lead}{text}" for text in texts])
        apart = [place for place, ids in enumerate(found) if ids[:size] != self._line_break]
        ids_apart = self._as_text([lead + texts[place] for place in apart])
        joined = [ids[size:] for ids in found]
        for place, ids in zip(apart, ids_apart, strict=True):
            joined[place] = ids
        return joined

    def _as_text(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of texts whose names of control tokens are text."""
        return [
            ids if self._controls.ids.isdisjoint(ids) else self._letter_by_letter(text)
            for text, ids in zip(texts, self._plain(texts, names_are_text=True), strict=True)
        ]

    def _letter_by_letter(self, text: str) -> Ids:
        """The ids of a text whose encoding as a whole gives a control token.

        This happens if the vocabulary holds the token's name as an ordinary word.
        """
        ids = self._plain([text], names_are_text=True)[0]
        if self._controls.ids.isdisjoint(ids):
            return ids
        if len(text) == 1:
            return array("i", [one for one in ids if one not in self._controls.ids])
        half = len(text) // 2
        return self._letter_by_letter(text[:half]) + self._letter_by_letter(text[half:])

    def _with_names_as_text(self, instruction: str, task_input: str) -> Ids:
        """The prompt of a task that names control tokens, under a template that writes some.

        The names are marked before the template is filled. Behind that, the marked parts are
        encoded as text, and those between them as usual.
        """
        mark = next(one for one in map(chr, _MARKS) if one not in instruction + task_input)
        names = self._controls.names
        marked = [names.sub(rf"{mark}\g<0>{mark}", text) for text in (instruction, task_input)]
        parts = self._template.prompt_of(marked[0], marked[1]).split(mark)
        return array("i", [one for part in self._encoded_parts(parts) for one in part])

    def _encoded_parts(self, parts: Sequence[str]) -> Iterator[Ids]:
        """The ids of each part of a text. Each second part is the name of a control token."""
        size = len(self._line_break)
        for place, part in enumerate(parts):
            encode = self._as_text if place % 2 else self._plain
            ids = encode([f"\n{part}" if size and place else part])[0]
            if size and place:
                same = ids[:size] == self._line_break
                ids = ids[size:] if same else encode([part])[0]
            yield ids

    def _plain(self, texts: Sequence[str], *, names_are_text: bool = False) -> list[Ids]:
        """The tokenizer's ids of texts, without the tokens that it puts around a text."""
        found: list[Ids] = []
        for at in range(0, len(texts), _CALL_ROWS):
            encoded = self._tokenizer(
                list(texts[at : at + _CALL_ROWS]),
                add_special_tokens=False,
                split_special_tokens=names_are_text,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )
            found += [array("i", ids) for ids in encoded["input_ids"]]
        return found
