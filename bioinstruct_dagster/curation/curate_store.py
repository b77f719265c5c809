"""Brings a whole store up to date: the gates check its raw rows, and the kept rows are written.

A gate checks only rows that it has not checked yet, or that an earlier version of it checked. The
row gates come first; the novelty filter compares the rows that pass them. Belongs here: this order
of work, and the tables of kept and of labelled rows. Does not: what a gate rejects (the gate's
package), or reading and writing verdicts (curation.verdicts).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bioinstruct_dagster.curation.category.labelling import Labelling
from bioinstruct_dagster.curation.gates import Gate
from bioinstruct_dagster.curation.novelty.gate import (
    check_novelty_from_first_change,
    novelty_version,
    passing_and_checked,
)
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter
from bioinstruct_dagster.curation.novelty.meaning_verdicts import reject_repeated_meanings
from bioinstruct_dagster.curation.novelty.methods import ROUGE, NoveltyMethod
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
from bioinstruct_dagster.curation.novelty.stored_index import CheckNovelty
from bioinstruct_dagster.curation.quality.teacher_verdicts import remove_teacher_verdicts
from bioinstruct_dagster.curation.tokens.compilation import telling_of_compilation
from bioinstruct_dagster.curation.verdicts import (
    check_outdated_rows,
    record_version,
    replace_verdicts,
    verdict_rows,
    withhold_identifiers,
)
from bioinstruct_dagster.progress import progress_to
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of

INSERT_KEPT_ROWS = """
    insert into deduplicated_instructions by name
    with {passing_and_checked},
    flagged as (
        select row_id, list_sort(list(distinct gate || ': ' || rule)) as flags
        from verdicts
        where verdict = 'flag' and gate <> 'category'
        group by row_id
    ),
    dropped as (select row_id from verdicts where gate = 'novelty' and verdict = 'reject')
    select
        row_id, ordinal, instruction, input, output, repaired,
        coalesce(flagged.flags, []) as flags, rehearsal
    from passing
    semi join checked using (row_id, text_sha256)
    anti join dropped using (row_id)
    left join flagged using (row_id)
    order by ordinal
"""
DELETE_KEPT_ROWS = "delete from deduplicated_instructions"
DELETE_LABELLED_ROWS = "delete from categorized_instructions"
# A verdict of the category gate is written again if any of these columns changed.
COMPARED_COLUMNS = (
    "row_id", "rule", "version", "verdict", "score", "evidence", "gate_version", "text_sha256",
)  # fmt: skip
CATEGORY_VERDICTS = f"select {', '.join(COMPARED_COLUMNS)} from verdicts where gate = 'category'"


@dataclass
class CurationCounts:
    """How many rows each gate had to check, and how many rows repeat another in meaning."""

    checked: dict[str, int] = field(default_factory=dict)
    repeat_in_meaning: int = 0


def curate(
    store: Store,
    seeds: Sequence[NamedInstruction],
    gates: Sequence[Gate],
    log: Callable[[str], None],
    *,
    meaning: MeaningFilter | None = None,
    ask_teacher: Callable[[], bool] | None = None,
    check_many: CheckNovelty | None = None,
    novelty: NoveltyMethod = ROUGE,
) -> CurationCounts:
    """Check all rows without a valid verdict, and write `deduplicated_instructions`.

    Args:
        store: the store of raw rows and verdicts.
        seeds: instructions that no row may repeat.
        gates: the row gates, in their order.
        log: takes lines for the user.
        meaning: rejects rows that repeat another in other words; None to keep them.
        ask_teacher: asks a teacher about the kept rows, writes its verdicts, and returns whether
            any verdict changed. If so, novelty is checked again, because a row that the teacher
            rejects may make room for others, and the teacher is asked about those.
        check_many: checks very many rows by the rule `rouge`, as on a cluster; None for this
            process.
        novelty: how rows are compared with earlier rows.
    """
    counts = CurationCounts()
    for gate in gates:
        with progress_to(log):
            counts.checked[gate.name] = check_outdated_rows(store, gate)
        log(f"{gate.name}: {counts.checked[gate.name]:,} rows checked.")
    withhold_identifiers(store)
    counts.checked["novelty"] = 0
    if ask_teacher is None:
        remove_teacher_verdicts(store)
    while True:
        with telling_of_compilation(log), progress_to(log):
            counts.checked["novelty"] += check_novelty_from_first_change(
                store, seeds, check_many, novelty
            )
        counts.repeat_in_meaning = reject_repeated_meanings(
            store, meaning, with_inputs=novelty.compares_inputs
        )
        with store.write() as connection:
            connection.execute(DELETE_KEPT_ROWS)
            connection.execute(
                INSERT_KEPT_ROWS.format(passing_and_checked=passing_and_checked(novelty)),
                {"version": novelty_version(seeds, novelty)},
            )
        if ask_teacher is None or not ask_teacher():
            break
    log(f"novelty: {counts.checked['novelty']:,} rows checked.")
    return counts


def write_labels(store: Store, labelling: Labelling) -> None:
    """Write `categorized_instructions`, and the category gate's verdicts on its rows."""
    version = sha256_of(labelling.made_of)[:8]
    rows = {row["row_id"]: row for row in labelling.rows}
    verdicts = [
        verdict
        for row_id, finding in labelling.findings()
        for verdict in verdict_rows(
            "category", version, rows[row_id], [finding], [rows[row_id]["instruction"]]
        )
    ]
    before = {tuple(row.values()) for row in store.rows(CATEGORY_VERDICTS)}
    changed = [
        row for row in verdicts if tuple(row[name] for name in COMPARED_COLUMNS) not in before
    ]
    removed = {row_id for row_id, *_ in before} - rows.keys()  # no longer kept, so without category
    with store.write() as connection:
        record_version(connection, "category", version, labelling.made_of)
        connection.execute(DELETE_LABELLED_ROWS)
        insert(connection, "categorized_instructions", labelling.rows)
        replaced = [*removed, *(row["row_id"] for row in changed)]
        replace_verdicts(connection, "category", replaced, changed)
