"""How many tokens a request takes: at most, for the budget, and as expected, for the pace.

There is no tokenizer here: each teacher has its own, and a tokenizer that must be downloaded fails
without a network. Each token of a byte-level tokenizer stands for at least one byte, so a prompt
has at most as many tokens as bytes. The expectation is learned from the replies. Belongs here:
tokens. Does not: prices (prices), caps (budget), or the pace (flow.pacing).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.settings import Service
from bioinstruct_dagster.teacher.money.budget import Amount
from bioinstruct_dagster.teacher.money.prices import Price
from bioinstruct_dagster.teacher.requests import TeacherRequest

TOKENS_AROUND_MESSAGE = 16  # role and separators; OpenAI's chat format takes 3 to 4
BYTES_PER_TOKEN = 4.0  # OpenAI's rule of thumb for English, until replies say otherwise
# Of the output limit; the shipped recordings take 540 of 3,000.
FIRST_OUTPUT_SHARE = 0.2
_MEMORY = 0.05  # weight of the newest reply in the running means: the last 20 or so count


@dataclass(frozen=True)
class RequestSize:
    """A request's size, measured once."""

    prompt_bytes: int
    overhead: int
    most_output: int

    @property
    def most_tokens(self) -> int:
        """No reply to the request can be billed more tokens than this."""
        return self.prompt_bytes + self.overhead + self.most_output

    def most(self, price: Price | None, service: Service) -> Amount:
        """What the request can cost at most.

        Flex is reserved at the standard price: the server may give that tier instead.
        """
        usd = None
        if price is not None:
            billed: Service = "batch" if service == "batch" else "online"
            usd = price.usd(
                self.prompt_bytes + self.overhead, self.most_output, service=billed
            ) * max(1.0, price.factor(service) if service == "flex" else 1.0)
        return Amount(usd, self.most_tokens)


def size_of(request: TeacherRequest) -> RequestSize:
    """Size of a request, its response format included, which servers put into the prompt."""
    prompt = sum(len(m["content"].encode("utf-8", "surrogatepass")) for m in request.messages)
    return RequestSize(
        prompt + _format_bytes(request.parameters),
        TOKENS_AROUND_MESSAGE * (len(request.messages) + 1),
        int(request.parameters["max_completion_tokens"]),
    )


_format_sizes: dict[int, tuple[Any, int]] = {}


def _format_bytes(parameters: Mapping[str, Any]) -> int:
    form = parameters.get("response_format")
    if form is None:
        return 0
    # One format is shared by all requests of a template; it is measured once per object.
    known = _format_sizes.get(id(form))
    if known is None or known[0] is not form:
        _format_sizes[id(form)] = known = (form, len(json.dumps(form)))
    return known[1]


class TokenModel:
    """Expected tokens of a request, learned from the replies so far."""

    def __init__(self, *, output_share: float = FIRST_OUTPUT_SHARE) -> None:
        self._bytes_per_token = BYTES_PER_TOKEN
        self._output_share = output_share
        self._replies = 0

    def prompt(self, size: RequestSize) -> float:
        """Expected prompt tokens."""
        return size.prompt_bytes / self._bytes_per_token

    def output(self, size: RequestSize) -> float:
        """Expected completion tokens: what replies took so far, not what the limit allows."""
        return size.most_output * self._output_share

    def total(self, size: RequestSize) -> float:
        """Expected tokens in all."""
        return self.prompt(size) + self.output(size)

    def learn(self, size: RequestSize, prompt_tokens: int, completion_tokens: int) -> None:
        """Take a reply's usage into account."""
        self._replies += 1
        weight = max(_MEMORY, 1 / self._replies)
        if prompt_tokens > 0:
            ratio = size.prompt_bytes / prompt_tokens
            self._bytes_per_token += weight * (ratio - self._bytes_per_token)
        if size.most_output:
            share = completion_tokens / size.most_output
            self._output_share += weight * (share - self._output_share)
