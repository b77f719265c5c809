"""The report: figures as Markdown tables, which `docs/benchmarks.md` holds between its markers.

For a client that could not run, the table gives the reason. Belongs here: medians, ratios, wording.
Does not: measuring (measures).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.documents import table_head, table_line
from benchmarks.generation.clients import OURS, TITLES
from benchmarks.generation.measures import Figure


@dataclass(frozen=True)
class Column:
    """One column of a table. `across` names the statistic over the runs."""

    title: str
    key: str
    form: str = "{:,.0f}"
    across: str = "median"  # or "sum", "worst"
    better: str | None = None  # "more" or "less" if the ratio to our client is of this column


@dataclass(frozen=True)
class Table:
    """The layout of one measure's table."""

    title: str
    note: str
    columns: Sequence[Column]


_LOST = Column("rows lost", "lost", across="worst")
_LIMIT_COLUMNS = (
    Column("share of the limit", "share_of_limit", "{:.1%}", better="more"),
    Column("ideal time / time", "ideal_over_wall", "{:.1%}"),
    Column("seconds", "wall", "{:.1f}"),
    Column("429s", "refused"),
    _LOST,
)
TABLES: dict[str, Table] = {
    "throughput": Table(
        "Durable replies per second",
        "2,000 requests of 2.4 kB, answers of 0.9 kB, 50 ms of latency. Each client runs at its "
        "best concurrency with its cache or checkpoints on. The clock runs from the call to its "
        "return. CPU is that of the client and its children. The last column is the server's own "
        "CPU, which is not the limit.",
        (
            Column("replies/s", "replies_per_second", better="more"),
            Column("CPU µs per reply", "cpu_us_per_reply"),
            _LOST,
            Column("server µs per request", "server_us_per_request"),
        ),
    ),
    "request_limit": Table(
        "Under 6,000 requests a minute",
        "1,500 requests, 50 ms of latency. The server also applies the limit over one second, and "
        "refuses at once with OpenAI's body and headers. Share of the limit, by the server's "
        "ledger: admitted / (burst + rate x (last - first admission)). Ideal time: requests / rate "
        "+ latency.",
        _LIMIT_COLUMNS,
    ),
    "token_limit": Table(
        "Under 4.32 million tokens a minute",
        "3,000 requests of 600 + 120 tokens, 2 s of latency. Otherwise as above.",
        _LIMIT_COLUMNS,
    ),
    "kills": Table(
        "SIGKILL at a random moment, then a rerun",
        "2,000 requests, 100 at once, 0.25 to 0.75 s of latency. Billed again: more than once per "
        "request, by the server's ledger. In flight: requests that were sent and whose reply was "
        "not yet on disk (ours: by its list of sent requests; others: as many as they keep in "
        "flight). The figures are sums over all kills; the ratio is per kill.",
        (
            Column("billed again", "billed_again", across="sum", better="less"),
            Column("in flight at the kill", "in_flight_at_kill", across="sum"),
            Column("most beyond those in flight", "more_than_in_flight", across="worst"),
            Column("billed by the kill", "billed_at_kill", across="sum"),
            Column("most again in one kill", "billed_again", across="worst"),
            _LOST,
        ),
    ),
    "growth": Table(
        "A target that grows by one row",
        "200 rows are finished, then 201 are asked for. A lost row is the new one: the client took "
        "the finished run for the result and sent no request.",
        (Column("billed again", "billed_again", across="worst"), _LOST),
    ),
    "cap": Table(
        "A cap in dollars",
        "4,000 requests at concurrency 500, with a cap between 20 and 80 % of their price. In "
        "every second run, the server breaks off 5 % of the answers after billing and refuses "
        "10 % with HTTP 500. The figures come from the server's ledger; a negative one is below "
        "the cap. No peer has a cap.",
        (
            Column("billed - cap, $", "over_cap_usd", "{:+.6f}", across="worst"),
            Column("share of the cap spent", "share_of_cap", "{:.1%}"),
            Column("most in flight", "most_in_flight"),
            Column("answers broken off", "broken_off"),
        ),
    ),
}


def render(figures: Sequence[Figure], where: str) -> str:
    """The text of all tables."""
    parts = [f"Measured on {where}\n\nMedians; in brackets the smallest and the largest."]
    for name, table in TABLES.items():
        of_measure = [figure for figure in figures if figure.measure == name]
        if of_measure:
            parts.append(_rendered(table, of_measure))
    return "\n\n".join(parts)


def _rendered(table: Table, figures: Sequence[Figure]) -> str:
    better = next((column for column in table.columns if column.better), None)
    names = list(dict.fromkeys(figure.client for figure in figures))
    names.sort(key=list(TITLES).index)
    ratio = better is not None and OURS in names and len(names) > 1
    heads = ["client", "runs", *(column.title for column in table.columns)]
    heads += [f"against ours ({better.title})"] if ratio and better else []
    lines = table_head(heads)
    ours = [figure.values for figure in figures if figure.client == OURS and not figure.error]
    for name in names:
        of_client = [figure for figure in figures if figure.client == name]
        values = [figure.values for figure in of_client if not figure.error]
        cells = [TITLES[name], str(len(values))]
        cells += [_cell(column, values) for column in table.columns]
        if ratio and better:
            cells.append(_ratio(better, values, ours) if name != OURS else "")
        lines.append(table_line(cells))
        lines += [
            table_line([TITLES[name], "failed", figure.error or ""] + [""] * (len(heads) - 3))
            for figure in of_client
            if figure.error
        ]
    return f"### {table.title}\n\n{table.note}\n\n" + "\n".join(lines)


_ACROSS: dict[str, Callable[[Iterable[float]], float]] = {
    "median": lambda numbers: median(list(numbers)),
    "sum": sum,
    "worst": max,
}


def _cell(column: Column, values: Sequence[Mapping[str, float]]) -> str:
    numbers = [value[column.key] for value in values]
    if not numbers:
        return "-"
    shown = column.form.format(_ACROSS[column.across](numbers))
    if column.across != "median" or len(numbers) == 1:
        return shown
    return f"{shown} ({column.form.format(min(numbers))}-{column.form.format(max(numbers))})"


def _ratio(
    column: Column, values: Sequence[Mapping[str, float]], ours: Sequence[Mapping[str, float]]
) -> str:
    if not values or not ours:
        return "-"
    across: Callable[[Iterable[float]], float] = (
        _ACROSS["median"]
        if column.across == "median"
        else lambda numbers: sum(items := list(numbers)) / len(items)  # runs differ in number
    )
    theirs, mine = (across(value[column.key] for value in runs) for runs in (values, ours))
    if not mine:
        return f"{theirs:,.0f} : 0"
    return f"{theirs / mine:.2f}x"
