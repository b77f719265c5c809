"""The assets of curation: the kept rows, and their categories.

Belongs here: the assets, their metadata, and the teacher's check of kept rows. Does not: the order
of the gates' work (curation.curate_store), labelling (category.labelling), or checks on the assets
(curation.checks).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from bioinstruct_dagster.curation.category.labelling import Labelling, label_rows
from bioinstruct_dagster.curation.curate_rows import (
    meaning_filter,
    novelty_checker,
    novelty_method,
    row_gates,
)
from bioinstruct_dagster.curation.curate_store import CurationCounts, curate, write_labels
from bioinstruct_dagster.curation.large_drops import drops_as_markdown, large_drops
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.quality.gate import QualityGate
from bioinstruct_dagster.curation.quality.llm_checks import needs_teacher
from bioinstruct_dagster.curation.quality.rule_settings import QualityRule
from bioinstruct_dagster.curation.quality.teacher_verdicts import (
    ask_about_kept_rows,
    write_teacher_verdicts,
)
from bioinstruct_dagster.curation.shown import (
    funnel_sentence,
    kept_cards,
    labelled_cards,
    rejected_cards,
    shares_sentence,
)
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import percent_number
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.gate_order import DROPPING_GATES
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    rows_and_change,
)
from bioinstruct_dagster.store.step_failures import stating_errors
from bioinstruct_dagster.teacher.session import open_session

PENDING_MESSAGE = (
    "%s requests are with the Batch API. The sensor batch_results starts a run when they are done."
)

SEED_INSTRUCTIONS = "select seed_id, instruction, input, output from seed_tasks order by ordinal"
COUNT_RAW_ROWS = """
    select count(*) as n, coalesce(bool_and(starts_with(source, 'import:')), false) as imported
    from raw_instructions
"""
KEPT_ROWS = """
    select row_id, ordinal, instruction, input, output, rehearsal
    from deduplicated_instructions
    order by ordinal
"""
KEPT_SUMMARY = """
    select
        count(*) as kept,
        count(*) filter (where len(repaired) > 0) as repaired,
        count(*) filter (where len(flags) > 0) as flagged,
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
# Rows that rules of English words did not judge, by reason: their script or their language.
ROWS_NOT_JUDGED = """
    select because, count(distinct row_id) as rows
    from (
        select row_id, unnest(json_keys(evidence -> 'not_judged_by')) as because
        from verdicts
        semi join raw_instructions using (row_id)
        where gate = 'quality' and verdict = 'keep'
    )
    group by because
    order by because
"""
AGREEMENT, KAPPA = "agreement of two labels (%)", "Cohen's kappa"  # keys of metadata
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
    """The raw rows that pass four gates: quality, privacy, contamination and novelty. The table
    `verdicts` holds each gate's verdict on each row. A run checks only new and changed rows.
    """
    # A generated row passes the novelty gate if the ROUGE-L F1 of its instruction with each seed
    # and each earlier kept row is at most 0.7. An imported row passes if no seed and no earlier
    # kept row has the same instruction and input. If a gate's rules changed, that gate checks all
    # rows again.
    seeds = [
        NamedInstruction(row["seed_id"], row["instruction"], row["input"], row["output"])
        for row in store.rows(SEED_INSTRUCTIONS)
    ]
    raw = store.rows(COUNT_RAW_ROWS)[0]
    if not raw["n"]:
        raise StatedError("There are no raw rows. Materialize key:raw_instructions first.")
    gates = row_gates(settings)
    rules = next(gate.rules for gate in gates if isinstance(gate, QualityGate))
    teacher_check = TeacherQualityCheck(context, store, settings, rules)
    counts = curate(
        store,
        seeds,
        gates,
        context.log.info,
        meaning=meaning_filter(settings),
        ask_teacher=teacher_check if teacher_check.needed else None,
        check_many=novelty_checker(settings),
        novelty=novelty_method(settings, imported=raw["imported"]),
    )
    if teacher_check.pending:
        context.log.info(PENDING_MESSAGE, teacher_check.pending)
        return
    kept = store.rows(KEPT_SUMMARY)[0]
    drops = large_drops(store)
    for drop in drops:
        context.log.warning("%s\n%s", drop, markdown_table(drop.examples))
    warning = dg.MetadataValue.md(drops_as_markdown(drops, markdown_table))
    fingerprint = kept["fingerprint"] or "empty"
    yield materialization(
        context,
        store,
        "deduplicated_instructions",
        fingerprint,
        extra=_curation_metadata(context, raw["n"], kept, store.rows(REJECTED_BY_RULE), counts)
        | ({"rejected more than half": warning} if drops else {})
        | {
            "five kept rows": dg.MetadataValue.md(kept_cards(store, fingerprint)),
            "five rejected rows": dg.MetadataValue.md(rejected_cards(store, fingerprint)),
            "not judged by English rules": _rows_not_judged(store),
        },
        preview=False,
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
        self.needed = needs_teacher(rules)
        self.pending = 0
        self._context, self._store, self._settings = context, store, settings
        self._rules = rules

    def __call__(self) -> bool:
        """Ask about the kept rows not asked about before; return whether any verdict changed."""
        log, run_id = self._context.log, self._context.run.run_id
        with open_session(self._settings, self._store, log.info, run_id=run_id) as session:
            tally = ask_about_kept_rows(session)
            changed = write_teacher_verdicts(session, self._rules)
        self.pending = tally.pending
        for message in tally.errors:
            log.warning("A request failed; the next run will send it again: %s", message)
        if tally.stopped:
            log.warning("The teacher did not check all kept rows: %s", tally.stopped)
        return changed and not self.pending


def _curation_metadata(
    context: dg.AssetExecutionContext,
    raw: int,
    kept: Mapping[str, Any],
    rejected: Sequence[Mapping[str, Any]],
    counts: CurationCounts,
) -> dict[str, Any]:
    by_gate = {
        gate: sum(row["rows"] for row in rejected if row["gate"] == gate) for gate in DROPPING_GATES
    }
    rows = rows_and_change(context, "deduplicated_instructions", kept["kept"], "kept row")
    funnel = {
        "raw rows": raw,
        **{f"rejected: {gate}": n for gate, n in by_gate.items()},
        "kept": kept["kept"],
    }
    return {
        "summary": dg.MetadataValue.md(
            summary(
                funnel_sentence(rows, raw, kept["kept"], by_gate),
                bars("From raw rows to kept ones", funnel, "rows", of=raw),
            )
        ),
        "kept (%)": percent_number(kept["kept"] / raw),
        "repaired": kept["repaired"],
        "flagged": kept["flagged"],
        "repeats in meaning": counts.repeat_in_meaning,
        "rejected by reason": dg.MetadataValue.md(
            markdown_table(
                [
                    {
                        "gate": row["gate"],
                        "reason": row["reason"].replace("_", " "),
                        "rows": row["rows"],
                    }
                    for row in rejected
                ]
            )
        ),
        "checked in this run": ", ".join(f"{gate} {n:,}" for gate, n in counts.checked.items())
        or "nothing",
    }


def _rows_not_judged(store: Store) -> str:
    found = [f"{row['rows']:,} by their {row['because']}" for row in store.rows(ROWS_NOT_JUDGED)]
    return ", ".join(found) or "none"


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
    """The kept rows, each labelled with one of four categories by the teacher, or else by the
    embedded classifier. The view `category_review` lists the rows with an uncertain label.
    """
    # A label is uncertain if the classifier's confidence is low, or if the teacher gave two
    # different labels.
    kept = store.rows(KEPT_ROWS)
    if not kept:
        raise StatedError(
            "There are no kept rows. Materialize key:deduplicated_instructions first. If it kept "
            "none, the view rejected_instructions gives the reasons."
        )
    run_id = context.run.run_id
    with open_session(settings, store, context.log.info, run_id=run_id) as session:
        labelling = label_rows(kept, session, review_below=settings.curation.category_confidence)
    if labelling.tally.pending:
        context.log.info(PENDING_MESSAGE, labelling.tally.pending)
        return
    if labelling.tally.stopped:
        context.log.warning(
            "The teacher stopped, so the embedded classifier labelled the other rows: %s",
            labelling.tally.stopped,
        )
    write_labels(store, labelling)
    # All four, so that each curve over the runs has a point at each run.
    shares = dict.fromkeys(CATEGORIES, 0) | Counter(row["category"] for row in labelling.rows)
    rows = rows_and_change(context, "categorized_instructions", len(labelling.rows), "labelled row")
    fingerprint = sha256_of_rows(labelling.rows, CATEGORIZED_COLUMNS)
    by = Counter(row["labelled_by"] for row in labelling.rows)
    yield materialization(
        context,
        store,
        "categorized_instructions",
        fingerprint,
        extra={
            "summary": dg.MetadataValue.md(
                summary(
                    shares_sentence(rows, shares, labelling.to_review),
                    bars("Rows by category", shares, "rows"),
                )
            ),
            **{
                f"share of {category.replace('_', ' ')} (%)": percent_number(
                    n / len(labelling.rows)
                )
                for category, n in shares.items()
            },
            "rows to review": labelling.to_review,
            **_label_quality(labelling),
            "labels by": ", ".join(f"{name}: {n:,}" for name, n in by.most_common()),
            "labels by the teacher": labelling.by_teacher,
            "replies paid for": labelling.tally.asked,
            "five rows": dg.MetadataValue.md(labelled_cards(store, fingerprint)),
        },
        preview=False,
    )


def _label_quality(labelling: Labelling) -> dict[str, Any]:
    """Metadata on the labels' quality: the teacher's agreement with itself, and the classifier's
    calibration.
    """
    metadata: dict[str, Any] = {}
    if agreement := labelling.agreement:
        share, kappa = agreement.share, agreement.kappa
        metadata["labelled twice"] = agreement.compared
        metadata[AGREEMENT] = "nothing compared" if share is None else percent_number(share)
        metadata[KAPPA] = "undefined" if kappa is None else round(kappa, 3)
        if agreement.rehearsal:
            for name in (AGREEMENT, KAPPA):
                metadata[name] = "not measured: recorded labels always agree with themselves"
    if calibration := labelling.calibration:
        metadata["accuracy of the classifier (%)"] = percent_number(calibration.accuracy)
        metadata["error of its confidence (%)"] = percent_number(
            calibration.expected_calibration_error
        )
        metadata["confidence of the classifier"] = dg.MetadataValue.md(
            markdown_table(calibration.table())
        )
    return metadata
