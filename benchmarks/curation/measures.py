"""The measures of curation, and the figures that follow from each run.

Each measure is a generator of `Figure`s, one per run. The clients of a measure take turns, so that
a slow minute of the machine affects all of them. Belongs here: sizes and arithmetic. Does not: the
work of a client (ours, peers), or the tables (report).
"""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.curation.clients import CLIENTS
from benchmarks.curation.material import texts_at
from benchmarks.curation.rows import LEAK_KINDS
from benchmarks.curation.runs import BESIDE, OURS, RunError, Task, run
from benchmarks.environments import PeerInstallError

MINHASH = ("datasketch_words", "datasketch_shingles", "rensa")
LOOPS = ("self_instruct", "alpaca")


@dataclass(frozen=True)
class Figure:
    """The values of one run of one client in one case of a measure, or the reason for none."""

    measure: str
    case: str
    client: str
    run: int
    values: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Sizes:
    """The sizes of a session. The quick session only shows that everything works."""

    texts: int = 25_000
    loops: tuple[int, int] = (2_000, 5_000)  # timed at these sizes and extrapolated to `texts`
    scale: tuple[int, int] = (250_000, 1_000_000)
    kept: int = 1_000_000
    new: int = 1_000
    rows: int = 25_000
    items: int = 10_000


QUICK = Sizes(2_000, (100, 250), (5_000, 20_000), 10_000, 200, 1_000, 500)


@dataclass(frozen=True)
class Plan:
    """A session: its folder, clients, measures, number of runs, and sizes."""

    folder: Path
    only: frozenset[str]  # names of clients and measures; empty: all
    runs: int
    sizes: Sizes
    beside: Path | None = None  # the project's folder at another commit

    def wants(self, name: str, among: Sequence[str]) -> bool:
        """Whether `--only` selects this name, or names none of its kind."""
        chosen = self.only & frozenset(among)
        return not chosen or name in chosen

    @property
    def material(self) -> Path:
        """The folder of the texts."""
        return self.folder / "material"

    def make(self, *wanted: str | int) -> None:
        """Write material into that folder."""
        self.material.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "benchmarks.curation.material", str(self.material)]
        subprocess.run([*command, *map(str, wanted)], check=True)

    def texts(self, size: int) -> Path:
        """The file with this many instructions, which is made if it is missing."""
        path = texts_at(self.material, size)
        if not path.exists():
            self.make("--texts", size)
        return path

    def real(self, name: str) -> Path | None:
        """The file of real texts, or None if there are none."""
        path = self.material / f"real_{name}.jsonl"
        if not self.material.exists():
            self.make()
        return path if path.exists() else None

    def place(self, *parts: str | int) -> Path:
        """The folder of one run."""
        return self.folder.joinpath(*map(str, parts))


Body = Callable[[str, int], Mapping[str, float]]


def _in_turns(
    plan: Plan, measure: str, case: str, runs: Mapping[str, int], body: Body
) -> Iterator[Figure]:
    """The figures of `body` for all clients, run by run. A client that can't run gives a reason."""
    wanted = [name for name in runs if plan.wants(name, tuple(CLIENTS))]
    for number in range(max((runs[name] for name in wanted), default=0)):
        for name in wanted[number % len(wanted) :] + wanted[: number % len(wanted)]:
            if number >= runs[name]:
                continue
            try:
                yield Figure(measure, case, name, number, body(name, number))
            except (RunError, PeerInstallError) as error:
                yield Figure(measure, case, name, number, error=str(error))


def _usage(given: Mapping[str, Any]) -> dict[str, float]:
    return {"seconds": given["wall"], "cpu": given["cpu"], "gib": given["peak_bytes"] / (1 << 30)}


class _Exact:
    """The rows that the exact rule removes, and how many of them other clients remove."""

    def __init__(self, texts: int) -> None:
        self.texts = texts
        self.removed: frozenset[int] | None = None

    def beside(self, client: str, removed: Sequence[int]) -> dict[str, float]:
        found = frozenset(removed)
        if client == OURS and self.removed is None:
            self.removed = found
        figures = {"removed": len(found) / self.texts}
        if self.removed is not None:
            right = len(found & self.removed)
            figures["recall"] = right / max(1, len(self.removed))
            figures["wrong"] = 1 - right / len(found) if found else 0.0
        return figures

    def pairs(self) -> int:
        """The number of pairs that a loop over all kept rows compares."""
        kept, pairs = 0, 0
        for place in range(self.texts):
            pairs += kept
            kept += place not in (self.removed or ())
        return pairs


def _novelty(plan: Plan, measure: str, texts: Path, runs: Mapping[str, int]) -> Iterator[Figure]:
    """The figures of all clients in `runs` on one set of texts."""
    with texts.open(encoding="utf-8") as file:
        exact = _Exact(sum(1 for _ in file))

    def body(client: str, number: int) -> Mapping[str, float]:
        folder = plan.place(measure, exact.texts, client, number)
        who = CLIENTS[client]
        given = run(Task(who.peer, who.runner or "novelty", {"texts": texts}, folder))
        return _usage(given) | exact.beside(client, given["removed"])

    yield from _in_turns(plan, measure, f"{exact.texts:,}", runs, body)
    if measure == "novelty":
        yield from _loops(plan, texts, exact)


def novelty(plan: Plan) -> Iterator[Figure]:
    """25,000 rows: our filter, brute force, MinHash, and the loops that introduced the rule."""
    runs = dict.fromkeys((OURS, "rapidfuzz", *MINHASH), plan.runs)
    yield from _novelty(plan, "novelty", plan.texts(plan.sizes.texts), runs)


def _loops(plan: Plan, texts: Path, exact: _Exact) -> Iterator[Figure]:
    """The loops, timed at two sizes, which give a cost per candidate and a cost per pair."""

    def body(client: str, number: int) -> Mapping[str, float]:
        who, folder = CLIENTS[client], plan.place("loops", client, number)
        options = {"marks": plan.sizes.loops}
        given = run(Task(who.peer, who.runner, {"texts": texts}, folder, options, timeout=1_800))
        few, many = given["marks"]
        per_candidate, per_pair = _costs(few, many)
        figures = {
            "early": few[2],
            "late": many[2],
            "per_candidate": per_candidate,
            "per_pair": per_pair,
        }
        if exact.removed is None:
            return figures
        pairs = exact.pairs()
        of_these = {place for place in exact.removed if place < many[0]}
        return figures | {
            "pairs": pairs,
            "seconds": per_candidate * exact.texts + per_pair * pairs,
            "same": float(of_these == set(given["removed"])),
        }

    yield from _in_turns(plan, "loops", f"{exact.texts:,}", dict.fromkeys(LOOPS, 1), body)


def _costs(few: Sequence[float], many: Sequence[float]) -> tuple[float, float]:
    """The seconds per candidate and per pair, from two marks of (candidates, pairs, seconds)."""
    per_pair = (many[2] * few[0] - few[2] * many[0]) / (many[1] * few[0] - few[1] * many[0])
    per_candidate = (few[2] - per_pair * few[1]) / few[0]
    if per_candidate < 0:  # the machine was slow at the end: attribute all seconds to the pairs
        return 0.0, many[2] / many[1]
    return per_candidate, max(0.0, per_pair)


def scale(plan: Plan) -> Iterator[Figure]:
    """Novelty at 250,000 and a million rows, and the growth of the cost from one to the other."""
    runs = {OURS: plan.runs, "rensa": plan.runs, "datasketch_words": 1}
    figures: list[Figure] = []
    for size in plan.sizes.scale:
        for figure in _novelty(plan, "scale", plan.texts(size), runs):
            figures.append(figure)
            yield figure
    few, many = (f"{size:,}" for size in plan.sizes.scale)
    for client in runs:
        exponents = {}
        for name in ("seconds", "cpu"):
            low, high = (
                [
                    f.values[name]
                    for f in figures
                    if (f.client, f.case) == (client, case) and f.values
                ]
                for case in (few, many)
            )
            if low and high:
                exponents[name] = math.log(median(high) / median(low)) / math.log(
                    plan.sizes.scale[1] / plan.sizes.scale[0]
                )
        if exponents:
            yield Figure("growth", f"{few} to {many}", client, 0, exponents)


def real(plan: Plan) -> Iterator[Figure]:
    """Novelty of real instructions and questions, if their files are present."""
    texts = plan.real("texts")
    if texts:
        runs = dict.fromkeys((OURS, "rapidfuzz", *MINHASH), 1)
        yield from _novelty(plan, "real", texts, runs)


def incremental(plan: Plan) -> Iterator[Figure]:
    """1,000 new rows against a million kept rows in the store."""
    if not plan.wants(OURS, tuple(CLIENTS)):
        return
    sizes = plan.sizes
    texts = plan.texts(sizes.kept + sizes.kept // 2 + sizes.new)
    store = plan.place("incremental", "store")
    options = {"kept": sizes.kept, "new": sizes.new}
    case = f"{sizes.new:,} against {sizes.kept:,}"
    try:
        run(Task(OURS, "filled_store", {"texts": texts}, store, options))
    except RunError as error:
        yield Figure("incremental", case, OURS, 0, error=str(error))
        return

    def body(_: str, number: int) -> Mapping[str, float]:
        folder = plan.place("incremental", number)
        copy = folder.with_name(f"{number}.duckdb")
        shutil.copyfile(store / "store.duckdb", copy)
        material = {"store": copy, "new": store / "new.jsonl", "expected": store / "expected.jsonl"}
        given = run(Task(OURS, "incremental", material, folder))
        copy.unlink()
        return _usage(given) | {"removed": given["removed"], "same": float(given["same"])}

    yield from _in_turns(plan, "incremental", case, {OURS: plan.runs}, body)
    shutil.rmtree(store)


def contamination(plan: Plan) -> Iterator[Figure]:
    """25,000 rows against 10,000 evaluation items. Some items are planted in the rows."""
    material = _rows(plan)
    leaks = [json.loads(line) for line in material["leaks"].read_text("utf-8").splitlines()]
    planted = {leak["row"] for leak in leaks}

    def body(client: str, number: int) -> Mapping[str, float]:
        folder = plan.place("contamination", client, number)
        given = run(Task(CLIENTS[client].peer, "contamination", material, folder))
        removed = set(given["removed"])
        found = {
            kind: [leak["row"] in removed for leak in leaks if leak["kind"] == kind]
            for kind in LEAK_KINDS
        }
        shares = {kind: sum(hits) / max(1, len(hits)) for kind, hits in found.items()}
        return _usage(given) | shares | {"others": len(removed - planted)}

    case = f"{plan.sizes.rows:,} x {plan.sizes.items:,}"
    clients = dict.fromkeys((OURS, "datatrove", "lm_eval"), plan.runs)
    yield from _in_turns(plan, "contamination", case, clients, body)


def gates(plan: Plan) -> Iterator[Figure]:
    """All five gates on a store, from raw rows to categories, without a teacher."""
    material = _rows(plan)
    cases = {f"{plan.sizes.rows:,} rows": material["rows"]}
    if real_rows := plan.real("rows"):
        cases["real rows"] = real_rows
    for case, rows in cases.items():

        def body(client: str, number: int, rows: Path = rows) -> Mapping[str, float]:
            folder = plan.place("gates", rows.stem, client, number)
            wanted = {"rows": rows, "items": material["items"]}
            checkout = plan.beside if client == BESIDE else None
            given = run(Task(OURS, "gates", wanted, folder, checkout=checkout))
            spent: dict[str, float] = given["spent"]
            return _usage(given) | spent | {"rows": given["rows"], "kept": given["kept"]}

        clients = [OURS, BESIDE] if plan.beside else [OURS]
        yield from _in_turns(plan, "gates", case, dict.fromkeys(clients, plan.runs), body)


def cold(plan: Plan) -> Iterator[Figure]:
    """The first call in a process, with imports, and with kernels compiled or from the cache."""
    texts = plan.texts(plan.sizes.texts)
    cache = plan.place("cold", "cache")
    for case in ("nothing compiled", "compiled before"):

        def body(_: str, number: int, case: str = case) -> Mapping[str, float]:
            folder = plan.place("cold", case, number)
            if case == "nothing compiled":
                shutil.rmtree(cache, ignore_errors=True)
            environment = {"NUMBA_CACHE_DIR": str(cache)}
            return _usage(
                run(Task(OURS, "cold", {"texts": texts}, folder, environment=environment))
            )

        runs = 1 if case == "nothing compiled" else plan.runs
        yield from _in_turns(plan, "cold", case, {OURS: runs}, body)


def sharded(plan: Plan) -> Iterator[Figure]:
    """The join on a local Ray cluster, with one worker and with two."""
    texts = plan.texts(plan.sizes.scale[0])
    for workers in (1, 2):

        def body(_: str, number: int, workers: int = workers) -> Mapping[str, float]:
            folder = plan.place("sharded", workers, number)
            options = {"workers": workers}
            given = run(Task(OURS, "sharded", {"texts": texts}, folder, options))
            return _usage(given) | {"same": float(given["same"])}

        yield from _in_turns(
            plan, "sharded", f"{workers} of Ray's workers", {OURS: plan.runs}, body
        )


def _rows(plan: Plan) -> dict[str, Path]:
    names = {name: plan.material / f"{name}.jsonl" for name in ("rows", "items", "leaks")}
    if not names["leaks"].exists():
        plan.make("--rows", plan.sizes.rows, "--items", plan.sizes.items)
    return names


MEASURES: dict[str, Callable[[Plan], Iterator[Figure]]] = {
    "novelty": novelty,
    "scale": scale,
    "real": real,
    "incremental": incremental,
    "contamination": contamination,
    "gates": gates,
    "sharded": sharded,
    "cold": cold,
}
