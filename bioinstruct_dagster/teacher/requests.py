"""A request to a teacher as a value, and the key of its completion.

The key covers what the request asks for: teacher, model, parameters with the response format, every
message, the template's text and the number of the draw. If two requests agree in all of these, they
are one request. The key does not cover how the request is sent: the service (online, flex, batch),
or a server's own names of parameters. It does not cover the user's limits of output and the effort
of reasoning either, so that a sound reply is used under any of them (`output_limits`). Belongs
here: the value and its key. Does not: sending a request (flow.sending).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

from bioinstruct_dagster.store.fingerprints import sha256_of

ReplyFormat = Literal["json_schema", "json_object", "text"]
REPLY_FORMATS: tuple[ReplyFormat, ...] = get_args(ReplyFormat)
_REDRAW_OFFSET = 2**30  # of the sampling seed of a second draw, so that no first draw has it


@dataclass(frozen=True)
class TeacherRequest:
    """A complete request, with what the store keeps about its origin.

    Attributes:
        purpose: generation, probe, or the purpose of a question.
        teacher: the teacher's name in the settings.
        model: the requested model.
        parameters: the sampling parameters, the limit of output and the response format, as sent.
        messages: the chat messages, each with role and content.
        template_id: the prompt's name and version.
        template_sha256: the hash of the prompt's template.
        reply_format: the form in which the server gives its reply.
        draw: 0 for the first draw, 1 for the second.
        run_seed: the seed of the series that the request belongs to.
        request_number: the request's number in its series.
        seed_ids: the seed tasks in the prompt.
        controls: the controls of each new task in the prompt.
        controls_sha256: the hash of the file of controls.
        key_parameters: the parameters that the key covers, if they are not those that are sent.
        reasoning_tokens: the part of the limit of output that is meant for reasoning.
    """

    purpose: str
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
    key_parameters: Mapping[str, Any] | None = None
    reasoning_tokens: int = 0

    @cached_property
    def completion_id(self) -> str:
        """The sha256 of what the request asks for."""
        return sha256_of(
            [
                self.teacher,
                self.model,
                dict(self.parameters if self.key_parameters is None else self.key_parameters),
                [dict(message) for message in self.messages],
                self.template_sha256,
                self.draw,
            ]
        )

    def again(self) -> "TeacherRequest":
        """The second draw of this request, which gets a completion of its own."""
        return replace(
            self,
            draw=self.draw + 1,
            parameters=_redrawn(self.parameters),
            key_parameters=self.key_parameters and _redrawn(self.key_parameters),
        )


def _redrawn(parameters: Mapping[str, Any]) -> dict[str, Any]:
    redrawn = dict(parameters)
    if redrawn.get("seed") is not None:
        redrawn["seed"] = (redrawn["seed"] + _REDRAW_OFFSET) % 2**31
    return redrawn
