"""The novelty gate over a store: which rows it has to compare again, and what it says of them.

Whether a row is novel depends on the rows that are kept before it. When a row changes, the gate
therefore re-checks that row and all rows after it; rows before it keep their verdicts. Belongs
here: finding the first such row, and the gate's findings and version. Does not: the rule
(novelty.rule), the index of kept rows (novelty.stored_index), or likeness in meaning
(novelty.meaning_verdicts).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.novelty.rule import (
    THRESHOLD,
    NamedInstruction,
    NoveltyVerdict,
    check_here,
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

NAME = "novelty"
# The rule and the index; and the rule as a cluster checks it, which must come to the same verdicts.
CODE = (
    "curation.novelty.gate.check_novelty_from_first_change",
    "curation.novelty.cluster.driver.check_on_cluster",
)

# The rows that the row gates let pass, and those of them that have a present verdict of this gate.
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
FROM_HERE_ON = """
    select row_id, ordinal, instruction, rehearsal
    from passing_instructions
    where ordinal >= $place
    order by ordinal
"""
CHECKED_FROM_HERE_ON = """
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
    rows = store.rows(FROM_HERE_ON, {"place": place})

    def texts_of(row_ids: Sequence[str]) -> Mapping[str, str]:
        found = store.rows(TEXTS_OF, {"wanted": list(row_ids)})
        return {row["row_id"]: row["instruction"] for row in found}

    verdicts, change = StoredIndex(store, seeds, texts_of, check_many=check_many).check(
        [NamedInstruction(row["row_id"], row["instruction"]) for row in rows],
        [row["ordinal"] for row in rows],
    )
    said = _verdict_rows(rows, verdicts, version, frozenset(seed.id for seed in seeds))
    made_of = {
        **_code()._asdict(),
        "threshold": THRESHOLD,
        "index": index_version(),
        "seeds": len(seeds),
    }
    with store.write() as connection:
        record_version(connection, NAME, version, made_of)
        # Looked up in this transaction: another run that ends at the same time has written verdicts
        # of the same rows, and they must be replaced too.
        replaced = connection.execute(CHECKED_FROM_HERE_ON, {"place": place}).fetchall()
        replace_verdicts(connection, NAME, [row_id for (row_id,) in replaced], said)
        write_change(connection, change)
    return len(rows)


def novelty_finding(verdict: NoveltyVerdict, version: str, seed_ids: frozenset[str]) -> Finding:
    """The verdict of novelty as a finding."""
    if verdict.novel:
        return Finding("novel", version, "keep")
    rule = "repeats_seed" if verdict.nearest_id in seed_ids else "repeats_kept_row"
    evidence = {"nearest_id": verdict.nearest_id, "measure": verdict.measure}
    return Finding(rule, version, "reject", verdict.score, evidence)


def novelty_version(seeds: Sequence[NamedInstruction]) -> str:
    """Short hash of what a verdict of novelty depends on besides the rows: code and seeds."""
    return sha256_of([_code(), [[seed.id, seed.instruction] for seed in seeds]])[:8]


def _code() -> CodeVersion:
    return code_version(*CODE)


def _verdict_rows(
    rows: Sequence[Mapping[str, Any]],
    verdicts: Sequence[NoveltyVerdict],
    version: str,
    seed_ids: frozenset[str],
) -> Iterator[dict[str, Any]]:
    for row, verdict in zip(rows, verdicts, strict=True):
        finding = novelty_finding(verdict, version, seed_ids)
        yield from verdict_rows(NAME, version, row, [finding], [row["instruction"]])
