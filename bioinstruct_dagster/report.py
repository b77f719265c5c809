"""The printed report: the contents of the store, from seeds to scores, and the next steps.

`make demo` and `make report` print it. Belongs here: layout and wording. Does not: computing
figures; the report reads all of them from the store.
"""

import sys
from collections.abc import Iterator
from typing import Any

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.evaluation.shown import score_table
from bioinstruct_dagster.settings import Settings, SettingsError, load_settings
from bioinstruct_dagster.store.database import Store, StoreError

FUNNEL = "select stage, outcome, rows from funnel"
LAST_ROUNDS = """
    with last_generation as (
        select coalesce(max(finished_at), '-infinity') as finished_at
        from teacher_rounds
        where purpose = 'generation'
    )
    select purpose, asked, reused, failed
    from teacher_rounds
    where finished_at >= (select finished_at from last_generation)
    qualify row_number() over (partition by purpose order by finished_at desc) = 1
    order by purpose desc
"""
LABELLERS = """
    select labelled_by, count(*) as rows
    from categorized_instructions
    group by labelled_by
    order by rows desc
"""
SPEND = """
    select
        sum(requests) filter (where kind = 'settled') as completions,
        sum(requests - unpriced) filter (where kind = 'settled') as priced,
        sum(usd) filter (where kind = 'settled') as usd,
        sum(requests) filter (where kind = 'presumed') as unanswered,
        sum(usd) filter (where kind = 'presumed') as presumed_usd
    from spend
    where not rehearsal
"""
ADAPTERS = "select * from lora_adapter order by base_model, recipe"
SCORES = """
    select * from eval_scores
    where main and items = 'all' and (task <> 'held_out' or category = 'all')
    order by base_model, recipe, rowid
"""


def render(settings: Settings, store: Store) -> Iterator[str]:
    """The lines of the report."""
    funnel = store.rows(FUNNEL)
    adapters = store.rows(ADAPTERS)
    yield from _funnel(funnel, store)
    yield from _categories(funnel, store)
    yield from _training(adapters)
    yield from _scores(store)
    yield from _places(settings, adapters)
    if settings.teacher.name == "rehearsal" or any(row["rehearsal"] for row in adapters):
        yield from _heading("This is a rehearsal")
        yield "  The embedded teacher or base model made these results. They show that the chain"
        yield "  works. They have no medical meaning and must not be published."
    yield from _next_steps(settings)


def _funnel(funnel: list[dict[str, Any]], store: Store) -> Iterator[str]:
    def total(stage: str) -> int:
        return sum(row["rows"] for row in funnel if row["stage"] == stage)

    yield from _heading("Funnel")
    for stage, name in (
        ("seed_tasks", "seed tasks"),
        ("completions", "completions"),
        ("raw_instructions", "raw rows"),
        ("rejected_instructions", "rejected"),
        ("deduplicated_instructions", "kept rows"),
        ("hf_dataset", "in the data set"),
    ):
        yield f"  {name:<24}{total(stage):>7,}"
        if stage in {"completions", "rejected_instructions", "hf_dataset"}:
            for row in funnel:
                if row["stage"] == stage:
                    yield f"    {row['outcome']:<36}{row['rows']:>7,}"
    for row in store.rows(LAST_ROUNDS):
        yield (
            f"  Last {row['purpose']} round: {row['reused']:,} stored completions reused, "
            f"{row['asked']:,} new from the teacher, {row['failed']:,} requests failed."
        )
    spend = store.rows(SPEND)[0]
    if spend["completions"]:
        known = f"${spend['usd'] or 0:,.2f} for {spend['priced']:,} completions"
        unknown = spend["completions"] - spend["priced"]
        yield f"  Spent so far: {known}" + (f", {unknown:,} of unknown price" if unknown else "")
        if spend["unanswered"]:
            most = f"${spend['presumed_usd'] or 0:,.2f}"
            yield f"    and at most {most} for {spend['unanswered']:,} requests without a reply"


def _categories(funnel: list[dict[str, Any]], store: Store) -> Iterator[str]:
    shares = [row for row in funnel if row["stage"] == "categorized_instructions"]
    if not shares:
        return
    total = sum(row["rows"] for row in shares)
    yield from _heading("Categories")
    for row in shares:
        yield f"  {row['outcome']:<24}{row['rows']:>7,}{row['rows'] / total:>9.1%}"
    labellers = ", ".join(
        f"{row['labelled_by']} ({row['rows']:,})" for row in store.rows(LABELLERS)
    )
    yield f"  Labelled by: {labellers}"


def _training(adapters: list[dict[str, Any]]) -> Iterator[str]:
    if not adapters:
        return
    yield from _heading("Training (loss on responses)")
    for row in adapters:
        yield (
            f"  {row['base_model'] + '|' + row['recipe']:<40} first {row['first_loss']:.3f}  "
            f"last {row['last_loss']:.3f}  ({row['steps']} steps, {row['train_rows']} rows, "
            f"{row['train_seconds']:.0f} s on {row['device']})"
        )


def _scores(store: Store) -> Iterator[str]:
    scores = store.rows(SCORES)
    if not scores:
        return
    yield from _heading("Scores: each task's main metric, with 95 % intervals")
    for experiment in dict.fromkeys((row["base_model"], row["recipe"]) for row in scores):
        members = [row for row in scores if (row["base_model"], row["recipe"]) == experiment]
        yield f"  {'|'.join(experiment)}  (prompt {members[0]['prompt_version']})"
        for row in score_table(members):
            yield f"    {row['task']:<20}{row['metric']:<22}n = {row['n']:<7}{_source(row)}"
            yield (
                f"      base {row['base']}   adapter {row['adapter']}   "
                f"difference {row['difference']}   p {row['p (Holm)']}"
            )
        yield "    p: corrected over the tasks by Holm's method. Other metrics: table eval_scores"


def _source(row: dict[str, str]) -> str:
    return "fixture items: no meaning" if row["items from"] == "fixture" else ""


def _places(settings: Settings, adapters: list[dict[str, Any]]) -> Iterator[str]:
    yield from _heading("Where things are")
    yield f"  store       {settings.store.path}"
    yield f"  data set    {settings.store.data_dir / 'hf_dataset'}"
    for row in adapters:
        # An absolute path of an earlier version stays one.
        yield f"  adapter     {settings.store.data_dir / row['adapter_path']}"


def _next_steps(settings: Settings) -> Iterator[str]:
    yield from _heading("Next")
    yield "  Open the UI:             make ui        (then http://127.0.0.1:3000)"
    yield (
        "  Query the store:         .venv/bin/python -m bioinstruct_dagster.store "
        '"select * from funnel"'
    )
    if settings.teacher.name == "rehearsal":
        yield "  Use a real teacher:      export BIOINSTRUCT_TEACHER=openai OPENAI_API_KEY=..."
        yield (
            "                           export BIOINSTRUCT_DATA_DIR=data/real "
            "BIOINSTRUCT_INSTRUCTIONS=100 BIOINSTRUCT_MAX_USD=2"
        )
        yield "                           export DAGSTER_HOME=$PWD/.dagster_home"
        yield (
            "                           .venv/bin/dagster asset materialize -m bioinstruct_dagster "
            "--select '+key:hf_dataset'"
        )
    yield ("  Use a real base model:   make real-base, then materialize lora_adapter and")
    yield "                           eval_scores with --partition 'smollm2-135m|all'"
    yield f"                           Others are in {settings.models.experiments}."


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield text
    yield "-" * len(text)


@quiet_on_closed_pipe
def main() -> int:
    """Print the report. Returns exit status 1 if there is no store or a setting is wrong."""
    try:
        settings = load_settings()
        for line in render(settings, Store(settings.store.path, settings.store.lock_timeout)):
            print(line)
    except (SettingsError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
