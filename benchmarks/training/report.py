"""The report: figures as Markdown tables, which `docs/benchmarks.md` holds between its markers.

For a mode that could not run, the table gives the reason. Belongs here: medians, ratios, wording.
Does not: measuring (measures).
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks.documents import table_head, table_line
from benchmarks.sessions import ratio
from benchmarks.training.measures import Figure
from benchmarks.training.runs import MODES

TITLES = {name: mode.title for name, mode in MODES.items()} | {
    "one_run": "eight experiments in one run",
    "eight_runs": "eight runs",
    "before": "before, with transformers' Trainer: two runs",
    "now": "now: two runs",
}
_LIMIT, _PEER = "bare", "trl_defaults"
_GIB = 1 << 30
_HEADS: Mapping[str, tuple[str, str]] = {
    "made": (
        "Useful tokens per CPU-second: a Llama of 8 layers, hidden size 512",
        (
            "Made rows of the law of lengths of published rows. All modes train the same rows, 16 "
            "to an update, from the same first weights. A useful token is a token of a row, not "
            "padding. The clock begins after the first update. Held-out loss: after the same "
            "updates."
        ),
    ),
    "smollm2": (
        "Useful tokens per CPU-second: SmolLM2-135M",
        "Rows of the shipped recordings; otherwise as above.",
    ),
    "study": (
        "Eight experiments of one base model",
        (
            "The embedded base model; the experiments differ in their seed. Each run is a run of "
            "Dagster that materializes the adapters, from the start of its command to the end."
        ),
    ),
    "demo": (
        "The training part of `make demo`",
        (
            "Two adapters of the embedded base model, from the start of each model process to its "
            "end. The base model is built before."
        ),
    ),
}


def render(figures: Sequence[Figure], where: str) -> str:
    """The report as Markdown."""
    parts = [f"Measured on {where}"]
    for measure, (title, note) in _HEADS.items():
        own = [figure for figure in figures if figure.measure == measure]
        if not own:
            continue
        table = _modes(own) if measure in {"made", "smollm2"} else _processes(own)
        parts.append(f"### {title}\n\n{note}\n\n" + "\n".join(table))
    return "\n\n".join(parts)


def _modes(figures: Sequence[Figure]) -> Iterator[str]:
    heads = (
        "mode",
        "runs",
        "useful tokens/CPU-s",
        "of the limit",
        "against TRL's defaults",
        "useful share",
        "updates",
        "held-out loss",
        "peak memory",
    )
    yield from table_head(heads)
    for mode in dict.fromkeys(figure.mode for figure in figures):
        own = [figure for figure in figures if figure.mode == mode]
        good = [figure.values for figure in own if not figure.error]
        if not good:
            yield table_line(
                [TITLES[mode], f"not measured: {own[0].error}", *[""] * (len(heads) - 2)]
            )
            continue
        speeds = [values["per_cpu_second"] for values in good]
        yield table_line(
            [
                TITLES[mode],
                str(len(good)),
                f"{median(speeds):,.0f} ({min(speeds):,.0f}-{max(speeds):,.0f})",
                _times(ratio(figures, mode, _LIMIT, "per_cpu_second"), ""),
                _times(ratio(figures, mode, _PEER, "per_cpu_second"), " x"),
                f"{median(values['useful'] for values in good):.1%}",
                f"{median(values['updates'] for values in good):.0f}",
                f"{median(values['loss'] for values in good):.3f}",
                f"{max(values['peak_bytes'] for values in good) / _GIB:.2f} GiB",
            ]
        )


def _processes(figures: Sequence[Figure]) -> Iterator[str]:
    yield from table_head(
        ("what", "wall seconds", "CPU-seconds", "peak memory", "CPU against the last")
    )
    last = figures[-1]
    for figure in figures:
        if figure.error:
            title = TITLES.get(figure.mode, figure.mode)
            yield table_line([title, f"not measured: {figure.error}", "", "", ""])
            continue
        values = figure.values
        share = None if last.error else values["cpu"] / last.values["cpu"]
        yield table_line(
            [
                TITLES[figure.mode],
                f"{values['wall']:,.1f}",
                f"{values['cpu']:,.1f}",
                f"{values['peak_bytes'] / _GIB:.2f} GiB",
                _times(share, " x"),
            ]
        )


def _times(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.2f}{unit}"
