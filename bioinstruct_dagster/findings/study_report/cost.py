"""The section on cost: what teachers billed, and how long machines trained.

Belongs here: this section. Does not: the adapters one by one (study_report.training).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.parts import dollars
from bioinstruct_dagster.findings.study_report.blocks import (
    Block,
    NumberSource,
    ReportNote,
    ReportSection,
    ReportTable,
    ReportText,
)
from bioinstruct_dagster.findings.study_report.sources import ReportSources

SPEND = """
    select kind, purpose, rehearsal, sum(requests)::bigint as requests,
        sum(tokens)::bigint as tokens, sum(usd) as usd, sum(unpriced)::bigint as unpriced
    from spend
    group by all
    order by rehearsal, kind desc, purpose
"""
MACHINES = """
    select base_model, device, count(*) as adapters, sum(train_tokens)::bigint as tokens,
        sum(train_seconds) / 3600 as hours
    from lora_adapter
    group by all
    order by base_model, device
"""
ITEMS = """
    select count(*) as results, count(distinct subject) as subjects from eval_items
"""
_PURPOSES = {
    "generation": "new rows",
    "categorization": "categories",
    "quality_check": "checks of rows",
    "judging": "the judge of evaluation",
    "probe": "probes of the server",
    None: "requests without a reply",
}


def cost_section(sources: ReportSources) -> ReportSection:
    """What the study cost."""
    return ReportSection("cost", "Cost", list(_blocks(sources)))


def _blocks(sources: ReportSources) -> Iterator[Block]:
    yield from _teachers(sources.store.rows(SPEND))
    machines = sources.store.rows(MACHINES)
    if not machines:
        yield ReportNote("No training time: no adapter is trained.", "missing")
        return
    yield ReportTable(
        "Training time, without loading models.",
        ["base model", "device", "adapters", "tokens", "hours"],
        [
            [
                row["base_model"],
                row["device"],
                f"{row['adapters']:,}",
                f"{row['tokens']:,}",
                f"{row['hours']:,.2f}",
            ]
            for row in machines
        ],
        NumberSource.of(MACHINES),
        "Only adapters that are in the store now count. Adapters that were trained again are not "
        "counted twice.",
    )
    [items] = sources.store.rows(ITEMS)
    yield ReportTable(
        "Evaluation: stored results of single items.",
        ["models asked", "results"],
        [[f"{items['subjects']:,}", f"{items['results']:,}"]],
        NumberSource.of(ITEMS),
        "The store does not hold how long evaluation took.",
    )


def _teachers(spend: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    if not spend:
        yield ReportText("No teacher was asked, so nothing was billed.")
        return
    paid = [row for row in spend if not row["rehearsal"]]
    if paid:
        known = sum(row["usd"] or 0 for row in paid if row["kind"] == "settled")
        unpriced = sum(row["unpriced"] for row in paid)
        more = f" The price of {unpriced:,} requests is not known." if unpriced else ""
        yield ReportText(f"Teachers billed {dollars(known)} for replies.{more}")
    else:
        yield ReportText(
            "Nothing was paid: only the rehearsal teacher answered, which bills nobody. The costs "
            "below are what a model would have billed at its list price."
        )
    yield ReportTable(
        "Requests to teachers, tokens (prompt and reply) and cost in US dollars.",
        ["asked for", "state", "billed", "requests", "tokens", "cost", "without a price"],
        [
            [
                _PURPOSES.get(row["purpose"], row["purpose"]),
                row["kind"],
                "no: rehearsal" if row["rehearsal"] else "yes",
                f"{row['requests']:,}",
                f"{row['tokens']:,}",
                dollars(row["usd"]),
                f"{row['unpriced']:,}",
            ]
            for row in spend
        ],
        NumberSource.of(SPEND),
        "“Settled”: answered. “Presumed”: sent and never answered, at the most that it can cost.",
    )
