"""Answers to a question about many items: asks for missing answers, and stores each under its key.

No item is asked about twice. This holds even if a reply has no valid answer about the item, because
another request would be paid for too. Only if a reply has the wrong form, its request is sent once
more, unless the teacher refused or the token limit cut the reply off. No answers of the request are
kept before the store has that second draw, so a later run can still send it.

Belongs here: asking about items, and reading and writing answers. Does not: the prompt, the reader
and the table (questions), or sending requests (rounds).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic

from bioinstruct_dagster.store.database import insert
from bioinstruct_dagster.store.storable_text import storable_value
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.output_limits import (
    CUT_COLUMNS,
    CutReply,
    CutWatch,
    covers_limits,
    cut_advice,
    is_cut,
    with_own_key,
)
from bioinstruct_dagster.teacher.questions import Answer, Item, Question
from bioinstruct_dagster.teacher.reading.answer_text import (
    ANSWER_COLUMNS,
    BROKEN_OFF,
    answer_of,
    is_no_completion,
)
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.session import TeacherSession

REPLY_CONTENTS = f"""
    select completion_id, refusal, {CUT_COLUMNS}, {ANSWER_COLUMNS}
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

    def is_worth_a_second_draw(self, reply: Mapping[str, Any]) -> bool:
        """Whether the first reply has the wrong form, and another reply may have the right one.

        After a refusal or at the same token limit, another reply would be paid for and useless.
        """
        if reply["refusal"] or is_cut(reply) or is_no_completion(reply):
            return False
        return not self.question.is_well_formed(answer_of(reply).text, self.items)

    def cut_of(self, reply: Mapping[str, Any]) -> CutReply | None:
        """How the reply was cut before its first answer; None if it was not."""
        if not (cut := CutReply.of(reply)):
            return None
        answers = self.question.answers_in(answer_of(reply).text, self.items, cut=True)
        return None if answers else cut

    def after(self, reply: Mapping[str, Any] | None) -> "_ItemRequest":
        """This request, or the one that is sent because the last stored reply was cut.

        A reply that was cut before its first answer is asked for again under other limits.
        """
        if reply is None or covers_limits(reply, self.request) or not self.cut_of(reply):
            return self
        return replace(self, request=with_own_key(self.request))


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
            limits=session.terms.output_limits,
        )
    ]
    if not item_requests:
        return Tally()
    known = _last_replies(session, item_requests)
    item_requests = [each.after(known.get(each.request.completion_id)) for each in item_requests]
    by_id = {
        request.completion_id: each
        for each in item_requests
        for request in (each.request, each.request.again())
    }

    def is_useless(reply: Mapping[str, Any]) -> bool:
        return by_id[reply["completion_id"]].is_worth_a_second_draw(reply)

    watch = CutWatch(item_requests[0].request.purpose)

    def stop_reason(reply: Mapping[str, Any]) -> str | None:
        watch.add(by_id[reply["completion_id"]].cut_of(reply))
        return watch.reason()

    tally = ask(
        session,
        [each.request for each in item_requests],
        is_useless=is_useless,
        stop_reason=stop_reason,
    )
    _store(session, item_requests)
    return tally


def stored_answers(
    session: TeacherSession, question: Question[Item, Answer], items: Sequence[Item]
) -> dict[Item, StoredAnswer[Answer]]:
    """This teacher's answers by item, in the order of the items; items never asked are left out."""
    # Without any answer of this teacher, the keys of thousands of items need not be computed.
    asked = (
        f"select 1 from {question.table.name} where teacher = $teacher and model = $model limit 1"
    )
    if not session.store.rows(asked, {"teacher": session.teacher, "model": session.model}):
        return {}
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


def _last_replies(
    session: TeacherSession, item_requests: Sequence[_ItemRequest]
) -> dict[str, Mapping[str, Any]]:
    """The stored reply to each request, by the request's id; if it has two, the second counts."""
    found: dict[str, Mapping[str, Any]] = {}
    draws = [
        (each.request.completion_id, each.request.again().completion_id) for each in item_requests
    ]
    rows = session.store.rows(REPLY_CONTENTS, {"wanted": [one for both in draws for one in both]})
    replies = {row["completion_id"]: row for row in rows}
    for first, second in draws:
        reply = replies.get(second) or replies.get(first)
        if reply:
            found[first] = reply
    return found


def _store(session: TeacherSession, item_requests: Sequence[_ItemRequest]) -> None:
    """Store the answers in each reply; if a request has two replies, the second counts."""
    replies = _last_replies(session, item_requests)
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    cuts: dict[str, list[CutReply]] = defaultdict(list)
    for each in item_requests:
        first = each.request.completion_id
        reply = replies.get(first)
        if reply is None or (
            reply["completion_id"] == first and each.is_worth_a_second_draw(reply)
        ):
            continue
        cut = CutReply.of(reply)
        is_short = cut is not None or reply["finish_reason"] == BROKEN_OFF
        answers = each.question.answers_in(answer_of(reply).text, each.items, cut=is_short)
        if cut and len(answers) < len(set(each.items)):
            cuts[each.request.purpose].append(cut)
        if answers or not cut:
            rows[each.question.table.name] += _rows_of(session, each, reply, answers)
    for purpose, found in cuts.items():
        asked = sum(each.request.purpose == purpose for each in item_requests)
        session.log(cut_advice(found, asked, purpose))
    with session.store.write() as connection:
        for table, answers_of_table in rows.items():
            insert(connection, table, answers_of_table)


def _rows_of(
    session: TeacherSession,
    asked: _ItemRequest,
    reply: Mapping[str, Any],
    answers: Mapping[Any, Any],
) -> list[dict[str, Any]]:
    """The rows of a reply's answers, one for each item. The store can hold their texts."""
    question = asked.question
    return [
        {
            **{
                column: storable_value(value)
                for column, value in question.table.row_of(
                    question.key(item, session.teacher, session.model), item, answers.get(item)
                ).items()
            },
            "teacher": session.teacher,
            "model": session.model,
            "completion_id": reply["completion_id"],
        }
        for item in asked.items
    ]
