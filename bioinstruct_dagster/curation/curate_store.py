"""Brings a whole store up to date: the gates check its raw rows, and the kept rows are written.

Only what is not checked yet, or was checked by an earlier version of a gate, is checked: first by
the row gates, then for novelty among the rows that they let pass. Belongs here: that order of work,
and the tables of kept and of labelled rows. Does not: what a gate rejects (the gate's package), or
reading and writing verdicts (curation.verdicts).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bioinstruct_dagster.curation.category.labelling import Labelling
from bioinstruct_dagster.curation.gates import Gate
from bioinstruct_dagster.curation.novelty.gate import (
    PASSING_AND_CHECKED,
    check_novelty_from_first_change,
    novelty_version,
)
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter
from bioinstruct_dagster.curation.novelty.meaning_verdicts import reject_repeated_meanings
from bioinstruct_dagster.curation.novelty.rule import NamedInstruction, check_in_process
from bioinstruct_dagster.curation.novelty.stored_index import CheckNovelty
from bioinstruct_dagster.curation.quality.teacher_verdicts import forget_teachers_word
from bioinstruct_dagster.curation.verdicts import (
    check_stale,
    record_version,
    replace_verdicts,
    verdict_rows,
    withhold_identifiers,
)
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of

WRITE_KEPT = f"""
    insert into deduplicated_instructions by name
    with {PASSING_AND_CHECKED},
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
FORGET_KEPT = "delete from deduplicated_instructions"
FORGET_LABELLED = "delete from categorized_instructions"
# A verdict on a category is written again where any of these is another.
COMPARED = (
    "row_id", "rule", "version", "verdict", "score", "evidence", "gate_version", "text_sha256",
)  # fmt: skip
CATEGORY_VERDICTS = f"select {', '.join(COMPARED)} from verdicts where gate = 'category'"


@dataclass
class CurationCounts:
    """What was done: rows that each gate had to check; the others' verdicts still held."""

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
    check_many: CheckNovelty = check_in_process,
) -> CurationCounts:
    """Check what is not checked, and write `deduplicated_instructions`.

    Args:
        store: of raw rows and verdicts.
        seeds: what no row may repeat.
        gates: those that check each row by itself, in their order.
        log: takes lines for the user.
        meaning: drops rows that say the same in other words; None to leave them.
        ask_teacher: asks a teacher about the kept rows and writes down what it says; whether that
            is new. Asked again until it is not, since a dropped row no longer stands in the way of
            others.
        check_many: checks novelty where rows are many: here, or on a cluster.
    """
    done = CurationCounts()
    for gate in gates:
        done.checked[gate.name] = check_stale(store, gate)
        log(f"{gate.name}: {done.checked[gate.name]:,} rows checked.")
    withhold_identifiers(store)
    done.checked["novelty"] = 0
    if ask_teacher is None:
        forget_teachers_word(store)
    while True:
        done.checked["novelty"] += check_novelty_from_first_change(store, seeds, check_many)
        done.repeat_in_meaning = reject_repeated_meanings(store, meaning)
        with store.write() as connection:
            connection.execute(FORGET_KEPT)
            connection.execute(WRITE_KEPT, {"version": novelty_version(seeds)})
        if ask_teacher is None or not ask_teacher():
            break
    log(f"novelty: {done.checked['novelty']:,} rows checked.")
    return done


def write_labels(store: Store, labelling: Labelling) -> None:
    """Write `categorized_instructions`, and what the category gate says of its rows."""
    version = sha256_of(labelling.made_of)[:8]
    rows = {row["row_id"]: row for row in labelling.rows}
    said = [
        verdict
        for row_id, finding in labelling.findings()
        for verdict in verdict_rows(
            "category", version, rows[row_id], [finding], [rows[row_id]["instruction"]]
        )
    ]
    before = {tuple(row.values()) for row in store.rows(CATEGORY_VERDICTS)}
    changed = [row for row in said if tuple(row[name] for name in COMPARED) not in before]
    gone = {row_id for row_id, *_ in before} - rows.keys()  # no longer kept, so of no category
    with store.write() as connection:
        record_version(connection, "category", version, labelling.made_of)
        connection.execute(FORGET_LABELLED)
        insert(connection, "categorized_instructions", labelling.rows)
        replaced = [*gone, *(row["row_id"] for row in changed)]
        replace_verdicts(connection, "category", replaced, changed)
