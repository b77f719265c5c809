"""The measures of log-likelihoods, and the figures that follow from each run.

Each measure is a generator of `Figure`s. The two tools score the same items with the same weights.
Belongs here: sizes, the order of runs, and comparing values. Does not: the work of a tool (ours,
peers), or the tables (report).
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.environments import PeerInstallError
from benchmarks.evaluation.material import ADAPTERS, SETS, Material, adapters, material
from benchmarks.evaluation.runs import OURS, PEER, Tools
from benchmarks.training.runs import RunError, Session
from bioinstruct_dagster.models.experiments import BaseModelSpec

EQUAL = 1e-4  # the greatest difference of a log-likelihood (nats) that passes for equal
EMBEDDED = BaseModelSpec(source="rehearsal")


@dataclass(frozen=True)
class Figure:
    """The values of one run of one tool in one measure, or the reason for none.

    Attributes:
        measure: its name.
        mode: the tool, or what was run.
        set: the set of items.
        round: from 0.
        values: named numbers.
        error: why there are none.
    """

    measure: str
    mode: str
    set: str = ""
    round: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Sizes:
    """How many items each measure takes.

    Attributes:
        embedded: of each set, for the embedded model.
        real: of each set, for SmolLM2-135M.
        adapters: of each set, for eight adapters.
        rounds: of the embedded model's measure.
    """

    embedded: Mapping[str, int]
    real: Mapping[str, int]
    adapters: Mapping[str, int]
    rounds: int


WHOLE = Sizes(
    embedded=dict.fromkeys(SETS, 500),
    real={"letters": 50, "texts": 50, "pubmedqa": 50},
    adapters={"letters": 200, "texts": 200},
    rounds=2,
)
QUICK = Sizes(
    embedded=dict.fromkeys(SETS, 24),
    real=dict.fromkeys(SETS, 3),
    adapters=dict.fromkeys(("letters", "texts"), 12),
    rounds=1,
)


@dataclass(frozen=True)
class Plan:
    """A session: its folder, measures, sizes, and how many runs at a time.

    Attributes:
        session: starts processes.
        only: names of measures; empty for all.
        sizes: of the measures.
        lanes: how many processes run at a time.
        models: the folder of models, where the embedded one is built once.
        real_base: the folder of SmolLM2-135M.
        items: the folder of real items; None for made ones.
    """

    session: Session
    only: frozenset[str]
    sizes: Sizes
    lanes: int
    models: Path
    real_base: Path
    items: Path | None

    @property
    def tools(self) -> Tools:
        """The two tools."""
        return Tools(self.session)

    def material(self, name: str, spec: BaseModelSpec, counts: Mapping[str, int]) -> Material:
        """The items of a measure."""
        folder = self.session.folder / name
        return material(folder, spec, self.models, self.items, counts)


def embedded(plan: Plan) -> Iterator[Figure]:
    """The embedded base model alone."""
    counts = plan.sizes.embedded
    made = plan.material("embedded", EMBEDDED, counts)
    for number in range(plan.sizes.rounds):
        yield from _side_by_side(plan, "embedded", made, tuple(counts), number)


def smollm2(plan: Plan) -> Iterator[Figure]:
    """SmolLM2-135M alone."""
    if not plan.real_base.is_dir():
        reason = "`make real-base` has not been run, so there is no SmolLM2-135M on this machine"
        yield Figure("smollm2", OURS, error=reason)
        return
    spec = BaseModelSpec(source=str(plan.real_base), dtype="float32")
    counts = plan.sizes.real
    made = plan.material("smollm2", spec, counts)
    yield from _side_by_side(plan, "smollm2", made, tuple(counts), 0)


def eight(plan: Plan) -> Iterator[Figure]:
    """Eight adapters of the embedded base model: in one run of ours, and in eight of the harness.

    The runs are whole: imports, loading and tokenizing count.
    """
    counts = plan.sizes.adapters
    made = plan.material("eight", EMBEDDED, counts)
    folders = adapters(plan.session.folder / "adapters", EMBEDDED, plan.models, ADAPTERS)
    for name in counts:

        def run_ours(name: str = name) -> dict[str, Any]:
            return plan.tools.ours(made, [name], f"eight-{name}-ours", folders)

        def run_harness(one: str, name: str = name) -> dict[str, Any]:
            return plan.tools.harness(made, [name], f"eight-{name}-{one}", folders[one])

        works: list[Callable[[], dict[str, Any]]] = [run_ours]
        works += [partial(run_harness, one) for one in folders]
        found = _run_all(works, plan.lanes)
        if isinstance(found, str):
            yield Figure("eight", OURS, name, error=found)
            continue
        ours, *of_harness = found
        values = {one: run["sets"][name] for one, run in zip(folders, of_harness, strict=True)}
        compared = [
            compare(ours["sets"][name] | {"values": ours["sets"][name]["values"][one]}, theirs)
            for one, theirs in values.items()
        ]
        yield Figure("eight", OURS, name, values=_whole([ours], name) | _worst(compared))
        yield Figure("eight", PEER, name, values=_whole(of_harness, name))


def _side_by_side(
    plan: Plan, measure: str, made: Material, sets: Sequence[str], number: int
) -> Iterator[Figure]:
    """Both tools on all sets, each set in a process of its own."""

    def job(tool: str, name: str) -> Callable[[], dict[str, Any]]:
        place = f"{measure}-{name}-{tool}-{number}"
        run = plan.tools.ours if tool == OURS else plan.tools.harness
        return lambda: run(made, [name], place)

    pairs = [(name, tool) for name in sets for tool in (OURS, PEER)]
    found = _run_all([job(tool, name) for name, tool in pairs], plan.lanes)
    if isinstance(found, str):
        yield Figure(measure, PEER, round=number, error=found)
        return
    runs = dict(zip(pairs, found, strict=True))
    for name in sets:
        of_ours, theirs = (runs[name, tool]["sets"][name] for tool in (OURS, PEER))
        (own,) = of_ours["values"].values()
        more = compare(of_ours | {"values": own}, theirs)
        for tool, one in ((OURS, of_ours), (PEER, theirs)):
            yield Figure(
                measure,
                tool,
                name,
                number,
                {
                    "items": one["items"],
                    "cpu": one["cpu"],
                    "items_per_cpu_second": one["items"] / one["cpu"],
                    "whole_cpu": runs[name, tool]["usage"]["cpu"],
                    "peak_bytes": runs[name, tool]["usage"]["peak"],
                }
                | (more if tool == OURS else {}),
            )


def compare(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, float]:
    """How far the log-likelihoods of the two tools differ.

    Args:
        ours: `values` and `tokens` of each item.
        theirs: the same of the harness.

    Returns:
        `difference`, the greatest one over options whose tokens are the same; `compared`, their
        number; `other_tokens`, the number of options whose tokens are not.
    """
    worst, compared, other = 0.0, 0, 0
    for item_id, values in theirs["values"].items():
        pairs = zip(values, ours["values"][item_id], strict=True)
        tokens = zip(theirs["tokens"][item_id], ours["tokens"][item_id], strict=True)
        for (first, second), (one, two) in zip(pairs, tokens, strict=True):
            if one != two:
                other += 1
                continue
            compared += 1
            difference = abs(first - second)
            worst = max(worst, math.inf if math.isnan(difference) else difference)
    return {"difference": worst, "compared": compared, "other_tokens": other}


def _worst(compared: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {
        "difference": max(one["difference"] for one in compared),
        "compared": sum(one["compared"] for one in compared),
        "other_tokens": sum(one["other_tokens"] for one in compared),
    }


def _whole(runs: Sequence[Mapping[str, Any]], name: str) -> dict[str, float]:
    """The usage of whole processes."""
    return {
        "items": runs[0]["sets"][name]["items"],
        "whole_cpu": sum(run["usage"]["cpu"] for run in runs),
        "wall": sum(run["usage"]["wall"] for run in runs),
        "peak_bytes": max(run["usage"]["peak"] for run in runs),
        "start_cpu": sum(run["imports"] + run["load"] for run in runs),
    }


def _run_all(
    works: Sequence[Callable[[], dict[str, Any]]], lanes: int
) -> list[dict[str, Any]] | str:
    """What all runs gave, or why one of them failed."""
    try:
        with ThreadPoolExecutor(lanes) as pool:
            return list(pool.map(lambda work: work(), works))
    except (RunError, PeerInstallError) as error:
        return str(error)


Measure = Callable[[Plan], Iterator[Figure]]
MEASURES: dict[str, Measure] = {"embedded": embedded, "smollm2": smollm2, "eight": eight}
