"""The novelty gate over a store: finds the rows to check again, and writes their verdicts.

Whether a row is novel depends on the rows that are kept before it. When a row changes, the gate
re-checks that row and all rows after it. Rows before it keep their verdicts. Belongs here: finding
the first changed row, and the gate's findings and version. Does not: the rules (rule, exact), the
index of kept rows (stored_index), or likeness in meaning (meaning_verdicts).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.curation.gates import Finding, RowTexts
from bioinstruct_dagster.curation.novelty.methods import ROUGE, NoveltyMethod
from bioinstruct_dagster.curation.novelty.rule import THRESHOLD, NamedInstruction, NoveltyVerdict
from bioinstruct_dagster.curation.novelty.stored_index import (
    CheckNovelty,
    FetchTexts,
    IndexChange,
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

# By method: the texts of a row on which its verdict depends, hashed as `text_sha256` does.
_TEXT_SHA256 = {
    "rouge": "sha256(instruction)[:16]",
    "exact": "sha256(instruction || chr(31) || input || chr(31) || output)[:16]",
    "off": "sha256('')[:16]",
}
# `passing`: rows that pass the row gates. `checked`: rows with a current verdict of this gate.
# `standing`: rows that are both. `kept`: those of them that are kept.
_PASSING_AND_CHECKED = """
    passing as (select *, {text_sha256} as text_sha256 from passing_instructions),
    checked as (
        select row_id, text_sha256, verdict
        from verdicts
        where gate = 'novelty' and gate_version = $version and place = 0
    )
"""
_STANDING_AND_KEPT = """
    standing as (
        select row_id, ordinal as place
        from passing semi join checked using (row_id, text_sha256)
    ),
    kept as (
        select standing.* from standing join checked using (row_id) where verdict = 'keep'
    ),
    -- Each row that repeats another row, with the present place of that row.
    repeats as (
        select
            standing.place, nearest.ordinal as nearest_place,
            said.evidence ->> 'nearest_id' as nearest_id
        from standing
        join verdicts as said
            on said.row_id = standing.row_id and said.gate = 'novelty'
            and said.place = 0 and said.rule = 'repeats_kept_row'
        left join raw_instructions as nearest on nearest.row_id = (said.evidence ->> 'nearest_id')
    )
"""
# The first row that must be checked. It is the first of: a row without a current verdict; a row
# that was rejected as a repetition of a row that now comes after it (after an import in another
# order). By the rule `rouge`: the place of a kept row that is gone; a kept row without signature.
# By the rule `exact`: a row that was rejected as a repetition of a row that is no longer kept.
_FIRST_PLACES = """
        (select min(ordinal) from passing anti join checked using (row_id, text_sha256)),
        (select min(place) from repeats where nearest_place > place)
"""
_FIRST_PLACES_BY_METHOD = {
    "rouge": """,
        (select min(place) from novelty_signatures anti join kept using (row_id, place)),
        (select min(place) from kept anti join novelty_signatures using (row_id, place))
    """,
    "exact": """,
        (select min(place) from repeats where nearest_id not in (select row_id from kept))
    """,
    "off": "",
}
KEPT_ROWS_BEFORE = """
    with {passing_and_checked}
    select row_id, instruction, input, output
    from passing
    join checked using (row_id, text_sha256)
    where verdict = 'keep' and ordinal < $place
    order by ordinal
"""
ROWS_FROM_PLACE = """
    select row_id, ordinal, instruction, input, output, rehearsal
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
METHOD_OF_VERDICTS = """
    select made_of
    from gate_versions
    where gate = 'novelty' and version in (
        select gate_version from verdicts where gate = 'novelty' and place = 0
    )
    order by first_used_at desc
    limit 1
"""
FORGET_SIGNATURES = "delete from novelty_signatures where place >= $place"


def check_novelty_from_first_change(
    store: Store,
    seeds: Sequence[NamedInstruction],
    check_many: CheckNovelty | None = None,
    method: NoveltyMethod = ROUGE,
) -> int:
    """Check all rows from the first one whose verdict may have changed.

    Args:
        store: holds the rows, the verdicts and the index.
        seeds: kept from the start.
        check_many: checks very many candidates by the rule `rouge`, like `check_in_process`.
        method: how rows are compared.

    Returns:
        The number of rows that were checked.
    """
    version = novelty_version(seeds, method)
    place = store.rows(_first_change(method), {"version": version})[0]["place"]
    if place is None:
        return 0
    # The scan must not find signatures of rows that are no longer kept. If the run is killed after
    # this statement, the next run begins at the first kept row without a signature.
    with store.write() as connection:
        connection.execute(FORGET_SIGNATURES, {"place": place})
    rows = store.rows(ROWS_FROM_PLACE, {"place": place})
    change: IndexChange | None = None
    if method.name == "rouge":
        index = StoredIndex(
            store, seeds, _texts_in(store), check_many=check_many, threshold=method.threshold
        )
        verdicts, change = index.check(list(map(_named, rows)), [row["ordinal"] for row in rows])
    else:
        kept: list[dict[str, Any]] = []
        if method.name == "exact":
            statement = KEPT_ROWS_BEFORE.format(passing_and_checked=passing_and_checked(method))
            kept = store.rows(statement, {"place": place, "version": version})
        verdicts = method.filter([*seeds, *map(_named, kept)]).check(list(map(_named, rows)))
    said = _verdict_rows(rows, verdicts, version, frozenset(seed.id for seed in seeds), method)
    with store.write() as connection:
        record_version(connection, GATE_NAME, version, _made_of(seeds, method))
        # Read in this transaction, because another run may just have written verdicts of the same
        # rows. They must be replaced too.
        replaced = connection.execute(CHECKED_ROWS_FROM_PLACE, {"place": place}).fetchall()
        replace_verdicts(connection, GATE_NAME, [row_id for (row_id,) in replaced], said)
        if change is not None:
            write_change(connection, change)
    return len(rows)


def stored_method(store: Store) -> NoveltyMethod | None:
    """The method by which the present verdicts were made; None if there are no verdicts."""
    found = store.rows(METHOD_OF_VERDICTS)
    if not found:
        return None
    made_of = json.loads(found[0]["made_of"])
    return NoveltyMethod(made_of["method"], made_of.get("threshold", THRESHOLD))


def passing_and_checked(method: NoveltyMethod) -> str:
    """SQL of two relations: rows that pass the row gates, and rows with a current verdict.

    A verdict is current if its version is `$version` and the row's `text_sha256` is the same.
    """
    return _PASSING_AND_CHECKED.format(text_sha256=_TEXT_SHA256[method.name])


def _first_change(method: NoveltyMethod) -> str:
    return (
        f"with {passing_and_checked(method)}, {_STANDING_AND_KEPT} "
        f"select least({_FIRST_PLACES}{_FIRST_PLACES_BY_METHOD[method.name]}) as place"
    )


def _texts_in(store: Store) -> FetchTexts:
    def texts_of(row_ids: Sequence[str]) -> Mapping[str, str]:
        found = store.rows(INSTRUCTIONS_OF_ROWS, {"wanted": list(row_ids)})
        return {row["row_id"]: row["instruction"] for row in found}

    return texts_of


def _named(row: Mapping[str, Any]) -> NamedInstruction:
    return NamedInstruction(row["row_id"], row["instruction"], row["input"], row["output"])


def _made_of(seeds: Sequence[NamedInstruction], method: NoveltyMethod) -> dict[str, Any]:
    made_of = {**_code_version()._asdict(), "method": method.name, "seeds": len(seeds)}
    if method.name == "rouge":
        made_of |= {"threshold": method.threshold, "index": index_version()}
    return made_of


def novelty_finding(verdict: NoveltyVerdict, version: str, seed_ids: frozenset[str]) -> Finding:
    """A verdict of the rule as a finding of the gate."""
    if verdict.novel:
        return Finding("off" if verdict.measure == "off" else "novel", version, "keep")
    rule = "repeats_seed" if verdict.nearest_id in seed_ids else "repeats_kept_row"
    evidence = {"nearest_id": verdict.nearest_id, "measure": verdict.measure}
    if verdict.other_output is not None:
        evidence["output"] = "differs" if verdict.other_output else "same"
    return Finding(rule, version, "reject", verdict.score, evidence)


def novelty_version(seeds: Sequence[NamedInstruction], method: NoveltyMethod = ROUGE) -> str:
    """Short hash of what determines a verdict besides the rows: code, method and seeds.

    Only the rule `rouge` has a threshold, and only the rule `exact` reads inputs and outputs.
    """
    settings: list[Any] = [method.name]
    texts = [[seed.id, seed.instruction] for seed in seeds]
    if method.name == "rouge":
        settings.append(method.threshold)
    if method.name == "exact":
        texts = [[seed.id, seed.instruction, seed.input, seed.output] for seed in seeds]
    if method.name == "off":
        texts = []
    return sha256_of([_code_version(), settings, texts])[:8]


def _code_version() -> CodeVersion:
    return code_version(*CHECKING_CODE)


def _verdict_rows(
    rows: Sequence[Mapping[str, Any]],
    verdicts: Sequence[NoveltyVerdict],
    version: str,
    seed_ids: frozenset[str],
    method: NoveltyMethod,
) -> Iterator[dict[str, Any]]:
    for row, verdict in zip(rows, verdicts, strict=True):
        finding = novelty_finding(verdict, version, seed_ids)
        texts = {"rouge": [row["instruction"]], "exact": RowTexts.of(row), "off": [""]}
        yield from verdict_rows(GATE_NAME, version, row, [finding], texts[method.name])
