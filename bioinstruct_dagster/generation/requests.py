"""A request to the teacher as a value, and the key under which its completion is stored.

The key covers everything that shapes the answer: teacher, model, parameters with the response
format, every message. Two equal requests are one request; a request that differs in any of these is
another. Does not belong here: sending it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from bioinstruct_dagster.generation.prompts import (
    RESPONSE_FORMAT,
    TEMPLATE_ID,
    TEMPLATE_SHA256,
    generation_messages,
)
from bioinstruct_dagster.generation.sampling import draw_seeds, sampling_seed
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.store.provenance import sha256_of

TEMPERATURE = 1.0  # stanford_alpaca's generate_instruction.py
TOKENS_PER_TASK = 600  # room for an instruction, a 100-word input and a 100-word output, with slack


@dataclass(frozen=True)
class TeacherRequest:
    """One request, complete: whoever holds it can send it."""

    purpose: Literal["generation", "categorization"]
    teacher: str
    model: str
    parameters: Mapping[str, Any]
    messages: Sequence[Mapping[str, str]]
    template_id: str
    template_sha256: str
    run_seed: int | None = None
    request_number: int | None = None
    seed_ids: Sequence[str] = field(default=())

    @cached_property
    def completion_id(self) -> str:
        """sha256 of all that shapes the answer."""
        return sha256_of(
            [
                self.teacher,
                self.model,
                dict(self.parameters),
                [dict(message) for message in self.messages],
                self.template_sha256,
            ]
        )


@dataclass(frozen=True)
class Series:
    """The generation requests of one run seed: an endless series, of which any can be rebuilt
    alone.
    """

    seeds: Sequence[SeedTask]
    teacher: str
    model: str
    run_seed: int
    tasks_per_request: int

    def request(self, number: int) -> TeacherRequest:
        """The request of this number, from 0."""
        shown = draw_seeds(self.seeds, self.run_seed, number)
        return TeacherRequest(
            purpose="generation",
            teacher=self.teacher,
            model=self.model,
            parameters={
                "temperature": TEMPERATURE,
                "max_completion_tokens": TOKENS_PER_TASK * self.tasks_per_request,
                "seed": sampling_seed(self.run_seed, number),
                "response_format": RESPONSE_FORMAT,
            },
            messages=generation_messages(shown, self.tasks_per_request),
            template_id=TEMPLATE_ID,
            template_sha256=TEMPLATE_SHA256,
            run_seed=self.run_seed,
            request_number=number,
            seed_ids=tuple(seed.id for seed in shown),
        )
