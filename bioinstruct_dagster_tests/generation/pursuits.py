"""Rounds towards a goal over a real server, as `raw_instructions` makes them.

Belongs here: one round and its results. Does not: assertions (the test modules).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.curation.curate_rows import RowCurator, curate_raw_rows
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.generation import raw_rows as raw
from bioinstruct_dagster.generation.controls.file import Controls
from bioinstruct_dagster.generation.goal import GoalFeed, goal_feed
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.rounds import pursue
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of

GATES = [QualityGate()]


@dataclass
class Round:
    """The results of a round."""

    feed: GoalFeed
    tally: Tally
    numbers: list[int]  # the numbers of the requests that the set uses
    rows: list[dict[str, Any]]  # the raw rows of the set
    kept: list[str]  # the ids of the rows that curation keeps
    logged: list[str] = field(default_factory=list)


@dataclass
class Pursuit:
    """A store, a series and a server, for rounds towards a goal."""

    store: Store
    url: str
    series: Series
    controls: Controls | None = None
    concurrency: int = 8

    def round(
        self,
        goal: int,
        *,
        grow_by: int = 0,
        limit: int | None = None,
        concurrency: int | None = None,
        **terms: Any,
    ) -> Round:
        """One round. It writes the set to the store as the assets do."""
        logged: list[str] = []
        concurrency = concurrency or self.concurrency
        feed, tally = pursue(
            session_of(
                Endpoint(self.url, "k", rehearsal=False),
                self.store,
                log=logged.append,
                terms=Terms(concurrency=concurrency, **terms),
            ),
            lambda: goal_feed(
                self.series,
                self.store,
                RowCurator(self.seeds, GATES),
                goal=goal,
                grow_by=grow_by,
                limit=limit,
                controls=self.controls,
                concurrency=concurrency,
            ),
            purpose="generation",
        )
        rows, outcomes = raw.raw_rows(self.store, feed.completion_ids())
        selection = curate_raw_rows(rows, self.seeds, GATES)
        self.store.replace(
            {
                "raw_instructions": rows,
                "completion_outcomes": outcomes,
                "deduplicated_instructions": selection.kept,
            }
        )
        return Round(
            feed,
            tally,
            self.numbers(feed.completion_ids()),
            rows,
            [row["row_id"] for row in selection.kept],
            logged,
        )

    @property
    def seeds(self) -> list[NamedInstruction]:
        """The seeds' instructions, which no row may repeat."""
        return [NamedInstruction(seed.id, seed.instruction) for seed in self.series.seeds]

    def numbers(self, completion_ids: Sequence[str]) -> list[int]:
        """The request numbers of completions, each once, in order."""
        return [
            row["request_number"]
            for row in self.store.rows(
                "select distinct request_number from completions "
                "where completion_id in (select unnest($ids::varchar[])) order by 1",
                {"ids": list(completion_ids)},
            )
        ]

    def stored(self) -> int:
        """Completions of generation in the store."""
        statement = "select count(*) as n from completions where purpose = 'generation'"
        return int(self.store.rows(statement)[0]["n"])
