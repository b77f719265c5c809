"""The printed report: the contents of the store, from seeds to scores, and the next steps.

`make demo` and `make report` print it. Everything that it says of rows, adapters and scores is read
from the store, and nothing from the settings. Belongs here: layout and wording. Does not: computing
figures.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.dataset.marked_rows import marked_rows
from bioinstruct_dagster.dataset.older_results import made_results, older_experiments
from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER, RowOrigins, origins_of
from bioinstruct_dagster.evaluation.ranking.leaderboard import leaderboard
from bioinstruct_dagster.evaluation.ranking.printed import leaderboard_lines, score_lines
from bioinstruct_dagster.evaluation.summaries.trained_on import items_trained_on
from bioinstruct_dagster.settings import Settings, SettingsError, load_settings
from bioinstruct_dagster.store.database import Store, StoreError

FUNNEL = "select stage, outcome, rows from funnel"
RAW_ROWS = """
    select source, rehearsal, count(*) as rows
    from raw_instructions
    group by all
    order by rows desc, source
"""
LAST_ROUNDS = """
    with last_generation as (
        select coalesce(max(finished_at), '-infinity') as finished_at
        from teacher_rounds
        where purpose = 'generation'
    )
    select purpose, asked, reused, failed, stopped
    from teacher_rounds
    where finished_at >= (select finished_at from last_generation)
    qualify row_number() over (partition by purpose order by finished_at desc) = 1
    order by purpose desc
"""
# Labels are counted by whether the rehearsal teacher replayed them, whatever their name.
LABELLERS = """
    select labelled_by, coalesce(label.rehearsal, labelled_by = $rehearsed) as rehearsal,
        count(*) as rows
    from categorized_instructions as labelled
    left join completions as label on label.completion_id = labelled.label_completion_id
    group by all
    order by rows desc, labelled_by
"""
# Rows that no gate has checked. A stage of which nothing is known has no count.
UNCHECKED = """
    select count(*) as rows
    from raw_instructions
    anti join verdicts using (row_id)
    anti join deduplicated_instructions using (row_id)
"""
MADE_BY_THE_GATES = frozenset({"rejected_instructions", "deduplicated_instructions"})
# Replies of generation behind no present row.
UNUSED_REPLIES = """
    select count(*) as replies
    from completions
    anti join completion_outcomes using (completion_id)
    where purpose = 'generation'
"""
TEACHERS_LABELS = """
    select 1 from categorized_instructions where label_completion_id is not null limit 1
"""
PLACED = "select rehearsal, count(*) as rows from hf_dataset group by all"
# For each asset of rows: how many of its rows its input does not have any more, and how many it
# lacks. A raw row that a gate rejected is not lacking.
BEHIND_THEIR_INPUT = """
    select 'deduplicated_instructions' as asset, 'raw rows' as input,
        (select count(*) from deduplicated_instructions) as rows,
        (select count(*) from deduplicated_instructions anti join raw_instructions using (row_id))
            as gone,
        (select count(*) from (
            select row_id from raw_instructions
            except (
                select row_id from deduplicated_instructions
                union all select row_id from rejected_instructions
            )
        )) as lacking
    union all
    select 'categorized_instructions', 'kept rows',
        (select count(*) from categorized_instructions),
        (select count(*) from categorized_instructions
            anti join deduplicated_instructions using (row_id)),
        (select count(*) from deduplicated_instructions
            anti join categorized_instructions using (row_id))
    union all
    select 'hf_dataset', 'labelled rows',
        (select count(*) from hf_dataset),
        (select count(*) from hf_dataset
            anti join categorized_instructions using (row_id, category)),
        (select count(*) from categorized_instructions
            anti join hf_dataset using (row_id, category))
"""
SPEND = """
    select
        sum(requests) filter (where kind = 'settled') as completions,
        sum(requests - unpriced) filter (where kind = 'settled') as priced,
        sum(usd) filter (where kind = 'settled') as usd,
        sum(requests) filter (where kind = 'presumed') as unanswered,
        sum(unpriced) filter (where kind = 'presumed') as unanswered_unpriced,
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
    origins = origins_of(store.rows(RAW_ROWS))
    labellers = store.rows(LABELLERS, {"rehearsed": REHEARSED_LABELLER})
    adapters, scores = store.rows(ADAPTERS), store.rows(SCORES)
    results = made_results(store)
    rounds = store.rows(LAST_ROUNDS)
    yield from _funnel(funnel, origins, rounds, store)
    yield from _categories(funnel, labellers, rounds, store)
    yield from _training(adapters, older_experiments(results, "lora_adapter"))
    older_scores = older_experiments(results, "eval_scores")
    lines = score_lines(scores, older_scores, items_trained_on(store))
    yield from _part("Scores: each task's main metric, with 95 % intervals", lines)
    lines = leaderboard_lines(leaderboard(store), older_scores)
    yield from _part("Leaderboard: adapters on equal items, the best first", lines)
    yield from _places(settings, adapters)
    yield from _rehearsal(origins, store.rows(PLACED), labellers, adapters, scores)
    yield from _next_steps(settings, origins)


def _funnel(
    funnel: list[dict[str, Any]],
    origins: RowOrigins,
    rounds: Sequence[Mapping[str, Any]],
    store: Store,
) -> Iterator[str]:
    def total(stage: str) -> int:
        return sum(row["rows"] for row in funnel if row["stage"] == stage)

    yield from _heading("Funnel")
    stages = {
        "seed_tasks": "seed tasks",
        "completions": "completions",
        "raw_instructions": "raw rows",
        "rejected_instructions": "rejected",
        "deduplicated_instructions": "kept rows",
        "hf_dataset": "in the data set",
    }
    unchecked = store.rows(UNCHECKED)[0]["rows"]
    is_checked = unchecked < total("raw_instructions")
    for stage, name in stages.items():
        if origins.only_imported and stage in {"seed_tasks", "completions"}:
            continue  # neither stands behind the rows
        yield f"  {name:<24}{_count(stage, total(stage), is_checked=is_checked)}"
        if stage == "raw_instructions":
            yield from (f"    {part}" for part in origins.parts())
        if stage in {"completions", "rejected_instructions", "hf_dataset"}:
            for row in funnel:
                if row["stage"] == stage:
                    yield f"    {row['outcome']:<36}{row['rows']:>7,}"
        if stage == "completions":
            yield from _unused_replies(store)
    yield from _unchecked(store, unchecked if is_checked else 0)
    yield from _behind_their_input(store)
    yield from _last_rounds(rounds, generated=bool(origins.generated + origins.replayed))
    yield from _spend(store.rows(SPEND)[0])


def _count(stage: str, rows: int, *, is_checked: bool) -> str:
    """The rows of a stage; no number if nothing was done there."""
    of_gates = stage in MADE_BY_THE_GATES
    if rows or (of_gates and is_checked):
        return f"{rows:>7,}"
    return "  not checked yet" if of_gates else "  not made yet"


def _unchecked(store: Store, rows: int) -> Iterator[str]:
    """Raw rows that no gate has checked, and rows of the set with a mark of a gate."""
    if rows:
        yield f"  No gate has checked {rows:,} of the raw rows yet."
    yield from (f"  {line}" for line in marked_rows(store, "hf_dataset"))


def _unused_replies(store: Store) -> Iterator[str]:
    """Why a round may have brought more replies than stand behind the rows."""
    if unused := store.rows(UNUSED_REPLIES)[0]["replies"]:
        yield f"    {unused:,} more are stored and stand behind none of the raw rows"


def _behind_their_input(store: Store) -> Iterator[str]:
    """The assets whose rows are older than the rows that they are made from."""
    for row in store.rows(BEHIND_THEIR_INPUT):
        if row["rows"] and (row["gone"] or row["lacking"]):
            yield (
                f"  OLDER: {row['asset']} is older than the {row['input']}: {row['gone']:,} of its "
                f"{row['rows']:,} rows are gone or changed, and {row['lacking']:,} are missing."
            )
            yield f"    Materialize key:{row['asset']} and what follows it."


def _last_rounds(rounds: Sequence[Mapping[str, Any]], *, generated: bool) -> Iterator[str]:
    """The last round of each purpose. Imported rows were made by no generation round."""
    for row in rounds:
        if row["purpose"] == "generation" and not generated:
            continue
        yield (
            f"  Last {row['purpose']} round: {row['reused']:,} stored completions reused, "
            f"{row['asked']:,} new replies, {row['failed']:,} requests failed."
        )
        if row["stopped"]:
            yield f"    It stopped before its goal: {row['stopped']}"


def _spend(spend: Mapping[str, Any]) -> Iterator[str]:
    """What real teachers billed. What nobody knows is called unknown, and never zero."""
    if spend["completions"]:
        unknown = spend["completions"] - spend["priced"]
        parts = []
        if spend["priced"]:
            parts.append(f"${spend['usd']:,.2f} for {spend['priced']:,} completions")
        if unknown:
            parts.append(f"an unknown amount for {unknown:,} completions without a price")
        yield f"  Spent so far: {', and '.join(parts)}"
    if spend["unanswered"]:
        most = f"at most ${spend['presumed_usd'] or 0:,.2f}"
        if spend["unanswered_unpriced"]:
            most = "an unknown amount"
        yield f"    {most} more for {spend['unanswered']:,} requests without a reply"


def _categories(
    funnel: list[dict[str, Any]],
    labellers: Sequence[Mapping[str, Any]],
    rounds: Sequence[Mapping[str, Any]],
    store: Store,
) -> Iterator[str]:
    shares = [row for row in funnel if row["stage"] == "categorized_instructions"]
    if not shares:
        return
    total = sum(row["rows"] for row in shares)
    yield from _heading("Categories")
    for row in shares:
        yield f"  {row['outcome']:<24}{row['rows']:>7,}{row['rows'] / total:>9.1%}"
    listed = ", ".join(
        f"{row['labelled_by']}{' (recorded labels)' * row['rehearsal']} ({row['rows']:,})"
        for row in labellers
    )
    yield f"  Labelled by: {listed}"
    asked = [row for row in rounds if row["purpose"] == "categorization"]
    if any(row["asked"] + row["reused"] for row in asked) and not store.rows(TEACHERS_LABELS):
        yield "    No reply of the categorization round holds the label of a present row."


def _training(adapters: list[dict[str, Any]], older: Mapping[str, str]) -> Iterator[str]:
    if not adapters:
        return
    yield from _heading("Training (loss on responses)")
    for row in adapters:
        name = f"{row['base_model']}|{row['recipe']}"
        yield (
            f"  {name:<40} first {row['first_loss']:.3f}  "
            f"last {row['last_loss']:.3f}  ({row['steps']} steps, {row['train_rows']} rows, "
            f"{row['train_seconds']:.0f} s on {row['device']})"
        )
        if name in older:
            yield f"    OLDER: {older[name]}"


def _places(settings: Settings, adapters: list[dict[str, Any]]) -> Iterator[str]:
    yield from _heading("Where things are")
    yield f"  store       {settings.store.path}"
    folder = settings.store.data_dir / "hf_dataset"
    yield f"  data set    {folder if folder.is_dir() else 'not made yet'}"
    for row in adapters:
        # An absolute path of an earlier version stays one.
        yield f"  adapter     {settings.store.data_dir / row['adapter_path']}"
    pages = {"to review": "review/review.html", "findings": "reports/study_report.html"}
    for name, page in pages.items():
        if (path := settings.store.data_dir / page).is_file():
            yield f"  {name:<12}{path}"


def _rehearsal(
    origins: RowOrigins,
    placed: Sequence[Mapping[str, Any]],
    labellers: Sequence[Mapping[str, Any]],
    adapters: Sequence[Mapping[str, Any]],
    scores: Sequence[Mapping[str, Any]],
) -> Iterator[str]:
    """What of all this is a rehearsal, by the marks of the rows, with counts."""
    base = "the embedded base model"
    made = {
        "raw rows were replayed by the rehearsal teacher": (origins.replayed, origins.total),
        "rows of the data set are marked as a rehearsal": _marked(placed),
        "categories are labels that the rehearsal teacher replayed": _marked(labellers),
        f"adapters rest on {base} or on rehearsal rows": _marked(adapters),
        f"main scores rest on {base}, rehearsal rows or fixture items": _marked(scores),
    }
    found = {what: counts for what, counts in made.items() if counts[0]}
    if not found:
        return
    whole = all(count == total for count, total in made.values())
    yield from _heading("This is a rehearsal" if whole else "A part of this is a rehearsal")
    for what, (count, total) in found.items():
        yield f"  {count:,} of {total:,} {what}."
    yield "  They show that the chain works. They have no medical meaning and must not be"
    yield "  published."


def _marked(rows: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """How many of the rows are marked as a rehearsal, and of how many."""
    counts = [(row.get("rows", 1), bool(row["rehearsal"])) for row in rows]
    return sum(n for n, marked in counts if marked), sum(n for n, _ in counts)


def _next_steps(settings: Settings, origins: RowOrigins) -> Iterator[str]:
    yield from _heading("Next")
    yield "  Open the UI:             make ui        (then http://127.0.0.1:3000)"
    yield (
        "  Query the store:         .venv/bin/python -m bioinstruct_dagster.store "
        '"select * from funnel"'
    )
    if settings.teacher.name == "rehearsal" and not origins.from_import:
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


def _part(heading: str, lines: Iterator[str]) -> Iterator[str]:
    """A part of the report; nothing if it has no line."""
    if found := list(lines):
        yield from _heading(heading)
        yield from found


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
