"""A question that a teacher is asked about many items: a prompt, and a reader of its replies.

Each request holds several numbered items, one JSON object a line, and asks for a JSON list with one
answer for each number. If the server takes a schema, the reply is structured output; any other
server is told the form in words. Belongs here: the requests of a question, the key of an answer,
and reading a reply. Does not: sending requests and keeping answers (answers).
"""

import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.answer_tables import TEACHER_ANSWERS, AnswerTable
from bioinstruct_dagster.teacher.requests import REPLY_FORMATS, ReplyFormat, TeacherRequest

Item = TypeVar("Item", bound=Hashable)
Answer = TypeVar("Answer")

_JSON_OBJECT = {"type": "json_object"}


@dataclass(frozen=True)
class QuestionPrompt(Generic[Item]):
    """The text of a question, and the form of its replies.

    Attributes:
        purpose: of its requests, as in `completions`.
        template_id: the prompt's name and version.
        system: the system message.
        user: the user message; the items stand in place of `{items}`.
        form: the reply's form with an example, for a server that is sent no schema.
        schema_name: the schema's name; the rehearsal teacher knows the question by it.
        list_name: the name of the list of answers in a reply.
        properties: the JSON schema of each field of an answer, besides its number.
        fields_of: the fields of an item that the prompt shows, and that its key covers.
        items_per_request: the most items that one request holds.
        tokens_per_item: what an answer may take, at most.
        values: what stands in place of other names in braces in `user`.
        covers: what the template's hash covers besides these texts, such as definitions.
    """

    purpose: str
    template_id: str
    system: str
    user: str
    form: str
    schema_name: str
    list_name: str
    properties: Mapping[str, Any]
    fields_of: Callable[[Item], Mapping[str, Any]]
    items_per_request: int
    tokens_per_item: int
    values: Mapping[str, str] = field(default_factory=dict)
    covers: Sequence[Any] = ()

    @cached_property
    def schema_format(self) -> dict[str, Any]:
        """The response format with the schema of a reply."""
        return {
            "type": "json_schema",
            "json_schema": {
                "name": self.schema_name,
                "strict": True,
                "schema": _object_of(
                    {
                        self.list_name: {
                            "type": "array",
                            "items": _object_of({"number": {"type": "integer"}, **self.properties}),
                        }
                    }
                ),
            },
        }

    def response_format(self, reply_format: ReplyFormat) -> dict[str, Any] | None:
        """The response format as a server of this kind takes it."""
        known = {"json_schema": self.schema_format, "json_object": _JSON_OBJECT, "text": None}
        return known[reply_format]

    def template_sha256(self, reply_format: ReplyFormat = "json_schema") -> str:
        """Hash of everything that the prompt consists of, but for the items."""
        return self._template_hashes[reply_format]

    @cached_property
    def _template_hashes(self) -> dict[ReplyFormat, str]:
        return {
            form: sha256_of(
                [
                    self.template_id,
                    self.system,
                    self.user,
                    self._form_in_words(form),
                    self.response_format(form),
                    *self.covers,
                ]
            )
            for form in REPLY_FORMATS
        }

    def requests(
        self,
        items: Sequence[Item],
        *,
        teacher: str,
        model: str,
        reply_format: ReplyFormat = "json_schema",
    ) -> Iterator[tuple[TeacherRequest, Sequence[Item]]]:
        """Requests that cover the items, each with those that it asks about, in its numbering."""
        response_format = self.response_format(reply_format)
        template_sha256 = self.template_sha256(reply_format)
        for start in range(0, len(items), self.items_per_request):
            batch = items[start : start + self.items_per_request]
            request = TeacherRequest(
                purpose=self.purpose,
                teacher=teacher,
                model=model,
                parameters={
                    "temperature": 0.0,
                    "max_completion_tokens": self.tokens_per_item * (len(batch) + 1),
                    **({"response_format": response_format} if response_format else {}),
                },
                messages=[
                    {"role": "system", "content": self.system},
                    {
                        "role": "user",
                        "content": self._user(batch) + self._form_in_words(reply_format),
                    },
                ],
                template_id=self.template_id,
                template_sha256=template_sha256,
                reply_format=reply_format,
            )
            yield request, batch

    def _user(self, batch: Sequence[Item]) -> str:
        lines = "\n".join(
            json.dumps({"number": number, **self.fields_of(item)}, ensure_ascii=False)
            for number, item in enumerate(batch, start=1)
        )
        text = self.user
        # Not `format`, since texts hold braces; and the items last, since they may hold any name.
        for name, value in [*self.values.items(), ("items", lines)]:
            text = text.replace(f"{{{name}}}", value)
        return text

    def _form_in_words(self, reply_format: ReplyFormat) -> str:
        return "" if reply_format == "json_schema" else self.form


@dataclass(frozen=True)
class Question(Generic[Item, Answer]):
    """A prompt, and a reader of the answers that come back.

    Attributes:
        prompt: what is asked.
        read: an answer from one object of a reply; None where the object is no valid answer. Two
            answers about one item contradict each other where they are not equal.
        table: where the answers are kept.
        key_ends: what an answer's key covers besides teacher, model, template and item; it tells
            apart two questions of one template.
    """

    prompt: QuestionPrompt[Item]
    read: Callable[[Mapping[str, Any]], Answer | None]
    table: AnswerTable[Item, Answer] = TEACHER_ANSWERS
    key_ends: tuple[Any, ...] = ()

    def key(self, item: Item, teacher: str, model: str) -> str:
        """The key of this teacher's answer about an item, in whatever form it is asked for."""
        fields = self.prompt.fields_of(item).values()
        return sha256_of([teacher, model, self.prompt.template_sha256(), *fields, *self.key_ends])

    def is_well_formed(self, content: str) -> bool:
        """Whether a reply has the form that was asked for, even if its list is empty."""
        return self._listed(content) is not None

    def answers_in(self, content: str, batch: Sequence[Item]) -> dict[Item, Answer]:
        """The valid answers of a reply, by item; an item with contradictory answers has none."""
        found: dict[Item, Answer] = {}
        contradicted: set[Item] = set()
        for listed in self._listed(content) or []:
            number = listed.get("number")
            if type(number) is not int or not 1 <= number <= len(batch):
                continue
            answer = self.read(listed)
            if answer is None:
                continue
            item = batch[number - 1]
            if found.setdefault(item, answer) != answer:
                contradicted.add(item)
        return {item: answer for item, answer in found.items() if item not in contradicted}

    def _listed(self, content: str) -> list[dict[str, Any]] | None:
        """The objects of a reply's list, or None where the reply has another form.

        Prose and fences around the JSON are passed over: servers without structured output add
        them.
        """
        start, end = content.find("{"), content.rfind("}")
        try:
            listed = json.loads(content[start : end + 1])[self.prompt.list_name]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        if not isinstance(listed, list):
            return None
        return [one for one in listed if isinstance(one, dict)]


def _object_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
