"""Curation as assets: what is kept, and what kind of task it is."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from bioinstruct_dagster import figures
from bioinstruct_dagster.curation.category.labelling import Labelling, label_rows
from bioinstruct_dagster.curation.curate_rows import meaning_filter, novelty_checker, row_gates
from bioinstruct_dagster.curation.curate_store import CurationCounts, curate, write_labels
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.curation.quality.llm_checks import asked_for
from bioinstruct_dagster.curation.quality.rules import QualityRule
from bioinstruct_dagster.curation.quality.teacher_verdicts import (
    ask_about_kept_rows,
    write_teachers_verdicts,
)
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.gate_order import DROPPING_GATES
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    stating_errors,
)
from bioinstruct_dagster.teacher.session import open_session

PENDING = (
    "%s requests are with the Batch API. The sensor batch_results starts a run when they are done."
)

SEED_INSTRUCTIONS = "select seed_id, instruction from seed_tasks order by ordinal"
RAW_ROWS = "select count(*) as n from raw_instructions"
KEPT_IN_ORDER = """
    select row_id, ordinal, instruction, input, output, rehearsal
    from deduplicated_instructions
    order by ordinal
"""
KEPT_SUMMARY = """
    select
        count(*) as kept,
        count(*) filter (where len(repaired) > 0) as repaired,
        count(*) filter (where len(flags) > 0) as flagged,
        coalesce(bool_or(rehearsal), false) as rehearsal,
        sha256(string_agg(
            sha256(concat_ws(chr(31), row_id, instruction, input, output)), '' order by ordinal
        )) as fingerprint
    from deduplicated_instructions
"""
REJECTED_BY_RULE = """
    select gate, reason, count(*) as rows
    from rejected_instructions
    group by gate, reason
    order by rows desc, gate, reason
"""
CATEGORIZED_COLUMNS = (
    "row_id",
    "instruction",
    "input",
    "output",
    "category",
    "labelled_by",
    "rehearsal",
)


@dg.asset(
    group_name="curation",
    kinds={"python", "duckdb"},
    owners=OWNERS,
    code_version="2",
    deps=["seed_tasks", "raw_instructions"],
    output_required=False,
)
@stating_errors
def deduplicated_instructions(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[None]]:
    """The raw rows that pass four gates: quality, privacy, contamination and novelty.

    The table `verdicts` holds the verdict of each gate on each row, with its evidence. A row passes
    the novelty gate if its ROUGE-L F1 with each seed and each earlier kept row is at most 0.7. A
    run checks only new and changed rows; if a gate's rules changed, that gate checks all rows
    again.
    """
    seeds = [
        NamedInstruction(row["seed_id"], row["instruction"])
        for row in store.rows(SEED_INSTRUCTIONS)
    ]
    raw = store.rows(RAW_ROWS)[0]["n"]
    if not raw:
        raise StatedError("There are no raw rows. Materialize key:raw_instructions first.")
    gates = row_gates(settings)
    rules = next(gate.rules for gate in gates if isinstance(gate, QualityGate))
    asking = TeacherQualityCheck(context, store, settings, rules)
    done = curate(
        store,
        seeds,
        gates,
        context.log.info,
        meaning=meaning_filter(settings),
        ask_teacher=asking if asking.wanted else None,
        check_many=novelty_checker(settings),
    )
    if asking.pending:
        context.log.info(PENDING, asking.pending)
        return
    kept = store.rows(KEPT_SUMMARY)[0]
    yield materialization(
        context,
        store,
        "deduplicated_instructions",
        kept["fingerprint"] or "empty",
        rehearsal=kept["rehearsal"],
        extra=_shown(raw, kept, store.rows(REJECTED_BY_RULE), done),
    )


class TeacherQualityCheck:
    """The teacher's check of the kept rows, if a quality rule needs it."""

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        store: Store,
        settings: Settings,
        rules: Sequence[QualityRule],
    ) -> None:
        self.wanted = asked_for(rules)
        self.pending = 0
        self._context, self._store, self._settings = context, store, settings
        self._rules = rules

    def __call__(self) -> bool:
        """Ask about the kept rows that were not asked about; whether any verdict has changed."""
        log, run_id = self._context.log, self._context.run.run_id
        with open_session(self._settings, self._store, log.info, run_id=run_id) as session:
            tally = ask_about_kept_rows(session)
            changed = write_teachers_verdicts(session, self._rules)
        self.pending = tally.pending
        for message in tally.errors:
            log.warning("Request failed, to be asked again by the next run: %s", message)
        if tally.stopped:
            log.warning("Not all kept rows were checked by the teacher: %s", tally.stopped)
        return changed and not self.pending


def _shown(
    raw: int, kept: Mapping[str, Any], rejected: Sequence[Mapping[str, Any]], done: CurationCounts
) -> dict[str, Any]:
    by_gate = {
        f"dropped: {gate}": sum(row["rows"] for row in rejected if row["gate"] == gate)
        for gate in DROPPING_GATES
    }
    funnel = {"raw rows": raw, **by_gate, "kept": kept["kept"]}
    return {
        "funnel": dg.MetadataValue.md(figures.bars("Funnel", funnel)),
        "rejected_by_reason": dg.MetadataValue.json(
            {f"{row['gate']}: {row['reason']}": row["rows"] for row in rejected}
        ),
        "kept_share": kept["kept"] / raw,
        "repaired": kept["repaired"],
        "flagged": kept["flagged"],
        "repeat_in_meaning": done.repeat_in_meaning,
        **{f"checked_now_{gate}": rows for gate, rows in done.checked.items()},
    }


@dg.asset(
    group_name="curation",
    kinds={"openai", "scikitlearn", "duckdb"},
    owners=OWNERS,
    code_version="2",
    deps=["seed_tasks", "deduplicated_instructions"],
    output_required=False,
)
@stating_errors
def categorized_instructions(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.MaterializeResult[None]]:
    """The kept rows, each labelled with one of four categories.

    The categories are information extraction, question answering, generation and other. The teacher
    labels rows in batches of 20, as structured output. The embedded classifier labels the rows that
    the teacher does not label. The column `labelled_by` names the labeller. The view
    `category_review` lists the rows with an uncertain label: the classifier's confidence is low, or
    the teacher gave two different labels.
    """
    kept = store.rows(KEPT_IN_ORDER)
    if not kept:
        raise StatedError(
            "No kept rows. Materialize key:deduplicated_instructions first; where it kept none, "
            "the view rejected_instructions says why."
        )
    run_id = context.run.run_id
    with open_session(settings, store, context.log.info, run_id=run_id) as session:
        labelling = label_rows(kept, session, review_below=settings.curation.category_confidence)
    if labelling.tally.pending:
        context.log.info(PENDING, labelling.tally.pending)
        return
    if labelling.tally.stopped:
        context.log.warning(
            "The embedded classifier labelled the rest: %s", labelling.tally.stopped
        )
    write_labels(store, labelling)
    shares = Counter(row["category"] for row in labelling.rows)
    yield materialization(
        context,
        store,
        "categorized_instructions",
        sha256_of_rows(labelling.rows, CATEGORIZED_COLUMNS),
        rehearsal=any(row["rehearsal"] for row in labelling.rows),
        extra={
            "shares": dg.MetadataValue.md(
                figures.bars("Rows by category", dict(shares.most_common()))
            ),
            "labelled_by_teacher": labelling.by_teacher,
            "labelled_by_classifier": labelling.by_classifier,
            "rows_to_review": labelling.to_review,
            **_measured(labelling),
            "completions_asked": labelling.tally.asked,
            **{f"share_{category}": n / len(labelling.rows) for category, n in shares.items()},
        },
    )


def _measured(labelling: Labelling) -> dict[str, Any]:
    """What is known of the labels' quality: the teacher's second labels, and the classifier's
    account of itself.
    """
    shown: dict[str, Any] = {}
    if labelling.agreement:
        twice = labelling.agreement
        shown["labelled_twice"] = twice.compared
        shown["two_way_agreement"] = twice.share if twice.share is not None else "nothing compared"
        shown["cohens_kappa"] = twice.kappa if twice.kappa is not None else "undefined"
        if twice.rehearsal:
            shown["agreement_note"] = "rehearsal: recorded labels agree with themselves trivially"
    if labelling.calibration:
        known = labelling.calibration
        shown["classifier_cross_validated_accuracy"] = known.accuracy
        shown["classifier_calibration_error"] = known.expected_calibration_error
        shown["classifier_reliability"] = dg.MetadataValue.md(markdown_table(known.table()))
    return shown
