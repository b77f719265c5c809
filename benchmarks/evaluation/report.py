"""The report: figures as Markdown tables, which `docs/benchmarks.md` holds between its markers.

Belongs here: medians, ratios, wording. Does not: measuring (measures).
"""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.documents import table_head, table_line
from benchmarks.evaluation.measures import EQUAL, Figure
from benchmarks.evaluation.runs import BATCH, OURS, PEER, TITLES
from benchmarks.sessions import ratio

_SETS = {
    "letters": "MedMCQA, letters",
    "texts": "MedMCQA, full texts",
    "pubmedqa": "PubMedQA, yes, no or maybe",
}
_GIB = 1 << 30
_HEADS = {
    "embedded": (
        "Log-likelihoods of options: the embedded base model",
        (
            "Both tools score the same items in the same prompt, in float32. CPU-seconds begin "
            "after loading; reading the items and tokenizing them count. The harness computes "
            f"{BATCH} rows at a time."
        ),
    ),
    "smollm2": (
        "Log-likelihoods of options: SmolLM2-135M",
        "Weights in float32, in the chat template of the model; otherwise as above.",
    ),
    "eight": (
        "Eight adapters",
        (
            "The embedded base model. One run of ours scores all eight adapters; the harness needs "
            "a run for each. CPU-seconds are those of whole processes: imports, loading, the proof "
            "of our adapters, tokenizing."
        ),
    ),
}


def render(figures: Sequence[Figure], where: str) -> str:
    """The report as Markdown."""
    parts = [f"Measured on {where}"]
    for measure, (title, note) in _HEADS.items():
        own = [figure for figure in figures if figure.measure == measure]
        if own:
            table = _whole(own) if measure == "eight" else _alone(own)
            parts.append(f"### {title}\n\n{note}\n\n" + "\n".join(table))
    return "\n\n".join(parts)


def against_harness(figures: Sequence[Figure], name: str, key: str) -> float | None:
    """The median over rounds of the harness's value over ours, of a set."""
    return ratio([one for one in figures if one.set == name], PEER, OURS, key)


def _alone(figures: Sequence[Figure]) -> Iterator[str]:
    yield from table_head(
        (
            "items",
            "tool",
            "runs",
            "items/CPU-s",
            "against the harness",
            "whole process, CPU-s",
            "peak memory",
            "greatest difference (nats)",
        )
    )
    yield from _errors(figures, 8)
    for name, title in _SETS.items():
        for tool in (OURS, PEER):
            own = [
                one.values
                for one in figures
                if one.set == name and one.mode == tool and not one.error
            ]
            if not own:
                continue
            speeds = [values["items_per_cpu_second"] for values in own]
            times = against_harness(figures, name, "cpu") if tool == OURS else None
            yield table_line(
                [
                    f"{title}, {own[0]['items']:,}",
                    TITLES[tool],
                    str(len(own)),
                    f"{median(speeds):,.1f} ({min(speeds):,.1f}-{max(speeds):,.1f})",
                    "-" if times is None else f"{times:.2f} x",
                    f"{median(values['whole_cpu'] for values in own):,.1f}",
                    f"{max(values['peak_bytes'] for values in own) / _GIB:.2f} GiB",
                    _difference(own) if tool == OURS else "",
                ]
            )


def _whole(figures: Sequence[Figure]) -> Iterator[str]:
    yield from table_head(
        (
            "items",
            "tool",
            "processes, CPU-s",
            "of which imports and loading",
            "against the harness",
            "greatest difference (nats)",
        )
    )
    yield from _errors(figures, 6)
    for figure in figures:
        if figure.error:
            continue
        values = figure.values
        times = against_harness(figures, figure.set, "whole_cpu") if figure.mode == OURS else None
        yield table_line(
            [
                f"{_SETS[figure.set]}, {values['items']:,}",
                f"{TITLES[figure.mode]}, {'one run' if figure.mode == OURS else 'eight runs'}",
                f"{values['whole_cpu']:,.1f}",
                f"{values['start_cpu']:,.1f}",
                "-" if times is None else f"{times:.2f} x",
                _difference([values]) if figure.mode == OURS else "",
            ]
        )


def _errors(figures: Sequence[Figure], columns: int) -> Iterator[str]:
    for figure in figures:
        if figure.error:
            title = _SETS.get(figure.set, "all")
            cells = [title, TITLES[figure.mode], f"not measured: {figure.error}"]
            yield table_line([*cells, *[""] * (columns - len(cells))])


def _difference(values: Sequence[dict[str, float]] | Sequence[object]) -> str:
    """The greatest difference over runs, how many options it is of, and whether it is equality."""
    worst = max(one["difference"] for one in values)  # type: ignore[index]
    first = values[0]
    compared, other = int(first["compared"]), int(first["other_tokens"])  # type: ignore[index]
    verdict = "equal" if worst <= EQUAL else "NOT EQUAL"
    left_out = f"; {other:,} options are tokenised otherwise" if other else ""
    return f"{worst:.1e} of {compared:,} options: {verdict}{left_out}"
