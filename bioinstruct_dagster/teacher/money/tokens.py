"""The tokens of a request: the most that it can take, for the budget, and a forecast, for the pace.

Each teacher has its own tokenizer, and a download of a tokenizer fails without a network. So this
module counts bytes. Each token of a byte-level tokenizer stands for at least one byte, so a prompt
has at most as many tokens as bytes. The forecast learns from the replies. Belongs here: tokens.
Does not: prices (prices), caps (budget), or the pace (flow.pacing).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.requests import TeacherRequest

TOKENS_AROUND_MESSAGE = 16  # for role and separators; OpenAI's chat format takes 3 to 4
BYTES_PER_TOKEN = 4.0  # OpenAI's rule of thumb for English, until replies show the ratio
# The first expected share of the output limit. The shipped recordings take 540 of 3,000 tokens.
FIRST_OUTPUT_SHARE = 0.2
_NEWEST_WEIGHT = 0.05  # of the newest reply in the running means, so that about 20 replies count


@dataclass(frozen=True)
class RequestSize:
    """The size of a request.

    Attributes:
        prompt_bytes: the bytes of the messages and the response format.
        overhead_tokens: the most tokens that the chat format adds.
        max_output: the limit of completion tokens.
    """

    prompt_bytes: int
    overhead_tokens: int
    max_output: int

    @property
    def max_tokens(self) -> int:
        """The most tokens that a reply to the request can be billed."""
        return self.prompt_bytes + self.overhead_tokens + self.max_output

    def max_cost(self, price: Price | None, service: Service) -> Amount:
        """The most that the request can cost.

        A request for flex is reserved at the standard price, which the server may bill instead.
        """
        usd = None
        if price is not None:
            billed: Service = "batch" if service == "batch" else "online"
            usd = price.usd(
                self.prompt_bytes + self.overhead_tokens, self.max_output, service=billed
            ) * max(1.0, price.factor(service) if service == "flex" else 1.0)
        return Amount(usd, self.max_tokens)


def size_of(request: TeacherRequest) -> RequestSize:
    """The size of a request. Servers put the response format into the prompt, so it counts."""
    return RequestSize(
        prompt_bytes_of(request.messages, request.parameters),
        TOKENS_AROUND_MESSAGE * (len(request.messages) + 1),
        int(request.parameters["max_completion_tokens"]),
    )


def prompt_bytes_of(messages: Iterable[Mapping[str, str]], parameters: Mapping[str, Any]) -> int:
    """The bytes of the messages and of the response format."""
    texts = sum(len(m["content"].encode("utf-8", "surrogatepass")) for m in messages)
    return texts + _format_bytes(parameters)


_format_sizes: dict[int, tuple[Any, int]] = {}


def _format_bytes(parameters: Mapping[str, Any]) -> int:
    form = parameters.get("response_format")
    if form is None:
        return 0
    # All requests of a template share one format, which is measured once.
    known = _format_sizes.get(id(form))
    if known is None or known[0] is not form:
        _format_sizes[id(form)] = known = (form, len(json.dumps(form)))
    return known[1]


class TokenForecast:
    """The expected tokens of a request, learned from the replies so far.

    Args:
        output_share: the first expected share of the output limit.
        bytes_per_token: the first expected bytes of a prompt token.
    """

    def __init__(
        self,
        *,
        output_share: float = FIRST_OUTPUT_SHARE,
        bytes_per_token: float = BYTES_PER_TOKEN,
    ) -> None:
        self._bytes_per_token = bytes_per_token
        self._output_share = output_share
        self._replies = 0

    def prompt(self, size: RequestSize) -> float:
        """The expected prompt tokens."""
        return size.prompt_bytes / self._bytes_per_token

    def output(self, size: RequestSize) -> float:
        """The expected completion tokens: what replies take, not what the limit allows."""
        return size.max_output * self._output_share

    def total(self, size: RequestSize) -> float:
        """The expected tokens of prompt and completion."""
        return self.prompt(size) + self.output(size)

    def learn(self, size: RequestSize, prompt_tokens: int, completion_tokens: int) -> None:
        """Take a reply's usage into account."""
        self._replies += 1
        weight = max(_NEWEST_WEIGHT, 1 / self._replies)
        if prompt_tokens > 0:
            ratio = size.prompt_bytes / prompt_tokens
            self._bytes_per_token += weight * (ratio - self._bytes_per_token)
        if size.max_output:
            share = completion_tokens / size.max_output
            self._output_share += weight * (share - self._output_share)
