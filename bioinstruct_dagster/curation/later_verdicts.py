"""Verdicts that are added to those of a gate's own rules, from a higher place on.

A teacher's answers (quality.teacher_verdicts) and likeness in meaning (novelty.meaning_verdicts)
add such verdicts. Belongs here: replacing them in the store. Does not: what they find.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.verdicts import finding_columns
from bioinstruct_dagster.store.database import Store, insert

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


def verdict_rows_from(found: Iterable[tuple[str, Finding]], place: int) -> list[dict[str, Any]]:
    """Rows for `replace_from_place`.

    Args:
        found: findings by row id; those of one row follow each other.
        place: of a row's first finding; further ones of the same row get the places after it.
    """
    return [
        finding_columns(row_id, here, finding)
        for row_id, of_row in groupby(found, key=itemgetter(0))
        for here, (_, finding) in enumerate(of_row, start=place)
    ]


def replace_from_place(
    store: Store, gate: str, place: int, rows: Sequence[Mapping[str, Any]]
) -> bool:
    """Replace the gate's verdicts from a place on; whether any differs from before.

    Verdicts that stay the same are left as they are.
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
