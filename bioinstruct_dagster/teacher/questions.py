"""Asking a teacher about many things, some in each request: what labels and quality checks share.

Belongs here: sending such requests, and which reply counts. Does not: the prompts, what a reply
means, or where answers are stored (category.labelling, quality.llm_checks).
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.rounds import Endpoint, Tally, Terms, ask

Batch = TypeVar("Batch")

REPLIES = """
    select completion_id, content
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
"""


def ask_in_batches(
    batches: Sequence[tuple[TeacherRequest, Batch]],
    endpoint: Endpoint,
    store: Store,
    *,
    is_well_formed: Callable[[str], bool],
    log: Callable[[str], None],
    terms: Terms | None = None,
) -> tuple[Tally, list[tuple[Batch, dict[str, Any]]]]:
    """Ask, once more where a reply was no refusal and not of the form that was asked for.

    Returns:
        What it took; and each batch that has a reply, with completion_id and content of the second
        one where there are two.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see teacher.ask.
    """
    tally = ask(
        [request for request, _ in batches],
        endpoint,
        store,
        log=log,
        terms=terms,
        worth_again=lambda reply: not reply["refusal"] and not is_well_formed(reply["content"]),
    )
    asked = [one.completion_id for first, _ in batches for one in (first, first.again())]
    replies = {row["completion_id"]: row for row in store.rows(REPLIES, {"wanted": asked})}
    answered = []
    for request, batch in batches:
        again = request.again().completion_id
        reply = replies.get(again) or replies.get(request.completion_id)
        if reply is not None:
            answered.append((batch, reply))
    return tally, answered


def objects_listed(content: str, name: str) -> list[dict[str, Any]] | None:
    """The objects of the list with this name in a reply, or None where it is of another form.

    Prose and fences around the JSON are passed over: servers without structured output add them.
    """
    start, end = content.find("{"), content.rfind("}")
    try:
        listed = json.loads(content[start : end + 1])[name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not isinstance(listed, list):
        return None
    return [one for one in listed if isinstance(one, dict)]
