"""What a model is asked, and what it answers: the border between tasks and engine.

Belongs here: requests and results as token ids and numbers. Does not: making them from items
(evaluation.tasks), or running a model (evaluation.engine's other modules).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from bioinstruct_dagster.models.base_models import LoadedBaseModel

BASE = "base"  # the subject without an adapter


@dataclass(frozen=True, slots=True)
class OptionRequest:
    """Texts whose log-likelihood after one prompt is wanted.

    Attributes:
        key: of the item result, a hash of all that determines it.
        prompt_ids: the tokens before each option, at least one.
        option_ids: the tokens of each option, at least one each.
    """

    key: str
    prompt_ids: tuple[int, ...]
    option_ids: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class OptionResult:
    """The log-likelihoods of a request's options: the sum over an option's tokens, in nats."""

    key: str
    log_likelihoods: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A prompt to which a greedily decoded answer is wanted.

    Attributes:
        key: of the item result, a hash of all that determines it.
        prompt_ids: the tokens of the prompt, at least one.
        max_new_tokens: of the longest answer.
    """

    key: str
    prompt_ids: tuple[int, ...]
    max_new_tokens: int


@dataclass(frozen=True, slots=True)
class AnswerResult:
    """An answer.

    Attributes:
        key: of the request.
        text: without special tokens, stripped.
        tokens: how many were generated, the end among them.
        ended: whether the model ended it. Otherwise `max_new_tokens` cut it.
    """

    key: str
    text: str
    tokens: int
    ended: bool

    @classmethod
    def of(cls, key: str, tokens: Sequence[int], base: "LoadedBaseModel") -> Self:
        """The answer of these tokens, at least one, the end among them.

        Args:
            key: of the request.
            tokens: that were generated.
            base: knows their texts, and which of them end an answer.
        """
        text = str(base.tokenizer.decode(tokens, skip_special_tokens=True))
        answer = text.replace("\0", "").strip()
        return cls(key, answer, len(tokens), tokens[-1] in base.prompt.stop_ids)
