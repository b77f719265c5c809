"""Where the answers to a question are kept, so that no item is asked about twice.

`TEACHER_ANSWERS` keeps the answers of any question as JSON. A question whose answers are read by
SQL, such as the category labels, names a table with columns of its own. Belongs here: how an answer
becomes a row of its table, and a row an answer. Does not: reading and writing the tables (answers).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from bioinstruct_dagster.store.fingerprints import canonical_json

Item = TypeVar("Item")
Answer = TypeVar("Answer")

STORED_ANSWERS = """
    select answer_key, answer, completion_id, completion.rehearsal
    from teacher_answers
    join completions as completion using (completion_id)
    where answer_key in (select unnest($wanted::varchar[]))
"""


@dataclass(frozen=True)
class AnswerTable(Generic[Item, Answer]):
    """A table of answers, one row for each item that a teacher was asked about.

    Attributes:
        name: of the table. It has the columns teacher, model and completion_id.
        stored: the statement that finds the rows of the keys `$wanted`, with answer_key,
            completion_id and rehearsal.
        row_of: the table's own columns, from a key, an item, and its answer; the answer is None
            where the reply held no valid one.
        answer_of: the answer in a row that `stored` found.
    """

    name: str
    stored: str
    row_of: Callable[[str, Item, Answer | None], Mapping[str, Any]]
    answer_of: Callable[[Mapping[str, Any]], Answer | None]


def _json_row(key: str, _item: Any, answer: Any) -> dict[str, Any]:
    return {"answer_key": key, "answer": None if answer is None else canonical_json(answer)}


def _json_answer(row: Mapping[str, Any]) -> Any:
    return None if row["answer"] is None else json.loads(row["answer"])


TEACHER_ANSWERS: AnswerTable[Any, Any] = AnswerTable(
    "teacher_answers", STORED_ANSWERS, _json_row, _json_answer
)
