"""Second looks at rows that the gates keep, both off by default: the teacher's word, and meaning.

What they find are further verdicts of the gates quality and novelty, with places of their own.
Belongs here: which rows are looked at, and the verdicts in the store. Does not: asking a teacher
(llm_checks), or vectors (meaning).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.curation.gates import Finding, RowTexts
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter, embed_stored
from bioinstruct_dagster.curation.quality.llm_checks import (
    TeacherCheck,
    ask_checks,
    findings_of,
    stored_checks,
)
from bioinstruct_dagster.curation.quality.rules import LlmRule, QualityRule
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import canonical_json
from bioinstruct_dagster.teacher.rounds import Endpoint, Tally, Terms

# Places of findings within their gate, beyond those of the gate's own rules.
TEACHERS_PLACE = 100
MEANINGS_PLACE = 1

KEPT = "select row_id, instruction, input, output from deduplicated_instructions order by ordinal"
# The kept rows, and those that the teacher had something to say of, as they read now.
LOOKED_AT = """
    select row_id, instruction, input, output
    from repaired_instructions
    where row_id in (select row_id from deduplicated_instructions)
        or row_id in (select row_id from verdicts where gate = $gate and place >= $place)
    order by ordinal
"""
NOVEL_IN_ORDER = """
    select row_id, instruction
    from passing_instructions
    join verdicts as said using (row_id)
    where said.gate = 'novelty' and said.place = 0 and said.verdict = 'keep'
    order by ordinal
"""
PRESENT = """
    select row_id, place, rule, version, verdict, score, evidence
    from verdicts
    where gate = $gate and place >= $place
"""
GONE = "gate = $gate and (row_id, place) in (select row_id, place from gone)"
SUPERSEDE = f"""
    insert into superseded_verdicts by name
    select *, now() as superseded_at
    from verdicts
    where {GONE}
"""
FORGET = f"delete from verdicts where {GONE}"
# The rest of a verdict is that of the gate's first finding on the same row.
ADD = """
    insert into verdicts by name
    select
        found.*, said.gate, said.gate_version, said.text_sha256, said.rehearsal,
        now() as judged_at
    from found
    join verdicts as said using (row_id)
    where said.gate = $gate and said.place = 0
"""


class TeacherVerdicts:
    """The teacher's word on the rows that would be kept, as the quality rules want it."""

    def __init__(
        self, store: Store, rules: Sequence[QualityRule], *, teacher: str, model: str
    ) -> None:
        self._store = store
        self._rules = [rule for rule in rules if isinstance(rule, LlmRule)]
        self._teacher, self._model = teacher, model

    def ask(self, endpoint: Endpoint, log: Callable[[str], None], terms: Terms | None) -> Tally:
        """Ask about kept rows that the teacher was not asked about."""
        kept = [RowTexts.of(row) for row in self._store.rows(KEPT)]
        return ask_checks(
            kept,
            endpoint,
            self._store,
            teacher=self._teacher,
            model=self._model,
            log=log,
            terms=terms,
        )

    def apply(self) -> bool:
        """Write what it said as verdicts; whether they are others than before."""
        where = {"gate": "quality", "place": TEACHERS_PLACE}
        rows = self._store.rows(LOOKED_AT, where)
        tasks = [RowTexts.of(row) for row in rows]
        said: Mapping[RowTexts, TeacherCheck] = stored_checks(
            tasks, self._store, teacher=self._teacher, model=self._model
        )
        found = [
            (row["row_id"], finding)
            for row, task in zip(rows, tasks, strict=True)
            if task in said
            for finding in findings_of(said[task], self._rules)
        ]
        return _put(self._store, "quality", TEACHERS_PLACE, _rows(found, TEACHERS_PLACE))


def forget_teachers_word(store: Store) -> None:
    """No verdict rests on the teacher's word any more; what it said stays stored."""
    _put(store, "quality", TEACHERS_PLACE, [])


def look_for_meaning(store: Store, meaning: MeaningFilter | None) -> int:
    """Drop rows that say the same as an earlier one; how many. None without a filter."""
    found: list[tuple[str, Finding]] = []
    if meaning:
        rows = store.rows(NOVEL_IN_ORDER)
        ids = [row["row_id"] for row in rows]
        vectors = embed_stored(store, meaning, [row["instruction"] for row in rows])
        found = list(zip(ids, meaning.findings(ids, vectors), strict=True))
    _put(store, "novelty", MEANINGS_PLACE, _rows(found, MEANINGS_PLACE))
    return sum(finding.verdict == "reject" for _, finding in found)


def _rows(found: Iterable[tuple[str, Finding]], place: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    last, here = "", place
    for row_id, finding in found:
        here = here + 1 if row_id == last else place
        last = row_id
        rows.append(
            {
                "row_id": row_id,
                "place": here,
                "rule": finding.rule,
                "version": finding.version,
                "verdict": finding.verdict,
                "score": finding.score,
                "evidence": canonical_json(finding.evidence),
            }
        )
    return rows


def _put(store: Store, gate: str, place: int, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Put these in the place of the gate's verdicts from that place on; whether they differ.

    Those that stay the same are left as they are.
    """
    import pyarrow as pa

    said = {tuple(row.values()) for row in rows}
    with store.write() as connection:
        before = set(connection.execute(PRESENT, {"gate": gate, "place": place}).fetchall())
        if before == said:
            return False
        gone = sorted((row_id, at) for row_id, at, *_ in before - said)
        ids, places = [row_id for row_id, _ in gone], [at for _, at in gone]
        connection.register(
            "gone",
            pa.table({"row_id": pa.array(ids, pa.string()), "place": pa.array(places, pa.uint8())}),
        )
        connection.execute(SUPERSEDE, {"gate": gate})
        connection.execute(FORGET, {"gate": gate})
        connection.execute("create temp table found as from verdicts limit 0")
        for column in ("gate", "gate_version", "text_sha256", "judged_at", "rehearsal"):
            connection.execute(f"alter table found drop column {column}")
        insert(connection, "found", [row for row in rows if tuple(row.values()) not in before])
        connection.execute(ADD, {"gate": gate})
    return True
