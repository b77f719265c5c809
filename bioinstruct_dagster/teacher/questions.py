"""A question about many items: its prompt, the reader of its replies, and the table of its answers.

Each request holds several numbered items, one JSON object a line, and asks for a JSON list with one
answer for each number. A server that takes a schema replies with structured output. For any other
server, the prompt describes the form in words. Belongs here: the requests of a question, reading a
reply, the key of an answer, and how an answer becomes a row. Does not: sending requests, and
reading and writing the tables (answers).
"""

import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from bioinstruct_dagster.store.fingerprints import canonical_json, sha256_of
from bioinstruct_dagster.store.storable_text import storable_value
from bioinstruct_dagster.teacher.output_limits import OutputLimits
from bioinstruct_dagster.teacher.reading.answer_objects import NUMBER, AnswerForm, answer_lists
from bioinstruct_dagster.teacher.requests import REPLY_FORMATS, ReplyFormat, TeacherRequest

Item = TypeVar("Item", bound=Hashable)
Answer = TypeVar("Answer")

STORED_ANSWERS = """
    select answer_key, answer, completion_id, completion.rehearsal
    from teacher_answers
    join completions as completion using (completion_id)
    where answer_key in (select unnest($wanted::varchar[]))
"""
_JSON_OBJECT = {"type": "json_object"}


@dataclass(frozen=True)
class QuestionPrompt(Generic[Item]):
    """The text of a question, and the form of its replies.

    Attributes:
        purpose: of its requests, as in `completions`.
        template_id: the prompt's name and version.
        system: the system message.
        user: the user message; the items stand in place of `{items}`.
        form: describes the reply's form with an example, for a server that takes no schema.
        schema_name: the schema's name; the rehearsal teacher knows the question by it.
        list_name: the name of the list of answers in a reply.
        properties: the JSON schema of each field of an answer, besides its number.
        fields_of: the fields of an item that the prompt shows and the answer's key covers.
        items_per_request: the most items that one request holds.
        tokens_per_item: the most tokens that one answer may take.
        values: the texts that replace other names in braces in `user`.
        covers: further values that the template's hash covers, such as definitions.
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
        """The response format for a server with this reply format; None for plain text."""
        known = {"json_schema": self.schema_format, "json_object": _JSON_OBJECT, "text": None}
        return known[reply_format]

    def template_sha256(self, reply_format: ReplyFormat = "json_schema") -> str:
        """The hash of the whole prompt except the items."""
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
        limits: OutputLimits | None = None,
    ) -> Iterator[tuple[TeacherRequest, Sequence[Item]]]:
        """The requests about all items, each with its own items in the order of their numbers.

        The limits of output are no part of a request's key, nor of an answer's key.
        """
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
            yield limits.applied_to(request) if limits else request, batch

    def _user(self, batch: Sequence[Item]) -> str:
        lines = "\n".join(
            json.dumps({"number": number, **self.fields_of(item)}, ensure_ascii=False)
            for number, item in enumerate(batch, start=1)
        )
        values = {**self.values, "items": lines}
        # Not `format`, because texts hold braces. In one pass, because a value may hold any name.
        names = "|".join(map(re.escape, values))
        return re.sub(rf"\{{({names})\}}", lambda found: values[found[1]], self.user)

    def _form_in_words(self, reply_format: ReplyFormat) -> str:
        return "" if reply_format == "json_schema" else self.form


@dataclass(frozen=True)
class AnswerTable(Generic[Item, Answer]):
    """A table of answers, with one row for each item that a teacher was asked about.

    A question whose answers are read by SQL, such as the category labels, names a table with
    columns of its own. `TEACHER_ANSWERS` keeps the answers of any other question as JSON.

    Attributes:
        name: of the table. It has the columns teacher, model and completion_id.
        stored: the statement that finds the rows of the keys `$wanted`, with answer_key,
            completion_id and rehearsal.
        row_of: the table's own columns, from a key, an item and its answer. The answer is None if
            the reply holds no valid answer.
        answer_of: the answer in a row that `stored` found.
    """

    name: str
    stored: str
    row_of: Callable[[str, Item, Answer | None], Mapping[str, Any]]
    answer_of: Callable[[Mapping[str, Any]], Answer | None]


def _json_row(key: str, _item: Any, answer: Any) -> dict[str, Any]:
    return {
        "answer_key": key,
        "answer": None if answer is None else canonical_json(storable_value(answer)),
    }


def _json_answer(row: Mapping[str, Any]) -> Any:
    return None if row["answer"] is None else json.loads(row["answer"])


TEACHER_ANSWERS: AnswerTable[Any, Any] = AnswerTable(
    "teacher_answers", STORED_ANSWERS, _json_row, _json_answer
)


@dataclass(frozen=True)
class Question(Generic[Item, Answer]):
    """A prompt, the reader of its answers, and the table that keeps them.

    Attributes:
        prompt: the prompt.
        read: returns the answer in one object of a reply, or None if the object is no valid answer.
            If two answers about one item are not equal, they contradict each other.
        table: keeps the answers.
        key_ends: further values that an answer's key covers, besides teacher, model, template and
            item. They distinguish two questions with one template.
    """

    prompt: QuestionPrompt[Item]
    read: Callable[[Mapping[str, Any]], Answer | None]
    table: AnswerTable[Item, Answer] = TEACHER_ANSWERS
    key_ends: tuple[Any, ...] = ()

    def key(self, item: Item, teacher: str, model: str) -> str:
        """The key of this teacher's answer about an item. It is the same for every reply format."""
        fields = self.prompt.fields_of(item).values()
        return sha256_of([teacher, model, self.prompt.template_sha256(), *fields, *self.key_ends])

    def is_well_formed(self, text: str, batch: Sequence[Item]) -> bool:
        """Whether an answer's text has a known form, even if its list is empty.

        A text with a number that no item has is not well formed: a teacher that counts from 0 or
        from 2 shifts every answer to another item.
        """
        return answer_lists(text, self._form(batch)) is not None

    def answers_in(
        self, text: str, batch: Sequence[Item], *, cut: bool = False
    ) -> dict[Item, Answer]:
        """The valid answers of a reply, by item. An item with contradictory answers is left out.

        If a reply holds its list twice, an answer of the later list counts.

        Args:
            text: the answer's text. If it is not well formed, it has no answers.
            batch: the items of the request.
            cut: whether the token limit cut the reply off. Its answers before the cut are read.
        """
        found: dict[Item, Answer] = {}
        for listed in answer_lists(text, self._form(batch), cut=cut) or []:
            found |= self._answers_of(listed, batch)
        return found

    def _answers_of(
        self, listed: Sequence[Mapping[str, Any]], batch: Sequence[Item]
    ) -> dict[Item, Answer]:
        found: dict[Item, Answer] = {}
        contradicted: set[Item] = set()
        for each in listed:
            answer = self.read(each)
            if answer is None:
                continue
            item = batch[each[NUMBER] - 1]
            if found.setdefault(item, answer) != answer:
                contradicted.add(item)
        return {item: answer for item, answer in found.items() if item not in contradicted}

    def _form(self, batch: Sequence[Item]) -> AnswerForm:
        return AnswerForm(self.prompt.list_name, self.prompt.properties, len(batch))


def _object_of(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
