"""The measures of training, and the figures that follow from each run.

Each measure is a generator of `Figure`s, one per run. The modes of a measure take turns, so that a
slow minute of the machine affects all of them. Belongs here: sizes, and the order of runs. Does
not: the work of a mode (ours, peers), or the tables (report).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environments import PeerInstallError
from benchmarks.training.material import (
    ROWS_PER_UPDATE,
    Material,
    made_material,
    real_material,
)
from benchmarks.training.runs import MODES, RunError, Session, Usage
from benchmarks.training.studies import (
    BEFORE,
    DEMO_RECIPES,
    Prepared,
    checked_out,
    prepare,
    study_of,
    train_as_before,
    train_together,
)

# 8 layers, hidden size 512: 29 million weights with the vocabulary of the made rows.
MADE_SHAPE = {
    "hidden_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "intermediate_size": 1_376,
}
# Shorter passes keep activations in the processor's caches, and hold enough rows to be filled.
TOKENS_PER_PASS = 1_024
RANK, LEARNING_RATE = 16, 1e-3
WARM_UPDATES = 1
# TRL's packing and defaults are enough to compare with; the padded modes take minutes each.
REAL_MODES = ("ours", "bare", "trl_packed", "trl_defaults")


@dataclass(frozen=True)
class Figure:
    """The values of one run of one mode in one measure, or the reason for none."""

    measure: str
    mode: str
    round: int
    values: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Plan:
    """A session: its folder, measures and modes, sizes, and how many runs at a time."""

    session: Session
    only: frozenset[str]  # names of measures and modes; empty: all
    rows: int
    real_rows: int
    rounds: int
    lanes: int
    real_base: Path | None
    study_rows: int
    _prepared: list[Prepared] = field(default_factory=list)

    def wants(self, name: str, among: Sequence[str]) -> bool:
        """Whether `--only` selects this name, or names none of its kind."""
        chosen = self.only & frozenset(among)
        return not chosen or name in chosen

    def demo_data(self) -> Prepared:
        """The demo's data set, which is made at the first call."""
        if not self._prepared:
            self._prepared.append(prepare(self.session))
        return self._prepared[0]

    def modes(self, among: Sequence[str]) -> list[str]:
        """The modes to run."""
        return [mode for mode in among if self.wants(mode, tuple(MODES))]


def turns(modes: Sequence[str], round_: int, lanes: int) -> list[str]:
    """The order of the modes in a round. Those that run at the same time stay together."""
    groups = [list(modes[at : at + lanes]) for at in range(0, len(modes), lanes)]
    first = round_ % max(1, len(groups))
    return [mode for group in groups[first:] + groups[:first] for mode in group]


def trained(
    plan: Plan, measure: str, material: Material, modes: Sequence[str], rounds: int
) -> Iterator[Figure]:
    """The figures of all modes on one material, round by round."""
    options = {
        "rows_per_update": ROWS_PER_UPDATE,
        "warm_updates": WARM_UPDATES,
        "rank": RANK,
        "learning_rate": LEARNING_RATE,
        "tokens_per_pass": TOKENS_PER_PASS,
    }

    def run(mode: str, number: int) -> Figure:
        try:
            place = f"{measure}-{mode}-{number}"
            values = plan.session.train(mode, material, place, options)
        except (RunError, PeerInstallError) as error:
            return Figure(measure, mode, number, error=str(error))
        return Figure(measure, mode, number, values)

    with ThreadPoolExecutor(plan.lanes) as lanes:
        for number in range(rounds):
            order = turns(modes, number, plan.lanes)
            yield from lanes.map(run, order, [number] * len(order))


def made(plan: Plan) -> Iterator[Figure]:
    """A Llama of 8 layers on made rows: all modes."""
    material = made_material(plan.session.folder / "made", plan.rows, MADE_SHAPE)
    yield from trained(plan, "made", material, plan.modes(tuple(MODES)), plan.rounds)


def smollm2(plan: Plan) -> Iterator[Figure]:
    """SmolLM2-135M on rows of the shipped recordings."""
    if plan.real_base is None or not plan.real_base.is_dir():
        reason = "`make real-base` has not been run, so there is no SmolLM2-135M on this machine"
        yield Figure("smollm2", "ours", 0, error=reason)
        return
    folder = plan.session.folder / "smollm2"
    material = real_material(folder, plan.real_base, plan.real_rows)
    yield from trained(plan, "smollm2", material, plan.modes(REAL_MODES), 1)


def study(plan: Plan) -> Iterator[Figure]:
    """Eight experiments of one base model: in one run, and in eight."""
    yield from _with_demo_data("study", plan, _study)


def demo(plan: Plan) -> Iterator[Figure]:
    """The demo's two adapters: before, with transformers' Trainer, and now."""
    yield from _with_demo_data("demo", plan, _demo)


def _with_demo_data(
    measure: str, plan: Plan, body: Callable[[Plan, Prepared], Iterator[Figure]]
) -> Iterator[Figure]:
    try:
        yield from body(plan, plan.demo_data())
    except RunError as error:
        yield Figure(measure, "now", 0, error=str(error))


def _study(plan: Plan, prepared: Prepared) -> Iterator[Figure]:
    folder = plan.session.folder / "study"
    together = study_of(plan.session, prepared, plan.study_rows, folder / "one")
    apart = study_of(plan.session, prepared, plan.study_rows, folder / "each")
    works = {"one_run": together.one_run, "eight_runs": apart.run_each}
    yield from _side_by_side(plan, "study", works)


def _demo(plan: Plan, prepared: Prepared) -> Iterator[Figure]:
    folder = plan.session.folder / "demo_training"
    folder.mkdir()

    def now() -> list[Usage]:
        specs = [prepared.specs[recipe] for recipe in DEMO_RECIPES]
        return [
            train_together(plan.session, [spec], folder / f"now-{number}")
            for number, spec in enumerate(specs)
        ]

    def before() -> list[Usage]:
        code = checked_out(BEFORE, folder / "before")
        return train_as_before(plan.session, prepared, code, folder)

    yield from _side_by_side(plan, "demo", {"now": now, "before": before})


def _side_by_side(
    plan: Plan, measure: str, works: Mapping[str, Callable[[], list[Usage]]]
) -> Iterator[Figure]:
    """The usage of each work. As many as there are lanes run at the same time."""

    def figure(name: str) -> Figure:
        try:
            return Figure(measure, name, 0, _usage(works[name]()))
        except RunError as error:
            return Figure(measure, name, 0, error=str(error))

    with ThreadPoolExecutor(plan.lanes) as lanes:
        yield from lanes.map(figure, works)


def _usage(usages: Sequence[Usage]) -> dict[str, float]:
    """The usage of processes that run one after the other."""
    return {
        "wall": sum(one.wall for one in usages),
        "cpu": sum(one.cpu for one in usages),
        "peak_bytes": max(one.peak_bytes for one in usages),
    }


Measure = Callable[[Plan], Iterator[Figure]]
MEASURES: dict[str, Measure] = {"made": made, "smollm2": smollm2, "study": study, "demo": demo}
