"""The output limit: whether the server heeds the limit of output tokens, and under which name.

A cap holds only if no reply is longer than its request allows. So a small request asks for far more
text than its limit. Belongs here: the verdict on a server. Does not: the search for a form that the
server takes (search).
"""

from dataclasses import replace
from typing import Literal

from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    StatusError,
    TeacherError,
    label_of,
)
from bioinstruct_dagster.teacher.probe_request import LIMIT_PROBE_TOKENS, limit_probe_request
from bioinstruct_dagster.teacher.probing import advice
from bioinstruct_dagster.teacher.probing.refused_parts import limit_is_too_small, limit_was_reached
from bioinstruct_dagster.teacher.probing.search import FormSearch
from bioinstruct_dagster.teacher.probing.sender import output_tokens, passes_limit
from bioinstruct_dagster.teacher.reading.answer_text import ends_at_limit
from bioinstruct_dagster.teacher.wire.dialect import TOKEN_LIMIT_NAMES, Dialect

LimitVerdict = Literal["heeded", "ignored", "unproven"]
_Verdict = Literal["heeded", "ignored", "unproven", "refused", "least"]
# Some servers raise a small limit to a least number of tokens. A reply that such a limit cut off
# says nothing about larger limits.
_LARGEST_LEAST_LIMIT = 512


async def heeded_limit(search: FormSearch) -> LimitVerdict:
    """Whether the server heeds the limit. The search's dialect gets the name that it heeds.

    Raises:
        TeacherError: the server rejects the key, has no more credit, or is down.
        BudgetError: the caps leave no room for the request.
    """
    if TOKEN_LIMIT_NAMES[0] in search.dialect.left_out:
        return "ignored"
    first = search.dialect
    verdict = await _verdict_in(search, first)
    if verdict not in {"ignored", "least"}:
        return _stated(verdict)
    other = TOKEN_LIMIT_NAMES[first.token_limit_name == TOKEN_LIMIT_NAMES[0]]
    if other in search.ignored | search.refused_names:
        return _stated(verdict)
    second = replace(first, token_limit_name=other)
    second_verdict = await _verdict_in(search, second)
    if second_verdict in {"heeded", "unproven"}:
        search.dialect = second
        return _stated(second_verdict)
    return _stated(verdict)


def _stated(verdict: _Verdict) -> LimitVerdict:
    """The verdict that is stored."""
    return verdict if verdict in {"heeded", "ignored"} else "unproven"


async def _verdict_in(search: FormSearch, dialect: Dialect) -> _Verdict:
    """The verdict on one name of the limit."""
    if dialect.token_limit_name in search.ignored:
        return "ignored"
    if dialect.token_limit_name in search.heeded:
        return "heeded"
    sender = search.sender
    dialect = replace(dialect, reply_format="text")
    request = limit_probe_request(sender.settings, sender.endpoint, draw=next(sender.draws))
    limit = request.parameters["max_completion_tokens"]
    verdict: _Verdict
    try:
        # A server that ignores the limit may write for minutes, so it is not asked again.
        reply = await sender.send_patiently(request, dialect, lost_once=True)
    except StatusError as error:
        if error.fatal:
            raise TeacherError(advice.refused(sender, error, dialect)) from None
        verdict, shown = _verdict_of(error), label_of(error)
    except LostReplyError as error:
        verdict, shown = "unproven", label_of(error)
    else:
        used, cut = output_tokens(reply), ends_at_limit(reply.finish_reason)
        shown = f"{used} tokens"
        if passes_limit(reply, request):
            verdict = "least" if cut and used <= _LARGEST_LEAST_LIMIT else "ignored"
        else:
            # A reply whose end is missing, or that is no completion, shows nothing.
            near = used >= LIMIT_PROBE_TOKENS // (4 if cut else 2)
            verdict = "heeded" if near and reply.body is None else "unproven"
    name = dialect.sent_limit_name
    sender.evidence.append(f"a limit of {limit} tokens as {name}: {verdict} ({shown})")
    if verdict == "ignored":
        search.ignored.add(dialect.token_limit_name)
    return verdict


def _verdict_of(error: StatusError) -> _Verdict:
    """The verdict on a name of the limit, if the server refuses the request."""
    # A server that refuses so small a limit reads the limit.
    if limit_was_reached(error) or limit_is_too_small(error):
        return "heeded"
    return "refused"
