"""What the replies behind the present rows cost, for the page of `raw_instructions`.

Belongs here: figures that the store bears out, and words in place of those that nobody knows. Does
not: caps and prices (teacher.money), or the costs of single rows (the view `lineage`).
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.figures.values import dollars
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.prices import REHEARSAL_DOLLARS

# What the replies behind the present rows took. A replayed reply is billed by nobody.
SPEND_OF_THE_SET = """
    select
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        count(*) filter (where not rehearsal) as billed,
        count(*) filter (where not rehearsal and usd is null) as unpriced,
        sum(usd) filter (where not rehearsal) as usd,
        sum(usd) filter (where rehearsal) as usd_rehearsed
    from completions
    join completion_outcomes using (completion_id)
"""
SPEND_OF_THE_PROJECT = """
    select
        coalesce(sum(requests) filter (where not rehearsal), 0)::bigint as billed,
        coalesce(sum(unpriced) filter (where not rehearsal), 0)::bigint as unpriced,
        sum(usd) filter (where not rehearsal) as usd,
        sum(usd) filter (where rehearsal) as usd_rehearsed,
        coalesce(sum(tokens), 0)::bigint as tokens
    from spend
"""
COST, COST_A_ROW = "cost ($)", "cost of a kept row ($)"  # keys of metadata
NOTHING_BILLED = "none: only the rehearsal teacher replied, which bills nothing"
NO_PRICE = "unknown: no price for this model"


def spend_metadata(store: Store, kept: int) -> dict[str, Any]:
    """What the replies took. A cost that nobody knows, or that was not billed, is no number.

    Args:
        store: with the replies behind the present rows.
        kept: the number of rows that the gates keep.

    Returns:
        Tokens, and US dollars or why their number is not known.
    """
    of_set, of_project = store.rows(SPEND_OF_THE_SET)[0], store.rows(SPEND_OF_THE_PROJECT)[0]
    usd = _dollars(of_set)
    rehearsed = of_set["usd_rehearsed"]
    return {
        COST: round(usd, 4) if isinstance(usd, float) else usd,
        COST_A_ROW: round(usd / max(kept, 1), 6) if isinstance(usd, float) else usd,
        # The price list may give a rehearsal a price, so that caps can be tried. As text: a curve
        # of it would be taken for money that was spent.
        **({"price of the rehearsal": dollars(rehearsed)} if rehearsed else {}),
        "prompt tokens": of_set["prompt_tokens"],
        "reply tokens": of_set["completion_tokens"],
        "cost of the project so far ($)": (
            round(whole, 4) if isinstance(whole := _dollars(of_project), float) else whole
        ),
        "tokens of the project so far": of_project["tokens"],
    }


def cost_in_words(spent: Mapping[str, Any]) -> str:
    """A sentence on the cost, for a summary.

    Args:
        spent: from `spend_metadata`.
    """
    usd, of_a_row = spent[COST], spent[COST_A_ROW]
    if isinstance(usd, float):
        return f"Cost: {dollars(usd)}, {dollars(of_a_row)} a kept row."
    if usd.startswith(NOTHING_BILLED):
        return "Cost: none, a rehearsal."
    return "Cost: unknown."


def _dollars(spend: Mapping[str, Any]) -> float | str:
    """The cost in dollars, or why there is no such number."""
    if not spend["billed"]:
        rehearsed = spend["usd_rehearsed"]
        return NOTHING_BILLED + (f"; ${rehearsed:,.4f} in {REHEARSAL_DOLLARS}" if rehearsed else "")
    if spend["unpriced"] == spend["billed"]:
        return NO_PRICE
    if spend["unpriced"]:
        return (
            f"unknown: {spend['usd']:.4f}, and {spend['unpriced']:,} of {spend['billed']:,} "
            "requests have no price"
        )
    return float(spend["usd"])
