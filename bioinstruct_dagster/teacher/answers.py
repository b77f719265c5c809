"""Asking a teacher a question about many items, and keeping every answer under its key.

An item that was asked about once is never asked about again, even if the reply held no valid answer
for it: another request would pay again. If a reply is no refusal and has another form than the one
that was asked for, its request is sent once more. Belongs here: the way from items to kept answers.
Does not: the prompt and the reader (questions), the form of a table (answer_tables), or sending
(rounds).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from bioinstruct_dagster.store.database import insert
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.questions import Answer, Item, Question
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.session import TeacherSession

REPLY_CONTENTS = """
    select completion_id, content
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
"""


@dataclass(frozen=True)
class StoredAnswer(Generic[Answer]):
    """What a teacher answered about one item.

    Attributes:
        answer: None where the teacher was asked and gave no valid answer.
        completion_id: of the reply.
        rehearsal: whether the reply is a rehearsal teacher's.
    """

    answer: Answer | None
    completion_id: str
    rehearsal: bool = False


@dataclass(frozen=True)
class _Batch:
    """A request, and the items that it asks about."""

    question: Question[Any, Any]
    request: TeacherRequest
    items: Sequence[Any]


def ask_about(
    session: TeacherSession, question: Question[Item, Answer], items: Sequence[Item]
) -> tuple[Tally, dict[Item, StoredAnswer[Answer]]]:
    """Ask about every item that this teacher was not asked about before.

    Returns:
        What the round took, and everything that is known of the items: earlier answers and new
        ones. While a batch is open (`Tally.pending`), its answers are missing.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see rounds.ask.
    """
    tally = ask_together(session, [(question, items)])
    return tally, stored_answers(session, question, items)


def ask_together(
    session: TeacherSession, asked: Sequence[tuple[Question[Any, Any], Sequence[Any]]]
) -> Tally:
    """Ask several questions of one purpose in one round; see `ask_about`.

    With the Batch API they share one day of waiting. At a cap, the last ones are left out.
    """
    batches = [
        _Batch(question, request, batch)
        for question, items in asked
        for request, batch in question.prompt.requests(
            _missing(session, question, items),
            teacher=session.teacher,
            model=session.model,
            reply_format=session.reply_format,
        )
    ]
    if not batches:
        return Tally()
    question_of = {batch.request.completion_id: batch.question for batch in batches}

    def is_useless(reply: Mapping[str, Any]) -> bool:
        question = question_of[reply["completion_id"]]
        return not reply["refusal"] and not question.is_well_formed(reply["content"])

    tally = ask(session, [batch.request for batch in batches], is_useless=is_useless)
    _keep(session, batches)
    return tally


def stored_answers(
    session: TeacherSession, question: Question[Item, Answer], items: Sequence[Item]
) -> dict[Item, StoredAnswer[Answer]]:
    """What this teacher answered about each item that it was asked about before, in their order."""
    item_of = {question.key(item, session.teacher, session.model): item for item in items}
    rows = session.store.rows(question.table.stored, {"wanted": list(item_of)})
    answers = {
        row["answer_key"]: StoredAnswer(
            question.table.answer_of(row), row["completion_id"], row["rehearsal"]
        )
        for row in rows
    }
    return {item: answers[key] for key, item in item_of.items() if key in answers}


def _missing(
    session: TeacherSession, question: Question[Item, Answer], items: Sequence[Item]
) -> list[Item]:
    known = stored_answers(session, question, items)
    return [item for item in dict.fromkeys(items) if item not in known]


def _keep(session: TeacherSession, batches: Sequence[_Batch]) -> None:
    """Store what each reply says of its items; of two draws, the second counts."""
    both = [one.completion_id for b in batches for one in (b.request, b.request.again())]
    replies = {row["completion_id"]: row for row in session.store.rows(REPLY_CONTENTS, {"wanted": both})}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for batch in batches:
        first, second = batch.request.completion_id, batch.request.again().completion_id
        reply = replies.get(second) or replies.get(first)
        if reply is None:
            continue
        question = batch.question
        answers = question.answers_in(reply["content"], batch.items)
        rows[question.table.name] += [
            {
                **question.table.row_of(
                    question.key(item, session.teacher, session.model), item, answers.get(item)
                ),
                "teacher": session.teacher,
                "model": session.model,
                "completion_id": reply["completion_id"],
            }
            for item in batch.items
        ]
    with session.store.write() as connection:
        for table, kept in rows.items():
            insert(connection, table, kept)
