"""The report: figures as Markdown tables, which `docs/benchmarks.md` holds between its markers.

For a client that could not run, the table gives the reason. Belongs here: medians, ratios, wording.
Does not: measuring (measures).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.curation.clients import CLIENTS
from benchmarks.curation.measures import Figure
from benchmarks.curation.rows import LEAK_KINDS
from benchmarks.curation.runs import OURS
from benchmarks.documents import table_head, table_line
from bioinstruct_dagster.store.gate_order import GATE_ORDER


@dataclass(frozen=True)
class Column:
    """One column of a table. `across` names the statistic over the runs."""

    title: str
    key: str
    form: str = "{:,.0f}"
    across: str = "median"  # or "worst", "least"
    times: float = 1.0
    against_ours: bool = False  # whether the ratio to our client is of this column


@dataclass(frozen=True)
class Table:
    """The layout of one measure's table."""

    title: str
    note: str
    columns: Sequence[Column]
    case: str  # what the rows' cases are


_SECONDS = Column("seconds", "seconds", "{:,.2f}", against_ours=True)
_CPU = Column("CPU seconds", "cpu", "{:,.2f}")
_GIB = Column("GiB at most", "gib", "{:.2f}", across="worst")
_SAME = Column("as the exact answer", "same", "{:.0%}", across="least")
_NOVELTY = (
    _SECONDS,
    _CPU,
    _GIB,
    Column("removed", "removed", "{:.1%}"),
    Column("found of what the rule removes", "recall", "{:.1%}"),
    Column("wrongly removed", "wrong", "{:.1%}"),
)
TABLES: dict[str, Table] = {
    "novelty": Table(
        "Novelty, 25,000 rows",
        "From the texts to a verdict for each row, in the order of the rows. Ours and rapidfuzz "
        "are exact: they follow Self-Instruct's rule, ROUGE-L F1 above 0.7 with an earlier kept "
        "row. Wrongly removed: the share of the rows that a client removes and the rule keeps.",
        _NOVELTY,
        "rows",
    ),
    "loops": Table(
        "The loops that the rule comes from",
        "The loops are timed at two sizes. The two times give a cost per candidate (each starts a "
        "pool of processes) and a cost per pair. From these the time at the named size is "
        "computed.",
        (
            Column("s at the first", "early", "{:,.1f}"),
            Column("s at the second", "late", "{:,.1f}"),
            _SAME,
            Column("ms per candidate", "per_candidate", "{:,.1f}", times=1e3),
            Column("µs per pair", "per_pair", "{:,.1f}", times=1e6),
            Column("million pairs", "pairs", "{:,.0f}", times=1e-6),
            Column("extrapolated, s", "seconds", "{:,.0f}", against_ours=True),
        ),
        "rows",
    ),
    "scale": Table(
        "Novelty, larger sets",
        "As above. The share of rows that ours removes is the share of duplicates.",
        _NOVELTY,
        "rows",
    ),
    "growth": Table(
        "How the cost grows",
        "The exponent e of rows^e between the two sizes. A comparison of all pairs has e = 2.",
        (
            Column("of the seconds", "seconds", "{:.2f}"),
            Column("of the CPU seconds", "cpu", "{:.2f}"),
        ),
        "rows",
    ),
    "real": Table(
        "Novelty, real texts",
        "Published instructions and the questions of evaluation sets, if they are at hand. Most "
        "passed a similar filter before they were published.",
        _NOVELTY,
        "rows",
    ),
    "incremental": Table(
        "New rows against those that a store holds",
        "The client opens the store, reads the index, checks the new rows, and writes kept rows "
        "and verdicts. The exact answer is that of checking all rows from the start.",
        (_SECONDS, _CPU, _GIB, Column("new rows removed", "removed"), _SAME),
        "rows",
    ),
    "contamination": Table(
        "Contamination, rows x evaluation items",
        "From rows and items to the removed rows, including the index over the items. One row in a "
        "hundred holds an item's question. The columns show the share of them that is found, by "
        "the way in which they were planted. The n-gram tools look for 12 or 13 tokens in a row, "
        "so they find no shorter question.",
        (
            _SECONDS,
            _CPU,
            _GIB,
            *(Column(kind, kind, "{:.0%}") for kind in LEAK_KINDS),
            Column("other rows removed", "others"),
        ),
        "size",
    ),
    "gates": Table(
        "All five gates",
        "From raw rows in a new store to its verdicts, kept rows and categories, as the assets do "
        "it, with evaluation items and without a teacher. The parts are CPU seconds, each with its "
        "writes.",
        (
            _SECONDS,
            _CPU,
            _GIB,
            *(Column(gate, gate, "{:.2f}") for gate in GATE_ORDER),
            Column("raw rows", "rows"),
            Column("kept", "kept"),
        ),
        "case",
    ),
    "sharded": Table(
        "The join on Ray",
        "The local cluster is already running. The time to start the actors counts.",
        (_SECONDS, _SAME),
        "workers",
    ),
    "cold": Table(
        "The first call in a process",
        "100 rows, from the import on. All other figures are taken after such a call. Kernels are "
        "compiled once per machine and kept beside the code.",
        (_SECONDS, _CPU),
        "cache",
    ),
}


def render(figures: Sequence[Figure], where: str) -> str:
    """The text of all tables."""
    parts = [f"Measured on {where}\n\nMedians; in brackets the smallest and the largest."]
    ours = [figure for figure in figures if figure.client == OURS and not figure.error]
    for name, table in TABLES.items():
        of_measure = [figure for figure in figures if figure.measure == name]
        if of_measure:
            # The loops are timed apart, and stand beside our figures of the same rows.
            beside = [f for f in ours if f.measure == ("novelty" if name == "loops" else name)]
            parts.append(_rendered(table, of_measure, beside))
    return "\n\n".join(parts)


def _rendered(table: Table, figures: Sequence[Figure], ours: Sequence[Figure]) -> str:
    ratio = next((column for column in table.columns if column.against_ours), None)
    if {figure.client for figure in figures} == {OURS}:
        ratio = None
    heads = ["client", table.case, "runs", *(column.title for column in table.columns)]
    heads += [f"against ours ({ratio.key})"] if ratio else []
    lines = table_head(heads)
    for case in dict.fromkeys(figure.case for figure in figures):
        of_case = [figure for figure in figures if figure.case == case]
        mine = [figure.values for figure in ours if figure.case == case]
        names = list(dict.fromkeys(figure.client for figure in of_case))
        names.sort(key=list(CLIENTS).index)
        for name in names:
            of_client = [figure for figure in of_case if figure.client == name]
            values = [figure.values for figure in of_client if not figure.error]
            if values:
                cells = [CLIENTS[name].title, case, str(len(values))]
                cells += [_cell(column, values) for column in table.columns]
                if ratio:
                    cells.append(_ratio(ratio, values, mine) if name != OURS else "")
                lines.append(table_line(cells))
            lines += [
                table_line([CLIENTS[name].title, case, "failed", error] + [""] * (len(heads) - 4))
                for error in dict.fromkeys(figure.error for figure in of_client if figure.error)
            ]
    return f"### {table.title}\n\n{table.note}\n\n" + "\n".join(lines)


_ACROSS: dict[str, Callable[[Sequence[float]], float]] = {
    "median": median,
    "worst": max,
    "least": min,
}


def _numbers(column: Column, values: Sequence[Mapping[str, float]]) -> list[float]:
    return [value[column.key] * column.times for value in values if column.key in value]


def _cell(column: Column, values: Sequence[Mapping[str, float]]) -> str:
    numbers = _numbers(column, values)
    if not numbers:
        return "-"
    shown = column.form.format(_ACROSS[column.across](numbers))
    least, most = column.form.format(min(numbers)), column.form.format(max(numbers))
    if column.across != "median" or least == most:
        return shown
    return f"{shown} ({least}-{most})"


def _ratio(
    column: Column, values: Sequence[Mapping[str, float]], ours: Sequence[Mapping[str, float]]
) -> str:
    theirs, mine = _numbers(column, values), _numbers(column, ours)
    if not theirs or not mine:
        return "-"
    ratio = median(theirs) / median(mine)
    return f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.2f}x"  # noqa: PLR2004
