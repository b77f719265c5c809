"""Verdicts that are added after those of a gate's own rules, under higher places.

The teacher's checks (quality.teacher_verdicts) and the comparison of meanings
(novelty.meaning_verdicts) add such verdicts. Belongs here: replacing them in the store. Does not:
the findings behind them.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.verdicts import finding_columns
from bioinstruct_dagster.store.database import Store, insert

CURRENT_VERDICTS = """
    select row_id, place, rule, version, verdict, score, evidence
    from verdicts
    where gate = $gate and place >= $place
"""
IN_REMOVED = "gate = $gate and (row_id, place) in (select row_id, place from removed)"
COPY_TO_SUPERSEDED = f"""
    insert into superseded_verdicts by name
    select *, now() as superseded_at
    from verdicts
    where {IN_REMOVED}
"""
DELETE_REMOVED = f"delete from verdicts where {IN_REMOVED}"
# The other columns are those of the gate's first verdict on the same row.
INSERT_FOUND = """
    insert into verdicts by name
    select
        found.*, first.gate, first.gate_version, first.text_sha256, first.rehearsal,
        now() as judged_at
    from found
    join verdicts as first using (row_id)
    where first.gate = $gate and first.place = 0
"""


def verdict_rows_from(found: Iterable[tuple[str, Finding]], place: int) -> list[dict[str, Any]]:
    """The rows that `replace_from_place` takes.

    Args:
        found: (row id, finding); the findings of one row follow each other.
        place: the place of each row's first finding; its other findings get the next places.
    """
    return [
        finding_columns(row_id, here, finding)
        for row_id, of_row in groupby(found, key=itemgetter(0))
        for here, (_, finding) in enumerate(of_row, start=place)
    ]


def replace_from_place(
    store: Store, gate: str, place: int, rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Replace the gate's verdicts from a place on; return whether any verdict changed.

    A verdict that did not change keeps its time.
    """
    import pyarrow as pa

    after = {tuple(row.values()) for row in rows}
    with store.write() as connection:
        before = set(
            connection.execute(CURRENT_VERDICTS, {"gate": gate, "place": place}).fetchall()
        )
        if before == after:
            return False
        removed = sorted((row_id, at) for row_id, at, *_ in before - after)
        ids, places = [row_id for row_id, _ in removed], [at for _, at in removed]
        connection.register(
            "removed",
            pa.table({"row_id": pa.array(ids, pa.string()), "place": pa.array(places, pa.uint8())}),
        )
        connection.execute(COPY_TO_SUPERSEDED, {"gate": gate})
        connection.execute(DELETE_REMOVED, {"gate": gate})
        connection.execute("create temp table found as from verdicts limit 0")
        for column in ("gate", "gate_version", "text_sha256", "judged_at", "rehearsal"):
            connection.execute(f"alter table found drop column {column}")
        insert(connection, "found", [row for row in rows if tuple(row.values()) not in before])
        connection.execute(INSERT_FOUND, {"gate": gate})
    return True
