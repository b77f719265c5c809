"""The dialect of a server: the form in which it takes requests.

Belongs here: the JSON body of a request in a dialect. Does not: finding the dialect of a server
(probe), or sending the body (client).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.settings import Api, Service
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest

PATHS: dict[Api, str] = {"chat": "/chat/completions", "responses": "/responses"}
TOKEN_LIMIT_NAMES = ("max_completion_tokens", "max_tokens")  # the newer name, and the older name
SYSTEM_ROLES = frozenset({"system", "developer"})


@dataclass(frozen=True)
class Dialect:
    """The form in which a server takes requests. A probe finds it, or the user sets it.

    Attributes:
        api: chat completions or responses.
        reply_format: the form in which the server gives its replies.
        token_limit_name: the server's name of the limit of completion tokens. With the Responses
            API, `max_completion_tokens` stands for that API's own name, `max_output_tokens`.
        left_out: names of parameters that the server refuses. `max_completion_tokens` in it means
            that no limit is sent. `strict` and `additionalProperties` are taken out of the schema.
        folds_system: whether the system prompt is sent at the top of the user's message, because
            the server refuses a system message.
    """

    api: Api = "chat"
    reply_format: ReplyFormat = "json_schema"
    token_limit_name: str = "max_completion_tokens"  # noqa: S105
    left_out: frozenset[str] = frozenset()
    folds_system: bool = False

    @property
    def sent_limit_name(self) -> str:
        """The name under which the limit of completion tokens is sent."""
        if self.api == "responses" and self.token_limit_name == TOKEN_LIMIT_NAMES[0]:
            return "max_output_tokens"
        return self.token_limit_name

    def body(self, request: TeacherRequest, service: Service = "online") -> dict[str, Any]:
        """The JSON body of a request."""
        parameters = dict(request.parameters)
        limit = parameters.pop("max_completion_tokens")
        form = _without(parameters.pop("response_format", None), self.left_out)
        messages = _folded(request.messages) if self.folds_system else list(request.messages)
        body: dict[str, Any] = {"model": request.model}
        if self.api == "chat":
            body |= {"messages": messages, **parameters}
            if form:
                body["response_format"] = form
        else:
            parameters.pop("seed", None)  # the Responses API has none
            effort = parameters.pop("reasoning_effort", None)
            body |= {"input": messages, **parameters, "store": False}
            if effort and "reasoning_effort" not in self.left_out:
                body["reasoning"] = {"effort": effort}
            if form:
                body["text"] = {"format": {"type": form["type"], **form.get("json_schema", {})}}
        if service != "batch":  # some servers stream unless a request says no
            body["stream"] = False
        if service == "flex":
            body["service_tier"] = "flex"
        body = {name: value for name, value in body.items() if name not in self.left_out}
        if TOKEN_LIMIT_NAMES[0] not in self.left_out:
            body[self.sent_limit_name] = limit
        return body


def _folded(messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The messages with the text of the system messages at the top of the first user message."""
    system = [m["content"] for m in messages if m["role"] in SYSTEM_ROLES]
    others = [dict(m) for m in messages if m["role"] not in SYSTEM_ROLES]
    for message in others:
        if message["role"] == "user":
            message["content"] = "\n\n".join([*system, message["content"]])
            return others
    return [{"role": "user", "content": "\n\n".join(system)}, *others]


def _without(value: Any, names: frozenset[str]) -> Any:
    """A response format without these keywords. The names of a schema's properties stay."""
    if not names or not isinstance(value, Mapping):
        return value
    return {
        key: {name: _without(schema, names) for name, schema in part.items()}
        if key == "properties"
        else _without(part, names)
        for key, part in value.items()
        if key not in names
    }
