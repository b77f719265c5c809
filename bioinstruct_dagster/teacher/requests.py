"""A request to a teacher as a value, and the key under which its completion is stored.

The key covers everything that shapes the reply: teacher, model, parameters with the response
format, every message, the template's text, the number of the draw. Two equal requests are one
request; a request that differs in any of these is another. How it travels (online, flex, batch, and
the names that a server gives to parameters) is no part of it. Does not belong here: sending it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

from bioinstruct_dagster.store.fingerprints import sha256_of

ReplyFormat = Literal["json_schema", "json_object", "text"]
REPLY_FORMATS: tuple[ReplyFormat, ...] = get_args(ReplyFormat)
_REDRAW_OFFSET = 2**30  # the sampling seed of a second draw: no first draw of the series has it


@dataclass(frozen=True)
class TeacherRequest:
    """One request, complete: whoever holds it can send it."""

    purpose: str  # generation, probe, or that of a question (questions)
    teacher: str
    model: str
    parameters: Mapping[str, Any]
    messages: Sequence[Mapping[str, str]]
    template_id: str
    template_sha256: str
    reply_format: ReplyFormat = "json_schema"
    draw: int = 0
    run_seed: int | None = None
    request_number: int | None = None
    seed_ids: Sequence[str] = field(default=())
    controls: Sequence[Mapping[str, str]] = field(default=())
    controls_sha256: str | None = None

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
                self.draw,
            ]
        )

    def again(self) -> "TeacherRequest":
        """The same request as a second draw, which is another completion."""
        parameters = dict(self.parameters)
        if parameters.get("seed") is not None:
            parameters["seed"] = (parameters["seed"] + _REDRAW_OFFSET) % 2**31
        return replace(self, draw=self.draw + 1, parameters=parameters)
