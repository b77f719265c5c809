"""The control tokens of a tokenizer, such as `</s>` and `<|im_end|>`, and their names in texts.

A row whose text names a control token must not end a turn or begin one. Belongs here: which tokens
are control tokens, and finding their names. Does not: tokenising (models.prompts.tokens).
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class ControlTokens:
    """The special tokens of a tokenizer.

    Added tokens that are not special, such as runs of blanks or `<think>`, are ordinary text: the
    model itself writes them in answers.

    Attributes:
        ids: of all control tokens but the one for unknown text, which any text may give.
        names: matches the name of any control token, the longest first.
    """

    ids: frozenset[int]
    names: re.Pattern[str]
    _id_of: dict[str, int]

    @classmethod
    def of(cls, tokenizer: "PreTrainedTokenizerBase") -> Self:
        """The control tokens of this tokenizer."""
        id_of = {
            token.content: token_id
            for token_id, token in tokenizer.added_tokens_decoder.items()
            if token.special
        }
        for name in tokenizer.all_special_tokens:
            id_of.setdefault(str(name), int(tokenizer.convert_tokens_to_ids(name)))
        id_of.pop("", None)
        longest_first = sorted(id_of, key=lambda name: (-len(name), name))
        pattern = "|".join(map(re.escape, longest_first)) or "(?!)"  # (?!) never matches
        ids = frozenset(id_of.values()) - {tokenizer.unk_token_id}
        return cls(ids, re.compile(pattern), id_of)

    def named_in(self, text: str) -> bool:
        """Whether the text names a control token."""
        return self.names.search(text) is not None

    def first_after_blanks(self, text: str) -> int | None:
        """The control token that begins the text, blanks aside; None if there is none."""
        found = self.names.match(text.lstrip())
        return self._id_of[found.group()] if found else None
