"""The messages of a probe that failed: what was asked, the server's words, and what to change.

If no API answers at the path of a request, the likely right address is asked too, so that the
message can name it. It is never used without the user. Belongs here: these messages, and the look
at another address. Does not: when a probe fails (search, output_limit).
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bioinstruct_dagster.settings import Api
from bioinstruct_dagster.teacher.errors import (
    LostReplyError,
    StatusError,
    TeacherError,
    UnreachedServerError,
    fatal_reason,
    long_wait_message,
    sentence,
)
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.probe_request import probe_request, usual_limit
from bioinstruct_dagster.teacher.probing.refused_parts import named_maximum
from bioinstruct_dagster.teacher.probing.sender import ProbeSender
from bioinstruct_dagster.teacher.refusals import help_for
from bioinstruct_dagster.teacher.wire.dialect import PATHS, Dialect
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

# Statuses of a refusal that may concern the form of a request. Others end the probe.
_FORM_STATUSES = frozenset({400, 406, 415, 416, 422, 424, 500, 501})
# What no form can change, whatever the status: Gemini's API states a wrong key with 400.
_FORMLESS_KINDS = frozenset({"billing", "key", "model"})
# What is said of a closed account or key, also beside the names of parameters.
_ACCOUNT = re.compile(
    r"""
    \b(?:account|organi[sz]ation|subscription|workspace|(?:api|access|your)[ _-]?(?:key|token))\b
      [^.;\n]{0,30}?\b(?:suspended|deactivated|terminated|banned|frozen|revoked|expired
      | (?:is|was|are|were|been)\ (?:disabled|blocked|closed|locked|inactive|not\ active))\b
    | \b(?:suspended|deactivated|terminated|banned|frozen|revoked|expired|disabled|blocked|inactive)
      \ (?:user\ )?(?:account|organi[sz]ation|subscription|workspace
      | (?:api\ |access\ )(?:key|token))
    | 账[户号].{0,10}(?:停用|封禁|冻结|禁用)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CHECKS = "Check OPENAI_API_KEY, OPENAI_BASE_URL, BIOINSTRUCT_TEACHER_MODEL and BIOINSTRUCT_API."
_VERSION = re.compile(r"/v\d+\w*(?:/|$)")
_SHOWN_EVIDENCE = 400  # characters
_SHOWN_BODY = 120
_LEAST_TOKENS_PER_TASK = 100  # a shorter task is of little use


async def refusal_that_no_form_changes(
    sender: ProbeSender, error: StatusError, dialect: Dialect
) -> str | None:
    """The message of a refusal that concerns no part of the request; None if it may concern one."""
    if _is_about_account(error):
        return refused(sender, error, dialect)
    if error.kind == "context":
        return too_long(sender, error)
    request = probe_request(sender.settings, sender.endpoint, dialect.reply_format)
    # A sentence about the model may be about what the model supports.
    certain = error.kind != "model"
    if not error.is_billing and (
        _may_concern_form(error) or sender.refused_parts(error, request, dialect, certain=certain)
    ):
        return None
    if error.asks_for_long_wait and not error.fatal:
        return long_wait_message(error)
    found = None
    if error.kind == "path" and sender.settings.teacher.model not in error.message:
        found = await _right_address(sender, dialect)
    return refused(sender, error, dialect, found)


def refused(
    sender: ProbeSender, error: StatusError, dialect: Dialect, found: str | None = None
) -> str:
    """The message that a server refuses a probe, with what to check.

    Args:
        sender: of the probe.
        error: the server's answer.
        dialect: the form of the refused request.
        found: what to set, if the API answers at another address.
    """
    if _is_about_account(error):
        reason = "The teacher refuses the account or its key."
        advice = "Check the account at the provider, and OPENAI_API_KEY. Then run again."
    elif _may_concern_form(error):
        advice = f"Tried: {_evidence(sender)}. {_CHECKS}"
        if dialect.reply_format != "text":
            advice += " If the server does not take this format, set BIOINSTRUCT_REPLY_FORMAT=text."
        reason = f"The teacher refuses a probe in the format {dialect.reply_format}."
        if sender.settings.teacher.reply_format == "auto":
            reason = "The teacher refuses a probe in every format, and without any format."
    elif error.fatal:
        reason = fatal_reason(error, sender.settings.teacher.model)
        advice = help_for(error.kind)
        if error.kind in {"model", "path"}:
            advice = found or _path_advice(sender, dialect)
    else:
        reason, advice = "The teacher refuses a probe.", help_for(error.kind)
    return f"{reason} {_asked(sender)} {_said(error)} {advice}"


def too_long(sender: ProbeSender, error: StatusError) -> str:
    """The message that even a small request is too long for the model."""
    return (
        f"The model takes no request as long as those that will come. {_asked(sender)} "
        f"{_said(error)} {_usual_limit(sender)} Serve the model with a longer context, choose "
        "another model with BIOINSTRUCT_TEACHER_MODEL, or lower BIOINSTRUCT_TASKS_PER_REQUEST, "
        "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK or BIOINSTRUCT_REASONING_TOKENS."
    )


def limit_too_large(sender: ProbeSender, error: StatusError, asked: int) -> str:
    """The message that the server takes no limit of output as large as that of later requests.

    Args:
        sender: of the probe.
        error: the server's answer.
        asked: the refused limit.
    """
    most = named_maximum(error, asked)
    return (
        f"The server takes no limit of output tokens as large as that of the requests that will "
        f"come. {_asked(sender)} {_said(error)} {_usual_limit(sender)} "
        f"{_fitting(sender, most) if most else 'Lower one or more of these settings'}, or choose "
        "another model with BIOINSTRUCT_TEACHER_MODEL."
    )


def _usual_limit(sender: ProbeSender) -> str:
    """The limit of output tokens of later requests, and the settings that it comes from."""
    teacher, tasks = sender.settings.teacher, sender.settings.generation.tasks_per_request
    return (
        f"Each request will allow {usual_limit(sender.settings):,} output tokens: "
        f"BIOINSTRUCT_TASKS_PER_REQUEST={tasks} times "
        f"BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK={teacher.output_tokens_per_task}, and "
        f"BIOINSTRUCT_REASONING_TOKENS={teacher.reasoning_tokens}."
    )


def _fitting(sender: ProbeSender, most: int) -> str:
    """Which values of the settings make a limit that the server takes."""
    teacher, tasks = sender.settings.teacher, sender.settings.generation.tasks_per_request
    each, reasoning = teacher.output_tokens_per_task, teacher.reasoning_tokens
    start = f"The server takes {most:,} at most, so set"
    if most - reasoning < each:  # not even one task fits beside the reasoning
        each = min(each, -(-most // 2) if reasoning else most)
        reasoning = min(reasoning, most - each)
        return (
            f"{start} BIOINSTRUCT_TASKS_PER_REQUEST=1, BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK={each} "
            f"and BIOINSTRUCT_REASONING_TOKENS={reasoning}"
        )
    fewer = f"{start} BIOINSTRUCT_TASKS_PER_REQUEST={(most - reasoning) // each}"
    if (shorter := (most - reasoning) // tasks) >= _LEAST_TOKENS_PER_TASK:
        return f"{fewer}, or BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK={shorter}"
    return fewer


def only_reasons(sender: ProbeSender, limit: int) -> str:
    """The message that the model spends all output tokens on reasoning."""
    teacher = sender.settings.teacher
    effort = teacher.reasoning_effort
    return (
        f"The model wrote no answer: it spent all {limit:,} output tokens of a probe on reasoning. "
        f"{_asked(sender)} Set BIOINSTRUCT_REASONING_EFFORT to a lower effort, such as `low` or "
        f"`none` (now {f'`{effort}`' if effort else 'not set'}), or give the model more room with "
        f"BIOINSTRUCT_REASONING_TOKENS (now {teacher.reasoning_tokens:,}). Then run again."
    )


def no_text(sender: ProbeSender, body: str | None) -> str:
    """The message that no reply to a probe holds any text."""
    shown = " ".join((body or "").split())[:_SHOWN_BODY]
    start = f" The last reply begins: {sender.endpoint.redacted(shown)!r}." if shown else ""
    return (
        f"The server answers, but no reply to a probe holds any text. {_asked(sender)} Tried: "
        f"{_evidence(sender)}.{start} Check that OPENAI_BASE_URL is the address of the API (for "
        "most servers it ends in /v1), BIOINSTRUCT_API and BIOINSTRUCT_TEACHER_MODEL."
    )


def too_many_forms(sender: ProbeSender) -> str:
    """The message that the server took none of many forms."""
    return (
        f"The server takes no form of a probe. {_asked(sender)} Tried: {_evidence(sender)}. Check "
        "OPENAI_BASE_URL, BIOINSTRUCT_API and BIOINSTRUCT_TEACHER_MODEL."
    )


def _may_concern_form(error: StatusError) -> bool:
    """Whether a refusal may be about the form of the request, by its status and its words."""
    return error.status in _FORM_STATUSES and error.kind not in _FORMLESS_KINDS


def _is_about_account(error: StatusError) -> bool:
    """Whether the words of a refusal say that the account or the key is closed."""
    return bool(_ACCOUNT.search(error.words))


def _asked(sender: ProbeSender) -> str:
    api = sender.settings.teacher.api
    return (
        f"Asked: POST {sender.endpoint.address}{PATHS[api]} (BIOINSTRUCT_API={api}) for the model "
        f"{sender.settings.teacher.model!r}."
    )


def _said(error: StatusError) -> str:
    return sentence(f"The server says: {error.shown}")


def _evidence(sender: ProbeSender) -> str:
    tried = "; ".join(sender.evidence)
    return tried if len(tried) <= _SHOWN_EVIDENCE else f"{tried[:_SHOWN_EVIDENCE]} …"


def _path_advice(sender: ProbeSender, dialect: Dialect) -> str:
    advice = "Set BIOINSTRUCT_TEACHER_MODEL to a model of this server."
    if not _VERSION.search(sender.endpoint.address):
        advice += " Check OPENAI_BASE_URL: for most servers it ends in /v1."
    else:
        advice += " Check OPENAI_BASE_URL, with or without /v1."
    if dialect.api == "responses":
        return advice + " Few servers have the Responses API: try BIOINSTRUCT_API=chat."
    return advice + " Check BIOINSTRUCT_API."


async def _right_address(sender: ProbeSender, dialect: Dialect) -> str | None:
    """What to set, if the API answers at another address or under its other name."""
    for endpoint, api, advice in _other_addresses(sender.endpoint, dialect.api):
        settings = sender.settings.changed(api=api)
        request = probe_request(settings, endpoint, dialect.reply_format, draw=next(sender.draws))
        try:
            async with sender.at(endpoint) as other:
                await other.send(request, replace(dialect, api=api))
        except StatusError as error:
            answers = error.status in _FORM_STATUSES - {500, 501} or error.rate_limited
        except (LostReplyError, UnreachedServerError, TeacherError, BudgetError):
            answers = False
        else:
            answers = True
        sender.evidence.append(f"{endpoint.address}{PATHS[api]}: {'answers' if answers else 'no'}")
        if answers:
            return f"The API answers at {endpoint.address}{PATHS[api]}: {advice}"
    return None


def _other_addresses(endpoint: Endpoint, api: Api) -> Iterator[tuple[Endpoint, Api, str]]:
    """Addresses at which the API may answer, and what to set then."""
    if "?" in (endpoint.base_url or ""):
        return  # of a gateway with paths of its own
    without_version = not _VERSION.search(endpoint.address)
    there = replace(endpoint, base_url=f"{endpoint.address}/v1")
    if without_version:
        yield there, api, f"set OPENAI_BASE_URL={there.address}."
    if api == "responses":
        yield endpoint, "chat", "set BIOINSTRUCT_API=chat."
        if without_version:
            yield there, "chat", f"set OPENAI_BASE_URL={there.address} and BIOINSTRUCT_API=chat."
