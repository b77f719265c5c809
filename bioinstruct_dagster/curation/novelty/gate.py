"""The novelty gate over a store: finds the rows to check again, and writes their verdicts.

Whether a row is novel depends on the rows that are kept before it. When a row changes, the gate
re-checks that row and all rows after it. Rows before it keep their verdicts. Belongs here: finding
the first changed row, and the gate's findings and version. Does not: the rule (rule), the index of
kept rows (stored_index), or likeness in meaning (meaning_verdicts).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.novelty.rule import (
    THRESHOLD,
    NamedInstruction,
    NoveltyVerdict,
    check_in_process,
)
from bioinstruct_dagster.curation.novelty.stored_index import (
    CheckNovelty,
    StoredIndex,
    index_version,
    write_change,
)
from bioinstruct_dagster.curation.verdicts import record_version, replace_verdicts, verdict_rows
from bioinstruct_dagster.curation.versions import CodeVersion, code_version
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of

GATE_NAME = "novelty"
# The rule with the index, and the rule on a cluster, which must give the same verdicts.
CHECKING_CODE = (
    "curation.novelty.gate.check_novelty_from_first_change",
    "curation.novelty.cluster.driver.check_on_cluster",
)

# `passing`: rows that pass the row gates. `checked`: rows with a current verdict of this gate.
PASSING_AND_CHECKED = """
    passing as (
        select *, sha256(instruction)[:16] as text_sha256 from passing_instructions
    ),
    checked as (
        select row_id, text_sha256, verdict
        from verdicts
        where gate = 'novelty' and gate_version = $version and place = 0
    )
"""
# The first row that must be checked. It is the first of: a row without a current verdict; the place
# of a kept row that is gone; a kept row that the index lacks; a row that was rejected as a
# repetition of a row that now comes after it (after an import in another order).
FIRST_CHANGE = f"""
    with {PASSING_AND_CHECKED},
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
ROWS_FROM_PLACE = """
    select row_id, ordinal, instruction, rehearsal
    from passing_instructions
    where ordinal >= $place
    order by ordinal
"""
CHECKED_ROWS_FROM_PLACE = """
    select row_id
    from verdicts
    left join raw_instructions as raw using (row_id)
    where gate = 'novelty' and (raw.ordinal is null or raw.ordinal >= $place)
"""
INSTRUCTIONS_OF_ROWS = """
    select row_id, instruction
    from repaired_instructions
    where row_id in (select unnest($wanted::varchar[]))
"""
FORGET_SIGNATURES = "delete from novelty_signatures where place >= $place"


def check_novelty_from_first_change(
    store: Store, seeds: Sequence[NamedInstruction], check_many: CheckNovelty = check_in_process
) -> int:
    """Check all rows from the first one whose verdict may have changed.

    Args:
        store: holds the rows, the verdicts and the index.
        seeds: kept from the start.
        check_many: checks many candidates, like `check_in_process`.

    Returns:
        The number of rows that were checked.
    """
    version = novelty_version(seeds)
    place = store.rows(FIRST_CHANGE, {"version": version})[0]["place"]
    if place is None:
        return 0
    # The scan must not find signatures of rows that are no longer kept. If the run is killed after
    # this statement, the next run begins at the first kept row without a signature.
    with store.write() as connection:
        connection.execute(FORGET_SIGNATURES, {"place": place})
    rows = store.rows(ROWS_FROM_PLACE, {"place": place})

    def texts_of(row_ids: Sequence[str]) -> Mapping[str, str]:
        found = store.rows(INSTRUCTIONS_OF_ROWS, {"wanted": list(row_ids)})
        return {row["row_id"]: row["instruction"] for row in found}

    verdicts, change = StoredIndex(store, seeds, texts_of, check_many=check_many).check(
        [NamedInstruction(row["row_id"], row["instruction"]) for row in rows],
        [row["ordinal"] for row in rows],
    )
    said = _verdict_rows(rows, verdicts, version, frozenset(seed.id for seed in seeds))
    made_of = {
        **_code_version()._asdict(),
        "threshold": THRESHOLD,
        "index": index_version(),
        "seeds": len(seeds),
    }
    with store.write() as connection:
        record_version(connection, GATE_NAME, version, made_of)
        # Read in this transaction, because another run may just have written verdicts of the same
        # rows. They must be replaced too.
        replaced = connection.execute(CHECKED_ROWS_FROM_PLACE, {"place": place}).fetchall()
        replace_verdicts(connection, GATE_NAME, [row_id for (row_id,) in replaced], said)
        write_change(connection, change)
    return len(rows)


def novelty_finding(verdict: NoveltyVerdict, version: str, seed_ids: frozenset[str]) -> Finding:
    """A verdict of the rule as a finding of the gate."""
    if verdict.novel:
        return Finding("novel", version, "keep")
    rule = "repeats_seed" if verdict.nearest_id in seed_ids else "repeats_kept_row"
    evidence = {"nearest_id": verdict.nearest_id, "measure": verdict.measure}
    return Finding(rule, version, "reject", verdict.score, evidence)


def novelty_version(seeds: Sequence[NamedInstruction]) -> str:
    """Short hash of the code and the seeds, which determine a verdict besides the rows."""
    return sha256_of([_code_version(), [[seed.id, seed.instruction] for seed in seeds]])[:8]


def _code_version() -> CodeVersion:
    return code_version(*CHECKING_CODE)


def _verdict_rows(
    rows: Sequence[Mapping[str, Any]],
    verdicts: Sequence[NoveltyVerdict],
    version: str,
    seed_ids: frozenset[str],
) -> Iterator[dict[str, Any]]:
    for row, verdict in zip(rows, verdicts, strict=True):
        finding = novelty_finding(verdict, version, seed_ids)
        yield from verdict_rows(GATE_NAME, version, row, [finding], [row["instruction"]])
