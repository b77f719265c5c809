"""The asset `raw_instructions`: rows that the teacher wrote, or rows of an imported set.

Belongs here: the run's configuration, one round towards the goal, and the metadata in the UI. Does
not: which requests are sent (goal), sending them (teacher.rounds), or reading replies (raw_rows).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from pydantic import Field, ValidationError

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import number_of, percent
from bioinstruct_dagster.generation import raw_rows as raw
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.goal import GateMaker, GoalFeed, goal_feed
from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.read_set import read_instruction_set
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.generation.spending import cost_in_words, spend_metadata
from bioinstruct_dagster.input_files import shown
from bioinstruct_dagster.seeds.tasks import STORED_SEEDS, SeedTask
from bioinstruct_dagster.settings import MAX_CAP_TOKENS, MAX_CAP_USD, MAX_ROWS, Settings
from bioinstruct_dagster.settings.generation import ImportSettings
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, materialization, rows_and_change
from bioinstruct_dagster.store.step_failures import StepConfig, stating_errors
from bioinstruct_dagster.teacher.completions import answered_by
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.money.estimates import Estimate
from bioinstruct_dagster.teacher.rounds import pursue
from bioinstruct_dagster.teacher.session import TeacherSession, open_session

# The page shows no text of a raw row: no gate has checked it yet, and Dagster's events are
# permanent, so an identifier in them could not be removed.
TEXTS_ELSEWHERE = (
    "No gate has checked these rows, so their texts are not shown here. The page of "
    "deduplicated_instructions shows five kept and five rejected rows."
)
RAW_COLUMNS = (
    "row_id",
    "ordinal",
    "completion_id",
    "source",
    "instruction",
    "input",
    "output",
    "rehearsal",
)

# Of the replies behind the rows, which earlier runs may have asked for under other settings.
REQUESTS_BEHIND_THE_ROWS = """
    select completion.teacher, model_asked, model_answered, completion.rehearsal, reply_format,
        service, template_id || ' (' || template_sha256[:12] || ')' as template
    from raw_instructions
    join completions as completion using (completion_id)
    group by all
    order by count(*) desc, teacher, model_answered
"""


class RawInstructionsConfig(StepConfig):
    """What a run may change. A field without a value takes the setting."""

    instructions: int | None = Field(
        None,
        ge=1,
        le=MAX_ROWS,
        description="The goal: how many rows pass the gates (default: BIOINSTRUCT_INSTRUCTIONS).",
    )
    grow_by: int = Field(
        0, ge=0, le=MAX_ROWS, description="Raise the goal to this many rows more than are kept now."
    )
    requests: int | None = Field(
        None,
        ge=1,
        le=MAX_ROWS,
        description="The most requests to use (default: BIOINSTRUCT_REQUESTS).",
    )
    max_usd: float | None = Field(
        None,
        ge=0,
        le=MAX_CAP_USD,
        allow_inf_nan=False,
        description="The most US dollars this run may spend (default: BIOINSTRUCT_RUN_MAX_USD).",
    )
    max_tokens: int | None = Field(
        None,
        ge=0,
        le=MAX_CAP_TOKENS,
        description="The most tokens this run may use (default: BIOINSTRUCT_RUN_MAX_TOKENS).",
    )
    seed: int | None = Field(
        None, ge=0, le=2**32 - 1, description="The run seed (default: BIOINSTRUCT_SEED)."
    )
    import_from: str | None = Field(
        None,
        description=(
            "A file or hub id to import instead of generating rows (default: BIOINSTRUCT_IMPORT)."
        ),
    )
    import_columns: str | None = Field(
        None,
        description=(
            "The names of the imported columns, such as instruction=question,output=answer "
            "(default: BIOINSTRUCT_IMPORT_COLUMNS)."
        ),
    )
    import_split: str | None = Field(
        None,
        description="The split of a hub data set to import (default: BIOINSTRUCT_IMPORT_SPLIT).",
    )


@dg.asset(
    group_name="generation",
    kinds={"openai", "json", "duckdb"},
    owners=OWNERS,
    code_version="2",
    deps=["seed_tasks"],
    output_required=False,
)
@stating_errors
def raw_instructions(
    context: dg.AssetExecutionContext,
    config: RawInstructionsConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
    gate: dg.ResourceParam[GateMaker],
) -> Iterator[dg.MaterializeResult[None]]:
    """New tasks as the teacher wrote them (Self-Instruct), or the rows of an imported set. A run
    sends requests until enough rows pass the gates or a cap is reached. No reply is paid for twice.
    """
    # Each request shows the teacher three randomly drawn seed tasks, names the kinds of task that
    # the kept rows lack, and asks for new tasks. Every reply is stored under the hash of its
    # request before it is parsed. With the Batch API, a run ends after it has submitted its
    # batches; the sensor batch_results starts a run that stores their replies. docs/generation.md
    # and docs/imports.md say more.
    imports = _import_settings(config, settings)
    if imports.source:
        try:
            yield _import_set(context, imports, store)
        except ImportedSetError as error:
            raise StatedError(_by_run_config(str(error), config, settings)) from None
        return

    seeds = [SeedTask(**row) for row in store.rows(STORED_SEEDS)]
    if not seeds:
        raise StatedError("There are no seed tasks. Materialize key:seed_tasks first.")
    run_seed = settings.runs.seed if config.seed is None else config.seed
    controls = read_controls(settings.generation.controls) if settings.generation.controls else None
    expected: list[Estimate] = []
    with open_session(
        settings,
        store,
        context.log.info,
        run_id=context.run.run_id,
        run_max_usd=config.max_usd,
        run_max_tokens=config.max_tokens,
    ) as session:
        series = Series(
            seeds,
            session.teacher,
            session.model,
            run_seed,
            settings.generation.tasks_per_request,
            session.reply_format,
            controls.sha256 if controls else None,
            session.terms.output_limits,
        )
        feed, tally = pursue(
            session,
            lambda: goal_feed(
                series,
                store,
                gate(seeds),
                goal=config.instructions or settings.generation.instructions,
                grow_by=config.grow_by,
                limit=config.requests or settings.generation.requests,
                controls=controls,
                concurrency=settings.teacher.concurrency,
            ),
            purpose="generation",
            announce=expected.append,
        )
    for message in tally.errors:
        context.log.warning("A request failed. The next run sends it again: %s", message)
    if tally.over_limit:
        context.log.warning(tally.over_limit)
    advice = feed.cut_advice()
    if tally.pending:
        if advice:
            context.log.warning(advice)
        context.log.info(
            "The Batch API is processing %s requests. The sensor batch_results starts a run when "
            "they are done.",
            tally.pending,
        )
        return
    if why := _stop_reason(feed, tally):
        context.log.warning("Stopped before the goal: %s", why)
    if advice and advice != why:
        context.log.warning(advice)
    yield _materialize(
        context,
        session,
        feed,
        tally=tally,
        expected=expected,
        run_seed=run_seed,
    )


def _materialize(
    context: dg.AssetExecutionContext,
    session: TeacherSession,
    feed: GoalFeed,
    *,
    tally: Tally,
    expected: Sequence[Estimate],
    run_seed: int,
) -> dg.MaterializeResult[None]:
    store = session.store
    rows, outcomes = raw.raw_rows(store, feed.completion_ids())
    if not rows:
        _add_outcomes(store, outcomes)
        raise StatedError(
            _stop_reason(feed, tally)
            or feed.cut_advice()
            or f"None of the {len(outcomes)} replies holds a readable task. The table completions "
            "keeps their text; look there for what the teacher wrote."
        )
    store.replace({"raw_instructions": rows, "completion_outcomes": outcomes})
    behind = store.rows(REQUESTS_BEHIND_THE_ROWS)
    spent = spend_metadata(store, feed.kept)
    return materialization(
        context,
        store,
        "raw_instructions",
        sha256_of_rows(rows, RAW_COLUMNS),
        preview=False,  # see TEXTS_ELSEWHERE
        extra={
            "summary": dg.MetadataValue.md(
                summary(
                    f"{rows_and_change(context, 'raw_instructions', len(rows), 'raw row')} from "
                    f"{number_of(len(outcomes), 'reply')}. The gates keep {feed.kept:,} "
                    f"({percent(feed.kept / len(rows))}). {cost_in_words(spent)}",
                    bars(
                        "Replies of the teacher by outcome",
                        dict(Counter(o["outcome"] for o in outcomes).most_common()),
                        "replies",
                    ),
                )
            ),
            "rows that the gates keep": feed.kept,
            "stopped": _stop_reason(feed, tally)
            or ("at the goal" if feed.kept >= feed.goal else "at BIOINSTRUCT_REQUESTS"),
            **({"billed above limit": tally.over_limit} if tally.over_limit else {}),
            **spent,
            # As text: the UI would plot numbers of an estimate beside those of what came true. An
            # observation before the first request would tear the curves of the other numbers.
            **({"estimate": str(expected[-1])} if expected else {}),
            "replies paid for": tally.asked,
            "replies reused": tally.reused,
            "replies for later": feed.unused_completions(),
            "requests failed": tally.failed,
            "requests retried": tally.retried,
            "rate limited": tally.rate_limited,
            "kept rows a request": round(feed.kept / len(outcomes), 2),
            "tasks a reply": round(len(rows) / len(outcomes), 2),
            "teacher": ", ".join(dict.fromkeys(map(answered_by, behind))),
            **{
                name.replace("_", " "): ", ".join(dict.fromkeys(row[name] for row in behind))
                for name in ("template", "reply_format", "service")
            },
            # As text: the UI would plot them, and they are choices.
            "goal": f"{feed.goal:,} kept rows",
            "run seed": str(run_seed),
            "texts": TEXTS_ELSEWHERE,
        },
    )


def _add_outcomes(store: Store, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Store the outcomes of replies without a readable task; the present set stays as it is."""
    with store.write() as connection:
        connection.execute(
            "delete from completion_outcomes "
            "where completion_id in (select unnest($ids::varchar[]))",
            {"ids": [outcome["completion_id"] for outcome in outcomes]},
        )
        insert(connection, "completion_outcomes", outcomes)


def _stop_reason(feed: GoalFeed, tally: Tally) -> str | None:
    """Why generation ended before its goal; None if the goal was reached.

    A low yield of stored replies ends it too, even if no request was sent.
    """
    return None if feed.kept >= feed.goal else tally.stopped or feed.stopped


def _import_settings(config: RawInstructionsConfig, settings: Settings) -> ImportSettings:
    """What to import: the run's configuration, and the settings where it says nothing."""
    given = {
        "source": config.import_from,
        "columns": config.import_columns or None,
        "split": config.import_split or None,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    try:
        return ImportSettings.model_validate({**dict(settings.imports), **changed})
    except ValidationError as error:
        said = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())
        message = f"Run configuration of raw_instructions: import_columns: {said}."
        raise StatedError(message) from None


def _by_run_config(message: str, config: RawInstructionsConfig, settings: Settings) -> str:
    """An import's message, with the run's fields in place of variables that said nothing.

    A variable keeps its name if it gave the value, because then it is what the user must mend.
    """
    if config.import_from is None:
        return message
    plain = ImportSettings()
    named = {
        "BIOINSTRUCT_IMPORT_COLUMNS": (
            "import_columns",
            bool(config.import_columns) or settings.imports.columns == plain.columns,
        ),
        "BIOINSTRUCT_IMPORT_SPLIT": (
            "import_split",
            bool(config.import_split) or settings.imports.split == plain.split,
        ),
        "BIOINSTRUCT_IMPORT": ("import_from", True),
    }
    for variable, (field, is_of_run) in named.items():
        if is_of_run:
            message = re.sub(rf"\b{variable}=(?=\w)", f"{field}: ", message)
            message = re.sub(rf"\b{variable}\b", field, message)
    return f"Run configuration of raw_instructions: {message}"


def _import_set(
    context: dg.AssetExecutionContext, imports: ImportSettings, store: Store
) -> dg.MaterializeResult[None]:
    found = read_instruction_set(imports.source, imports.columns, imports.split)
    context.log.info(
        "Imported %s rows from %s. Columns: %s",
        len(found.rows),
        shown(imports.source),
        found.columns,
    )
    for note in found.notes:
        context.log.warning("Import: %s", note)
    rows = raw.imported_rows(found.rows, found.identity)
    store.replace({"raw_instructions": rows, "completion_outcomes": []})
    notes = "\n".join(f"- {note}" for note in found.notes) or "none"
    return materialization(
        context,
        store,
        "raw_instructions",
        sha256_of_rows(rows, RAW_COLUMNS),
        preview=False,  # see TEXTS_ELSEWHERE
        extra={
            "summary": dg.MetadataValue.md(
                summary(
                    f"{rows_and_change(context, 'raw_instructions', len(rows), 'raw row')}, "
                    f"imported from {shown(imports.source)}. {number_of(len(found.notes), 'note')}."
                )
            ),
            "imported from": found.identity,
            "columns": found.columns,
            "import notes": dg.MetadataValue.md(notes),
            "texts": TEXTS_ELSEWHERE,
        },
    )
