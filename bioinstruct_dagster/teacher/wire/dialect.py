"""The dialect of a server: the form in which it takes requests.

Belongs here: the JSON body of a request in a dialect. Does not: finding the dialect of a server
(probe), or sending the body (client).
"""

from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.settings import Api, Service
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest

PATHS: dict[Api, str] = {"chat": "/chat/completions", "responses": "/responses"}


@dataclass(frozen=True)
class Dialect:
    """The form in which a server takes requests. A probe finds it, or the user sets it.

    Attributes:
        api: chat completions or responses.
        reply_format: the form in which the server gives its replies.
        token_limit_name: the server's name of the limit of completion tokens.
        left_out: names of parameters that the server refuses.
    """

    api: Api = "chat"
    reply_format: ReplyFormat = "json_schema"
    token_limit_name: str = "max_completion_tokens"  # noqa: S105
    left_out: frozenset[str] = frozenset()

    def body(self, request: TeacherRequest, service: Service = "online") -> dict[str, Any]:
        """The JSON body of a request."""
        parameters = {k: v for k, v in request.parameters.items() if k not in self.left_out}
        limit = parameters.pop("max_completion_tokens")
        messages = list(request.messages)
        body: dict[str, Any] = {"model": request.model}
        if self.api == "chat":
            body |= {"messages": messages, **parameters, self.token_limit_name: limit}
        else:
            form = parameters.pop("response_format", None)
            parameters.pop("seed", None)  # the Responses API has none
            body |= {"input": messages, **parameters, "max_output_tokens": limit, "store": False}
            if form:
                body["text"] = {"format": {"type": form["type"], **form.get("json_schema", {})}}
        if service == "flex":
            body["service_tier"] = "flex"
        if service != "batch":
            body["stream"] = False  # some servers stream unless a request says no
        return body
