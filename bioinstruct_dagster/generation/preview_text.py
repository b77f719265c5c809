"""The words in which a preview is shown in a terminal.

Belongs here: prompts, estimates and checked replies as lines. Does not: how they are made
(generation.preview).
"""

from collections.abc import Iterator, Sequence

from bioinstruct_dagster.generation.preview import Preview
from bioinstruct_dagster.generation.preview_replies import JudgedReply, JudgedRow
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.feeds import Tally

_LINE = "-" * 78
_PRIVACY = "privacy"  # the gate whose rejections are not shown with their texts


def preview_lines(shown: Preview, settings: Settings) -> Iterator[str]:
    """The prompts, and below them what they will probably cost.

    Args:
        shown: the preview.
        settings: name the caps.
    """
    for number, one in enumerate(shown.prompts, 1):
        request = one.request
        price = "no known price" if one.usd is None else f"about ${one.usd:,.4f}"
        yield _LINE
        yield (
            f"Prompt {number} of {len(shown.prompts)}: request {request.request_number}, about "
            f"{one.prompt_tokens:,} tokens in and {one.completion_tokens:,} out, {price}; shows "
            f"the seeds {', '.join(request.seed_ids)}"
        )
        for message in request.messages:
            yield ""
            yield f"[{message['role']}]"
            yield message["content"]
    yield _LINE
    if shown.assumed_format:
        yield (
            "The server has not been asked yet, so the form of the replies is assumed to be "
            "json_schema. The first run finds out what the server supports, and another form "
            "changes the last sentences of the prompts."
        )
    yield f"These {len(shown.prompts)} requests. {shown.of_prompts}."
    yield (
        f"The next run: goal {shown.goal:,} rows; the gates keep {shown.kept:,} of the rows in "
        "stored replies."
    )
    yield (
        f"  {shown.of_run}."
        if shown.of_run
        else "  It sends no request. The prompts above are those of a higher goal."
    )
    yield _caps(settings)


def _caps(settings: Settings) -> str:
    """The caps that hold, in a sentence."""
    caps = {
        "BIOINSTRUCT_MAX_USD": settings.caps.max_usd,
        "BIOINSTRUCT_MAX_TOKENS": settings.caps.max_tokens,
        "BIOINSTRUCT_RUN_MAX_USD": settings.caps.run_max_usd,
        "BIOINSTRUCT_RUN_MAX_TOKENS": settings.caps.run_max_tokens,
    }
    named = [f"{name}={value:,g}" for name, value in caps.items() if value is not None]
    none = "No cap is set. Set BIOINSTRUCT_RUN_MAX_USD to limit what a run may spend."
    return f"Caps that hold: {', '.join(named)}." if named else none


def reply_lines(replies: Sequence[JudgedReply], tally: Tally, *, pretended: bool) -> Iterator[str]:
    """The replies with the gates' decisions, and what they cost.

    Args:
        replies: in the order of their arrival.
        tally: of the round that asked for them.
        pretended: whether the dollars are a rehearsal's, which nobody bills.
    """
    rows = [row for reply in replies for row in reply.rows]
    kept = sum(row.rejection is None for row in rows)
    for number, reply in enumerate(replies, 1):
        yield _LINE
        yield (
            f"Reply {number} of {len(replies)}: to request {reply.request.request_number}, "
            f"completion {reply.completion['completion_id'][:12]}; read as {reply.outcome}"
        )
        for row in reply.rows:
            yield from _row(row)
    yield _LINE
    if tally.pending:
        yield (
            f"{tally.pending} requests are in batches that have not ended, so nothing was sent. "
            "Wait until the batches end."
        )
    cost = "at an unknown price" if tally.usd is None else f"for ${tally.usd:,.4f}"
    cost += " that a rehearsal only pretends" * pretended
    yield (
        f"{tally.asked} replies received {cost} ({tally.tokens:,} tokens): the gates keep {kept} "
        f"of {len(rows)} rows. The replies are stored, and the next run reuses them."
    )
    if tally.stopped:
        yield f"Stopped: {tally.stopped}"
    yield from (f"A request failed: {error}" for error in tally.errors)


def _row(judged: JudgedRow) -> Iterator[str]:
    rejection, row = judged.rejection, judged.row
    yield ""
    if rejection is None:
        yield "KEPT"
    else:
        gate, reason = rejection
        yield f"REJECTED by the gate {gate}: {reason}"
    if rejection and rejection[0] == _PRIVACY:
        yield "  Its texts are not shown, because they may identify a person."
        return
    for field in ("instruction", "input", "output"):
        text = " ".join(row[field].split())
        yield f"  {field}: {text or '(empty)'}"
