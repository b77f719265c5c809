"""The assets of curation: the kept rows, and their categories.

Belongs here: the assets, their metadata, and the teacher's check of kept rows. Does not: the order
of the gates' work (curation.curate_store), labelling (category.labelling), or checks on the assets
(curation.checks).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from bioinstruct_dagster import figures
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
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.gate_order import DROPPING_GATES
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
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

    The table `verdicts` holds the verdict of each gate on each row, with its evidence. A generated
    row passes the novelty gate if the ROUGE-L F1 of its instruction with each seed and each earlier
    kept row is at most 0.7. An imported row passes if no seed and no earlier kept row has the same
    instruction and input. `BIOINSTRUCT_NOVELTY` chooses the rule. A run checks only new and changed
    rows; if a gate's rules changed, that gate checks all rows again.
    """
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
    yield materialization(
        context,
        store,
        "deduplicated_instructions",
        kept["fingerprint"] or "empty",
        extra=_curation_metadata(raw["n"], kept, store.rows(REJECTED_BY_RULE), counts)
        | {"rows_not_judged_by_english_rules": _rows_not_judged(store)}
        | ({"rejected_more_than_half": warning} if drops else {}),
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
    raw: int, kept: Mapping[str, Any], rejected: Sequence[Mapping[str, Any]], counts: CurationCounts
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
        "repeat_in_meaning": counts.repeat_in_meaning,
        **{f"checked_now_{gate}": rows for gate, rows in counts.checked.items()},
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
    """The kept rows, each labelled with one of four categories.

    The categories are information extraction, question answering, generation and other. The teacher
    labels rows in batches of 20, as structured output. The embedded classifier labels the rows that
    the teacher does not label. The column `labelled_by` names the labeller. The view
    `category_review` lists the rows with an uncertain label: the classifier's confidence is low, or
    the teacher gave two different labels.
    """
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
    shares = Counter(row["category"] for row in labelling.rows)
    yield materialization(
        context,
        store,
        "categorized_instructions",
        sha256_of_rows(labelling.rows, CATEGORIZED_COLUMNS),
        extra={
            "shares": dg.MetadataValue.md(
                figures.bars("Rows by category", dict(shares.most_common()))
            ),
            "labelled_by": dg.MetadataValue.json(
                dict(Counter(row["labelled_by"] for row in labelling.rows).most_common())
            ),
            "labelled_by_teacher": labelling.by_teacher,
            "labelled_by_classifier": labelling.by_classifier,
            "rows_to_review": labelling.to_review,
            **_label_quality(labelling),
            "completions_asked": labelling.tally.asked,
            **{f"share_{category}": n / len(labelling.rows) for category, n in shares.items()},
        },
    )


def _label_quality(labelling: Labelling) -> dict[str, Any]:
    """Metadata on the labels' quality: the teacher's agreement with itself, and the classifier's
    calibration.
    """
    metadata: dict[str, Any] = {}
    if agreement := labelling.agreement:
        share, kappa = agreement.share, agreement.kappa
        metadata["labelled_twice"] = agreement.compared
        metadata["two_way_agreement"] = "nothing compared" if share is None else share
        metadata["cohens_kappa"] = "undefined" if kappa is None else kappa
        if agreement.rehearsal:
            for name in ("two_way_agreement", "cohens_kappa"):
                metadata[name] = "not measured: recorded labels always agree with themselves"
    if calibration := labelling.calibration:
        metadata["classifier_cross_validated_accuracy"] = calibration.accuracy
        metadata["classifier_calibration_error"] = calibration.expected_calibration_error
        metadata["classifier_reliability"] = dg.MetadataValue.md(
            markdown_table(calibration.table())
        )
    return metadata
