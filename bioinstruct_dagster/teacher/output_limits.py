"""The limits of output: tokens for the answer, tokens for reasoning, and the effort of reasoning.

A reasoning model takes its reasoning from the same limit as its answer. If the limit is too low,
the reply is cut off before it holds anything. The user may then change the limits. They are no part
of a request's key, so every sound reply stays in use. Only a request whose reply was cut before it
held anything usable is sent again, once for each new limit; its key then covers the limits.

Belongs here: adding the limits to a request, whether a reply was cut, and what a user can do about
it. Does not: reading a reply, or the tokens and the cost of a request (money.tokens).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bioinstruct_dagster.teacher.reading.answer_text import CUT_REASONS, answer_of
from bioinstruct_dagster.teacher.requests import TeacherRequest

# The limit for one task in the key of a request. It never changes, so that stored replies are found
# again; the setting may be another.
TOKENS_PER_TASK = 600
MOST_CUT_IN_A_ROW = 20  # then no reply is worth its price until the limits are changed
_LEAST_SUGGESTION = 4_000  # tokens; a model that reasons takes some thousands
_SUGGESTION_STEP = 1_000

# Columns of `completions` that tell whether a reply was cut, and under which limits.
CUT_COLUMNS = """
    content, finish_reason, completion_tokens,
    (parameters ->> 'max_completion_tokens')::bigint as output_limit,
    parameters ->> 'reasoning_effort' as reasoning_effort
"""


@dataclass(frozen=True)
class OutputLimits:
    """The user's limits of output.

    Attributes:
        tokens_per_task: the most tokens for each task that a request asks for.
        reasoning_tokens: tokens that every request allows for reasoning besides.
        reasoning_effort: the word for the effort of reasoning; empty if it is not sent.
    """

    tokens_per_task: int = TOKENS_PER_TASK
    reasoning_tokens: int = 0
    reasoning_effort: str = ""

    def applied_to(self, request: TeacherRequest, tasks: int | None = None) -> TeacherRequest:
        """The request with these limits. Its key stays the same.

        Args:
            request: has the limit of its answer, without reasoning.
            tasks: the number of tasks that it asks for; None if it asks for other answers, whose
                limit is not the user's.
        """
        answer = request.parameters["max_completion_tokens"]
        if tasks is not None:
            answer = self.tokens_per_task * tasks
        parameters = {**request.parameters, "max_completion_tokens": answer + self.reasoning_tokens}
        if self.reasoning_effort:
            parameters["reasoning_effort"] = self.reasoning_effort
        if parameters == request.parameters:
            return request
        return replace(
            request,
            parameters=parameters,
            key_parameters=request.parameters,
            reasoning_tokens=self.reasoning_tokens,
        )


def with_own_key(request: TeacherRequest) -> TeacherRequest:
    """The request with a key that covers its limits, because a cut reply has its usual key."""
    return replace(request, key_parameters=None)


def is_reply_to(request: TeacherRequest, reply: Mapping[str, Any]) -> bool:
    """Whether a stored reply answers a request, under any limits.

    Args:
        request: with the present limits.
        reply: a completion with its id and `CUT_COLUMNS`.
    """
    if reply["completion_id"] == request.completion_id:
        return True
    limit, effort = _limit_of(reply), reply.get("reasoning_effort")
    usual = request.parameters if request.key_parameters is None else request.key_parameters
    if limit == usual["max_completion_tokens"] and not effort:
        return False
    asked = {**usual, "max_completion_tokens": limit}
    if effort:
        asked["reasoning_effort"] = effort
    own = replace(request, parameters=asked, key_parameters=None)
    return bool(reply["completion_id"] == own.completion_id)


def is_cut(reply: Mapping[str, Any]) -> bool:
    """Whether the limit of output cut a reply off.

    Some servers name no reason for the end. A reply without text that took its whole limit was cut
    too.

    Args:
        reply: a completion, new or with `CUT_COLUMNS`.
    """
    if reply["finish_reason"] in CUT_REASONS:
        return True
    limit = _limit_of(reply)
    if not limit or (reply["content"] or "").strip() or reply.get("refusal"):
        return False
    return bool((reply.get("completion_tokens") or 0) >= limit)


def covers_limits(reply: Mapping[str, Any], request: TeacherRequest) -> bool:
    """Whether a reply had at least the limit of the request, and its effort of reasoning.

    If such a reply was cut, the request would be cut again.
    """
    limit, effort = _limit_of(reply), _parameter_of(reply, "reasoning_effort")
    wanted = request.parameters
    return (limit is None or limit >= wanted["max_completion_tokens"]) and (effort or "") == (
        wanted.get("reasoning_effort") or ""
    )


def _limit_of(reply: Mapping[str, Any]) -> int | None:
    limit: int | None = reply.get("output_limit")
    return _parameter_of(reply, "max_completion_tokens") if limit is None else limit


def _parameter_of(reply: Mapping[str, Any], name: str) -> Any:
    """A parameter of a completion: its column, or as it was sent if the completion is new."""
    if name in reply:
        return reply[name]
    parameters = reply.get("parameters")
    return parameters.get(name) if isinstance(parameters, Mapping) else None


@dataclass(frozen=True)
class CutReply:
    """A reply that its limit cut off.

    Attributes:
        limit: the most tokens that it might take; None if unknown.
        wrote: whether it holds text, so that the answer itself may be too long.
        is_usable: whether it holds anything usable before the cut.
    """

    limit: int | None
    wrote: bool
    is_usable: bool = False

    @classmethod
    def of(cls, reply: Mapping[str, Any], *, is_usable: bool = False) -> "CutReply | None":
        """The cut of a reply; None if its limit did not cut it."""
        if not is_cut(reply):
            return None
        return cls(_limit_of(reply), bool(answer_of(reply).text.strip()), is_usable)


def cut_advice(cuts: Sequence[CutReply], replies: int, purpose: str = "generation") -> str:
    """What a user can do about replies that were cut.

    Args:
        cuts: the cut replies.
        replies: the number of all replies that were looked at.
        purpose: of the requests.
    """
    limit = max((cut.limit or 0 for cut in cuts), default=0)
    of_tokens = f" of {limit:,} output tokens" if limit else " of output tokens"
    suggested = max(_LEAST_SUGGESTION, -(-2 * limit // _SUGGESTION_STEP) * _SUGGESTION_STEP)
    wrote = 2 * sum(cut.wrote for cut in cuts) > len(cuts)
    usable = 2 * sum(cut.is_usable for cut in cuts) > len(cuts)
    raise_reasoning = (
        f"set BIOINSTRUCT_REASONING_TOKENS to {suggested} or more, or lower "
        "BIOINSTRUCT_REASONING_EFFORT, or set BIOINSTRUCT_TEACHER_MODEL to a model that reasons "
        "less"
    )
    shorter = (
        "raise BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK, or ask for fewer tasks in a request "
        "(BIOINSTRUCT_TASKS_PER_REQUEST)"
    )
    if purpose != "generation":
        advice = f"To go on, {raise_reasoning}."
    elif usable:
        advice = f"For more tasks in each reply, {shorter}."
    elif wrote:
        advice = f"If the model reasons before it answers, {raise_reasoning}. Otherwise, {shorter}."
    else:
        advice = f"To go on, {raise_reasoning}. If the answers themselves are too long, {shorter}."
    unusable = purpose == "generation" and not usable
    held = "they held a task" if unusable else "the last answer was written"
    return (
        f"{len(cuts)} of {replies} replies to {purpose} requests were cut off by their limit"
        f"{of_tokens}, before {held}. The model used the limit for reasoning, or for long answers. "
        f"{advice} Then run again: stored replies are not paid for again, except those that were "
        "cut off before they held anything usable."
    )


class CutWatch:
    """Ends a round whose replies are all cut before they hold anything usable."""

    def __init__(self, purpose: str = "generation") -> None:
        self._purpose = purpose
        self._in_a_row: list[CutReply] = []

    def add(self, cut: CutReply | None) -> None:
        """Add one reply: its cut, or None if it was not cut."""
        if cut is None or cut.is_usable:
            self._in_a_row.clear()
        else:
            self._in_a_row.append(cut)

    def reason(self) -> str | None:
        """Why no more requests are worth their price; None if they are."""
        if len(self._in_a_row) < MOST_CUT_IN_A_ROW:
            return None
        return cut_advice(self._in_a_row, len(self._in_a_row), self._purpose)


def advice_if_most(cuts: Iterable[CutReply | None], purpose: str = "generation") -> str | None:
    """The advice if most replies were cut; None if not.

    Args:
        cuts: by reply, its cut or None.
        purpose: of the requests.
    """
    found = list(cuts)
    cut = [one for one in found if one is not None]
    return cut_advice(cut, len(found), purpose) if 2 * len(cut) > len(found) else None
