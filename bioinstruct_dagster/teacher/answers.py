"""Answers to a question about many items: asks for missing answers, and stores each under its key.

No item is asked about twice. This holds even if a reply has no valid answer about the item, because
another request would be paid for too. Only if a reply has the wrong form and is no refusal, its
request is sent once more. Belongs here: asking about items, and reading and writing answers. Does
not: the prompt, the reader and the table (questions), or sending requests (rounds).
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
    """A teacher's answer about one item.

    Attributes:
        answer: None if the reply held no valid answer.
        completion_id: of the reply.
        rehearsal: whether the reply comes from a rehearsal teacher.
    """

    answer: Answer | None
    completion_id: str
    rehearsal: bool = False


@dataclass(frozen=True)
class _ItemRequest:
    """A request of a question, with the items that it asks about."""

    question: Question[Any, Any]
    request: TeacherRequest
    items: Sequence[Any]


def ask_about(
    session: TeacherSession, question: Question[Item, Answer], items: Sequence[Item]
) -> tuple[Tally, dict[Item, StoredAnswer[Answer]]]:
    """Ask about every item that this teacher was not asked about before.

    Returns:
        What the round took; and the earlier and new answers by item. While a batch is open
        (`Tally.pending`), its answers are missing.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see `rounds.ask`.
    """
    tally = ask_together(session, [(question, items)])
    return tally, stored_answers(session, question, items)


def ask_together(
    session: TeacherSession, questions: Sequence[tuple[Question[Any, Any], Sequence[Any]]]
) -> Tally:
    """Ask several questions with one purpose in one round; see `ask_about`.

    With the Batch API, the questions share one day of waiting. If a cap is reached, the last items
    stay without an answer.

    Returns:
        What the round took. `stored_answers` returns the answers.
    """
    item_requests = [
        _ItemRequest(question, request, asked_items)
        for question, items in questions
        for request, asked_items in question.prompt.requests(
            _missing(session, question, items),
            teacher=session.teacher,
            model=session.model,
            reply_format=session.reply_format,
        )
    ]
    if not item_requests:
        return Tally()
    question_of = {each.request.completion_id: each.question for each in item_requests}

    def is_useless(reply: Mapping[str, Any]) -> bool:
        question = question_of[reply["completion_id"]]
        return not reply["refusal"] and not question.is_well_formed(reply["content"])

    tally = ask(session, [each.request for each in item_requests], is_useless=is_useless)
    _store(session, item_requests)
    return tally


def stored_answers(
    session: TeacherSession, question: Question[Item, Answer], items: Sequence[Item]
) -> dict[Item, StoredAnswer[Answer]]:
    """This teacher's answers by item, in the order of the items; items never asked are left out."""
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


def _store(session: TeacherSession, item_requests: Sequence[_ItemRequest]) -> None:
    """Store the answers in each reply; if a request has two replies, the second counts."""
    firsts = [each.request for each in item_requests]
    both_draws = [one.completion_id for first in firsts for one in (first, first.again())]
    found = session.store.rows(REPLY_CONTENTS, {"wanted": both_draws})
    replies = {row["completion_id"]: row for row in found}
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in item_requests:
        first, second = each.request.completion_id, each.request.again().completion_id
        reply = replies.get(second) or replies.get(first)
        if reply is None:
            continue
        question = each.question
        answers = question.answers_in(reply["content"], each.items)
        rows[question.table.name] += [
            {
                **question.table.row_of(
                    question.key(item, session.teacher, session.model), item, answers.get(item)
                ),
                "teacher": session.teacher,
                "model": session.model,
                "completion_id": reply["completion_id"],
            }
            for item in each.items
        ]
    with session.store.write() as connection:
        for table, answers_of_table in rows.items():
            insert(connection, table, answers_of_table)
