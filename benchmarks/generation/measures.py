"""The measures of generation, and the figures that follow from the ledger and the clients' clocks.

Each measure is a generator of `Figure`s, one per run. The clients of a measure take turns, so that
a slow minute of the machine affects all of them. Belongs here: sizes, limits, arithmetic. Does not:
running a client (clients), or the tables (report).
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.environments import PeerInstallError
from benchmarks.generation import clients
from benchmarks.generation.clients import OURS, ClientError, Outcome, Task
from benchmarks.generation.prompts import MODEL, prompt
from benchmarks.generation.service import Service
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.money.prices import price_of

BURST_SECONDS = 1.0
KILLS_PEERS = 3


@dataclass(frozen=True)
class Figure:
    """The values of one run of one client in one measure, or the reason for none."""

    measure: str
    client: str
    run: int
    values: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True)
class Plan:
    """The sizes of a session. A quick session only shows that everything works."""

    folder: Path
    only: frozenset[str]  # names of clients and measures; empty: all
    runs: int
    kills: int
    cap_seeds: int
    scale: float  # of the number of requests

    def wants(self, name: str, among: Iterator[str] | frozenset[str]) -> bool:
        """Whether `--only` selects this name, or names none of its kind."""
        chosen = self.only & frozenset(among)
        return not chosen or name in chosen

    def size(self, requests: int) -> int:
        """A number of requests, scaled."""
        return max(50, int(requests * self.scale))

    def place(self, measure: str, client: str, run: int) -> Path:
        """The folder of one run."""
        return self.folder / measure / client / str(run)


Body = Callable[[str, int], Mapping[str, float]]


def _in_turns(
    plan: Plan, measure: str, options: Mapping[str, Any], runs: Mapping[str, int], body: Body
) -> Iterator[Figure]:
    """The figures of `body` for all clients, run by run. A client that can't run gives a reason."""
    wanted = [name for name in options if plan.wants(name, frozenset(clients.TITLES))]
    for run in range(max(runs[name] for name in wanted) if wanted else 0):
        for name in wanted[run % len(wanted) :] + wanted[: run % len(wanted)]:
            if run >= runs[name]:
                continue
            try:
                yield Figure(measure, name, run, body(name, run))
            except (ClientError, PeerInstallError) as error:
                yield Figure(measure, name, run, error=str(error))


def throughput(plan: Plan, service: Service) -> Iterator[Figure]:
    """Replies stored on disk per second, and the CPU time of each, with 50 ms of latency."""
    options: dict[str, Any] = {
        OURS: {"concurrency": 500},
        "curator": {},
        "datatrove": {"concurrency": 500},
        "data_designer": {"concurrency": 32},
        "distilabel": {"batch": 500},
    }
    prompts = [prompt(number) for number in range(plan.size(2_000))]

    def body(client: str, run: int) -> Mapping[str, float]:
        service.reset(latency=0.05)
        folder = plan.place("throughput", client, run)
        outcome = clients.run(Task(client, prompts, folder, options[client]), service)
        ledger = service.ledger()
        return {
            "replies_per_second": outcome.rows / outcome.wall,
            "cpu_us_per_reply": 1e6 * outcome.cpu / max(1, outcome.rows),
            "server_us_per_request": 1e6 * ledger["server_cpu"] / max(1, ledger["admitted"]),
            "lost": len(prompts) - outcome.rows,
        }

    return _in_turns(plan, "throughput", options, dict.fromkeys(options, plan.runs), body)


def request_limit(plan: Plan, service: Service) -> Iterator[Figure]:
    """6,000 requests a minute: the share of the limit that a client uses, and its refusals."""
    options: dict[str, Any] = {
        OURS: {"concurrency": 500, "probe": True},
        "curator": {},
        "data_designer": {"concurrency": 100},
        "distilabel": {"batch": 50},
    }
    rpm, latency = 6_000, 0.05
    prompts = [prompt(number) for number in range(plan.size(1_500))]

    def body(client: str, run: int) -> Mapping[str, float]:
        service.reset(latency=latency, rpm=rpm)
        folder = plan.place("request_limit", client, run)
        outcome = clients.run(Task(client, prompts, folder, options[client]), service)
        return _use_of_limit(outcome, service.ledger(), len(prompts), rpm / 60, latency)

    return _in_turns(plan, "request_limit", options, dict.fromkeys(options, plan.runs), body)


def token_limit(plan: Plan, service: Service) -> Iterator[Figure]:
    """4.32 million tokens a minute, 720 a request, 2 s of latency: 100 requests a second."""
    options: dict[str, Any] = {
        OURS: {"concurrency": 500, "probe": True},
        "curator": {},
        "data_designer": {"concurrency": 300},
    }
    tpm, latency, answer_tokens, prompt_tokens = 4_320_000, 2.0, 120, 600
    prompts = [prompt(number) for number in range(plan.size(3_000))]

    def body(client: str, run: int) -> Mapping[str, float]:
        service.reset(
            latency=latency,
            tpm=tpm,
            prompt_tokens=prompt_tokens,
            answer_tokens=answer_tokens,
            answer_bytes=490,
        )
        folder = plan.place("token_limit", client, run)
        outcome = clients.run(Task(client, prompts, folder, options[client]), service)
        per_second = tpm / 60 / (prompt_tokens + answer_tokens)
        return _use_of_limit(outcome, service.ledger(), len(prompts), per_second, latency)

    return _in_turns(plan, "token_limit", options, dict.fromkeys(options, plan.runs), body)


def _use_of_limit(
    outcome: Outcome, ledger: Mapping[str, Any], asked: int, per_second: float, latency: float
) -> dict[str, float]:
    # What the server would have let through between the first admission and the last, its burst
    # included, which is there at the start whoever comes.
    span = ledger["last_admission"] - ledger["first_admission"]
    allowed = per_second * (span + BURST_SECONDS)
    ideal = asked / per_second + latency
    return {
        "share_of_limit": ledger["admitted"] / allowed,
        "ideal_over_wall": ideal / outcome.wall,
        "wall": outcome.wall,
        "refused": ledger["refused"],
        "lost": asked - outcome.rows,
    }


def kills(plan: Plan, service: Service) -> Iterator[Figure]:
    """SIGKILL at a random moment, then a rerun to the end: requests that are billed twice."""
    options: dict[str, Any] = {
        OURS: {"concurrency": 100},
        "curator": {"max_concurrent_requests": 100},
        "datatrove": {"concurrency": 100},
        "data_designer": {"concurrency": 100},
    }
    runs = {name: plan.kills if name == OURS else min(KILLS_PEERS, plan.kills) for name in options}
    prompts = [prompt(number) for number in range(plan.size(2_000))]
    latency = 0.5

    def body(client: str, run: int) -> Mapping[str, float]:
        moment = random.Random(f"{client} {run}")  # noqa: S311
        service.reset(latency=latency, jitter=0.5)
        folder = plan.place("kills", client, run)
        task = Task(client, prompts, folder, options[client], warm_up=False)
        process = clients.start(task, service)
        after = moment.uniform(0.02, 0.95) * len(prompts)
        while service.ledger()["billed"] < after and process.poll() is None:
            time.sleep(0.02)
        time.sleep(moment.uniform(0, latency))
        finished = process.poll() is not None
        clients.kill(process)
        if finished:
            clients.finish(process, task)  # says why, where it failed
        time.sleep(2 * latency)  # what was in flight is still computed, and billed
        at_kill = service.ledger()
        outcome = clients.run(task, service)
        ledger = service.ledger()
        # A reply that was sent and not yet on the client's disk is in flight too. Our client notes
        # what it sends; of the others no more is known than how many they keep under way.
        sent = folder / "cache" / "measured" / "store.duckdb"
        under_way = _presumed(sent) if client == OURS else 100
        return {
            "billed_at_kill": at_kill["billed"],
            "in_flight_at_kill": under_way,
            "more_than_in_flight": max(0, ledger["billed"] - ledger["billed_distinct"] - under_way),
            "billed_again": ledger["billed"] - ledger["billed_distinct"],
            "lost": len(prompts) - outcome.rows,
        }

    return _in_turns(plan, "kills", options, runs, body)


def _presumed(store: Path) -> int:
    """The requests that our store knows as sent but never answered."""
    return int(Store(store).rows("select count(*) as n from presumed_spend")[0]["n"])


def growth(plan: Plan, service: Service) -> Iterator[Figure]:
    """One row more than in the last run, 200 -> 201: requests that are billed again."""
    options: dict[str, Any] = {
        OURS: {"concurrency": 100},
        "curator": {},
        "datatrove": {"concurrency": 100},
        "data_designer": {"concurrency": 32},
        "distilabel": {"batch": 50},
    }

    def body(client: str, run: int) -> Mapping[str, float]:
        service.reset(latency=0.05)
        folder = plan.place("growth", client, run)
        prompts = [prompt(number) for number in range(201)]
        task = Task(client, prompts, folder, options[client], warm_up=False)
        clients.run(replace(task, prompts=prompts[:200]), service)
        outcome = clients.run(task, service)
        ledger = service.ledger()
        return {
            "billed_again": ledger["billed"] - ledger["billed_distinct"],
            "lost": 201 - outcome.rows,
        }

    return _in_turns(plan, "growth", options, dict.fromkeys(options, 1), body)


def cap(plan: Plan, service: Service) -> Iterator[Figure]:
    """A cap in dollars with failing requests at concurrency 500: dollars beyond the cap."""
    # A token limit near the answers' size, so that the cap leaves room for 500 at once.
    options: dict[str, Any] = {OURS: {"concurrency": 500, "most_output": 300}}
    prompts = [prompt(number) for number in range(plan.size(4_000))]
    price = price_of(MODEL)
    assert price is not None
    per_request = price.usd(600, 220)

    def body(client: str, run: int) -> Mapping[str, float]:
        service.reset(
            latency=0.3,
            jitter=0.5,
            prompt_tokens=600,
            answer_tokens=220,
            # Every second run without faults: they shrink the number in flight, as they should.
            faults={"reset": 0.05, "server_error": 0.1} if run % 2 else {},
            fault_seed=run,
        )
        dollars = random.Random(run).uniform(0.2, 0.8) * len(prompts) * per_request  # noqa: S311
        folder = plan.place("cap", client, run)
        task = Task(client, prompts, folder, {**options[client], "cap_usd": dollars})
        outcome = clients.run(task, service)
        ledger = service.ledger()
        billed = ledger["billed"] * per_request
        return {
            "cap_usd": dollars,
            "billed_usd": billed,
            "over_cap_usd": billed - dollars,
            "share_of_cap": billed / dollars,
            "most_in_flight": ledger["most_in_flight"],
            "broken_off": ledger["resets"],
            "rows": outcome.rows,
        }

    return _in_turns(plan, "cap", options, {OURS: plan.cap_seeds}, body)


MEASURES: dict[str, Callable[[Plan, Service], Iterator[Figure]]] = {
    "throughput": throughput,
    "request_limit": request_limit,
    "token_limit": token_limit,
    "kills": kills,
    "growth": growth,
    "cap": cap,
}
