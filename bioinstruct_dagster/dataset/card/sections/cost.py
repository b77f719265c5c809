"""What was asked of teachers for the set, when, and what it cost.

Belongs here: this section. Does not: counting replies (card.stored), or who wrote the rows
(sections.origin).
"""

from bioinstruct_dagster.dataset.card.facts import Card, Requests
from bioinstruct_dagster.dataset.card.parts import dollars, section, table
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.figures.values import number_of

_COUNTED = (
    "These are the replies that the raw rows and their present categories come from, and checks "
    "and probes in the store. They include replies whose rows were rejected. Evaluation is not "
    "counted."
)
_PURPOSES = {
    "generation": "new rows",
    "categorization": "categories",
    "quality_check": "checks of rows",
    "probe": "probes of the server",
}


def cost_section(card: Card, origins: RowOrigins) -> str:
    """What was asked of teachers for this set, when, and what it cost; empty if nothing was."""
    requests = card.stored.requests
    if not requests:
        return ""
    lines = [
        (
            _PURPOSES.get(one.purpose, one.purpose),
            one.teacher,
            _days(one),
            one.replies,
            _tokens(one.prompt_tokens),
            _tokens(one.completion_tokens),
            dollars(one.usd),
        )
        for one in requests
    ]
    headings = (
        *("asked for", "answered by", "when (UTC)"),
        *("replies", "prompt tokens", "reply tokens", "cost"),
    )
    told = _told_of_cost(card, origins)
    return section("Requests, tokens and cost", told, table(headings, lines))


def _told_of_cost(card: Card, origins: RowOrigins) -> str:
    stored = card.stored
    told = [_COUNTED]
    rehearsed = sum(one.replies for one in stored.requests if one.rehearsal)
    if rehearsed:
        told.append(
            f"Nobody paid for {number_of(rehearsed, 'reply')} of the rehearsal teacher: "
            "the cost is computed as if a model of its list price had written them."
        )
    unpriced = sum(one.unpriced for one in stored.requests)
    if unpriced:
        told.append(f"The price of {number_of(unpriced, 'reply')} is not known.")
    if stored.unanswered:
        most = f", at most {dollars(stored.unanswered_usd)}" if stored.unanswered_usd else ""
        asked = number_of(stored.unanswered, "request")
        told.append(f"Besides, {asked} got no reply and may have been billed{most}.")
    paid = [one.usd for one in stored.requests if not one.rehearsal and one.usd is not None]
    if paid and origins.generated and not unpriced and not rehearsed:
        each = sum(paid) / origins.generated
        told.append(f"That is {dollars(each)} for each generated row of the set.")
    return " ".join(told)


def _days(one: Requests) -> str:
    first, last = one.first.date().isoformat(), one.last.date().isoformat()
    return first if first == last else f"{first} to {last}"


def _tokens(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"
