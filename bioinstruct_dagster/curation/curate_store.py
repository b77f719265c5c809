"""A whole store brought up to date: all raw rows checked by all gates, and the kept rows written.

Only what is not checked yet, or was checked by an earlier version of a gate, is checked. Novelty,
which depends on what is kept before, is checked again from the first row whose place, text or fate
has changed. Belongs here: that order of work. Does not: what a gate rejects, or the words of the
store (verdicts).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bioinstruct_dagster.curation.category.labelling import Labelling
from bioinstruct_dagster.curation.curate_rows import novelty_finding
from bioinstruct_dagster.curation.gates import Gate
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter
from bioinstruct_dagster.curation.novelty.meaning_verdicts import look_for_meaning
from bioinstruct_dagster.curation.novelty.rule import THRESHOLD, NamedInstruction, check_here
from bioinstruct_dagster.curation.novelty.stored_index import (
    INDEX_VERSION,
    CheckNovelty,
    StoredIndex,
    write_change,
)
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

PASSING = """
    passing as (
        select *, sha256(instruction)[:16] as text_sha256 from passing_instructions
    ),
    checked as (
        select row_id, text_sha256, verdict
        from verdicts
        where gate = 'novelty' and gate_version = $version and place = 0
    )
"""
# The first row from which novelty has to be checked: one that was not checked so far, one that was
# kept and is no longer there, one that was kept and is missing from the index, or one that was
# dropped for a row that now comes after it (an import in another order).
FIRST_CHANGE = f"""
    with {PASSING},
    standing as (
        select row_id, ordinal as place
        from passing semi join checked using (row_id, text_sha256)
    ),
    kept as (
        select standing.* from standing join checked using (row_id) where verdict = 'keep'
    ),
    overtaking as (
        select standing.place
        from standing
        join verdicts as said
            on said.row_id = standing.row_id and said.gate = 'novelty' and said.verdict = 'reject'
        join raw_instructions as nearest on nearest.row_id = (said.evidence ->> 'nearest_id')
        where said.place = 0 and nearest.ordinal > standing.place
    )
    select least(
        (select min(ordinal) from passing anti join checked using (row_id, text_sha256)),
        (select min(place) from novelty_signatures anti join kept using (row_id, place)),
        (select min(place) from kept anti join novelty_signatures using (row_id, place)),
        (select min(place) from overtaking)
    ) as place
"""
FROM_HERE_ON = f"""
    with {PASSING}
    select row_id, ordinal, instruction, rehearsal
    from passing
    where ordinal >= $place
    order by ordinal
"""
JUDGED_FROM_HERE_ON = """
    select row_id
    from verdicts
    left join raw_instructions as raw using (row_id)
    where gate = 'novelty' and (raw.ordinal is null or raw.ordinal >= $place)
"""
TEXTS_OF = """
    select row_id, instruction
    from repaired_instructions
    where row_id in (select unnest($wanted::varchar[]))
"""
FORGET_SIGNATURES = "delete from novelty_signatures where place >= $place"
WRITE_KEPT = f"""
    insert into deduplicated_instructions by name
    with {PASSING},
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


COMPARED = ("row_id", "rule", "version", "verdict", "score", "evidence", "text_sha256")
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
    check_many: CheckNovelty = check_here,
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
        done.repeat_in_meaning = look_for_meaning(store, meaning)
        with store.write() as connection:
            connection.execute("delete from deduplicated_instructions")
            connection.execute(WRITE_KEPT, {"version": novelty_version(seeds)})
        if ask_teacher is None or not ask_teacher():
            break
    log(f"novelty: {done.checked['novelty']:,} rows checked.")
    return done


def check_novelty_from_first_change(
    store: Store, seeds: Sequence[NamedInstruction], check_many: CheckNovelty = check_here
) -> int:
    """Check novelty from the first row for which it may have changed; how many rows that were."""
    version = novelty_version(seeds)
    place = store.rows(FIRST_CHANGE, {"version": version})[0]["place"]
    if place is None:
        return 0
    # Signatures of rows that are no longer kept must not be found. A kill after this is harmless:
    # a kept row without a signature is where the next run begins.
    with store.write() as connection:
        connection.execute(FORGET_SIGNATURES, {"place": place})
    rows = store.rows(FROM_HERE_ON, {"version": version, "place": place})

    def texts_of(row_ids: Sequence[str]) -> Mapping[str, str]:
        found = store.rows(TEXTS_OF, {"wanted": list(row_ids)})
        return {row["row_id"]: row["instruction"] for row in found}

    verdicts, change = StoredIndex(store, seeds, texts_of, check_many=check_many).check(
        [NamedInstruction(row["row_id"], row["instruction"]) for row in rows],
        [row["ordinal"] for row in rows],
    )
    seed_ids = frozenset(seed.id for seed in seeds)
    made_of = {"threshold": THRESHOLD, "index": INDEX_VERSION, "seeds": len(seeds)}
    said = (
        written
        for row, verdict in zip(rows, verdicts, strict=True)
        for written in verdict_rows(
            "novelty",
            version,
            row,
            [novelty_finding(verdict, version, seed_ids)],
            [row["instruction"]],
        )
    )
    with store.write() as connection:
        record_version(connection, "novelty", version, made_of)
        # Looked up here, lest a run that ends at the same time has its verdicts doubled.
        replaced = connection.execute(JUDGED_FROM_HERE_ON, {"place": place}).fetchall()
        replace_verdicts(connection, "novelty", [row_id for (row_id,) in replaced], said)
        write_change(connection, change)
    return len(rows)


def write_labels(store: Store, labelling: Labelling) -> None:
    """Write `categorized_instructions`, and what the category gate says of its rows."""
    version = sha256_of(labelling.versions)[:8]
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
        record_version(connection, "category", version, labelling.versions)
        connection.execute("delete from categorized_instructions")
        insert(connection, "categorized_instructions", labelling.rows)
        replaced = [*gone, *(row["row_id"] for row in changed)]
        replace_verdicts(connection, "category", replaced, changed)


def novelty_version(seeds: Sequence[NamedInstruction]) -> str:
    """What a verdict of novelty rests on besides the rows: the rule, the index, the seeds."""
    return sha256_of([THRESHOLD, INDEX_VERSION, [[seed.id, seed.instruction] for seed in seeds]])[
        :8
    ]
