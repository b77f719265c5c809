"""Verdicts in the store: which rows a gate has yet to check, writing what it says, and asking why.

A verdict holds as long as the gate's version and the row's text do. A verdict that a later one
replaces moves to `superseded_verdicts`, so that nothing that a gate ever said is lost. Belongs
here: the statements. Does not: checking rows (the gates), the order of the gates
(store.gate_order), or the order of work (curation.curate_store).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.curation.gates import Finding, Gate, GateResult, RowTexts
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import canonical_json

if TYPE_CHECKING:
    import duckdb

PORTION = 20_000  # rows checked and written at once: what a kill may lose

# Rows whose verdict of this gate is missing, of an earlier version of the gate, or of another text.
STALE = """
    select raw.row_id, raw.instruction, raw.input, raw.output, raw.rehearsal
    from raw_instructions as raw
    anti join (
        select row_id, text_sha256
        from verdicts
        where gate = $gate and gate_version = $version
    ) as checked
        on checked.row_id = raw.row_id
        and checked.text_sha256
            = sha256(raw.instruction || chr(31) || raw.input || chr(31) || raw.output)[:16]
    order by raw.ordinal
    limit $portion
"""
SUPERSEDE = """
    insert into superseded_verdicts by name
    select said.*, now() as superseded_at
    from verdicts as said
    where gate = $gate and row_id in (select row_id from checked)
"""
FORGET = "delete from {table} where gate = $gate and row_id in (select row_id from checked)"
SEEN_BEFORE = """
    select row_id, text_sha256, rule, version, verdict, score, evidence
    from verdicts
    where gate = $gate and gate_version = $version
    order by row_id, place
"""
REPAIRS_BEFORE = """
    select row_id, field, text from repairs where gate = $gate
"""
RECORD_VERSION = """
    insert into gate_versions
    select $gate, $version, $made_of, now()
    where not exists (from gate_versions where gate = $gate and version = $version)
"""
# What the other row gates saw of rows in which the privacy gate found identifiers, and where these
# are. Novelty and category show no text of a row as evidence.
SEEN_BESIDE_IDENTIFIERS = """
    select
        said.row_id, said.gate, said.place, said.evidence,
        raw.instruction, raw.input, raw.output, list(private.evidence) as found
    from verdicts as said
    join verdicts as private using (row_id)
    join raw_instructions as raw using (row_id)
    join gates on gates.gate = said.gate
    where gates.by_row and said.gate <> 'privacy' and said.verdict <> 'keep'
        and private.gate = 'privacy' and private.verdict <> 'keep'
        and private.rule <> 'placeholder_person'
    group by all
"""
WITHHOLD = """
    update verdicts set evidence = $evidence
    where row_id = $row_id and gate = $gate and place = $place
"""
WITHHELD = "withheld: holds an identifier"
TOLD = 4  # characters of an identifier that already tell something of it
WHY = """
    select gate, rule, verdict, score, evidence, version, judged_at
    from verdicts
    join gates using (gate)
    where row_id = $row_id
    order by gate_order, place
"""


class UnknownRowError(StatedError):
    """There is no such raw row."""


def text_sha256(texts: Sequence[str]) -> str:
    """First 16 hex digits of the sha256 of texts, as `STALE` computes it."""
    joined = "\x1f".join(texts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def verdict_rows(
    gate: str,
    gate_version: str,
    row: Mapping[str, Any],
    findings: Sequence[Finding],
    texts: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """Rows of `verdicts` for the findings of one gate on one row (row_id, rehearsal)."""
    sha = text_sha256(texts)
    for place, finding in enumerate(findings):
        yield {
            **finding_columns(row["row_id"], place, finding),
            "gate": gate,
            "gate_version": gate_version,
            "text_sha256": sha,
            "rehearsal": row["rehearsal"],
        }


def finding_columns(row_id: str, place: int, finding: Finding) -> dict[str, Any]:
    """The columns of `verdicts` that a finding decides; `place` is among those of its gate."""
    return {
        "row_id": row_id,
        "place": place,
        "rule": finding.rule,
        "version": finding.version,
        "verdict": finding.verdict,
        "score": finding.score,
        "evidence": canonical_json(finding.evidence),
    }


def check_stale(store: Store, gate: Gate) -> int:
    """Bring a gate's verdicts up to date; how many rows it had to check.

    Rows are checked outside the connection and written in portions, each in a short transaction.
    """
    checked = 0
    parameters = {"gate": gate.name, "version": gate.version, "portion": PORTION}
    while rows := store.rows(STALE, parameters):
        results = gate.check([RowTexts.of(row) for row in rows])
        write_results(store, gate, rows, results)
        checked += len(rows)
        if len(rows) < PORTION:
            break
    return checked


def record_version(
    connection: "duckdb.DuckDBPyConnection", gate: str, version: str, made_of: Mapping[str, Any]
) -> None:
    """Write down, once a version, what a gate is made of."""
    parameters = {"gate": gate, "version": version, "made_of": canonical_json(made_of)}
    connection.execute(RECORD_VERSION, parameters)


def write_results(
    store: Store, gate: Gate, rows: Sequence[Mapping[str, Any]], results: Sequence[GateResult]
) -> None:
    """Write what a gate says of these rows, repairs included, in place of what it said before."""
    said: list[dict[str, Any]] = []
    put_right: list[dict[str, str]] = []
    for row, result in zip(rows, results, strict=True):
        said += verdict_rows(gate.name, gate.version, row, result.findings, RowTexts.of(row))
        put_right += [
            {"row_id": row["row_id"], "gate": gate.name, "field": field, "text": text}
            for field, text in result.repairs.items()
        ]
    with store.write() as connection:
        record_version(connection, gate.name, gate.version, gate.made_of)
        replace_verdicts(connection, gate.name, [row["row_id"] for row in rows], said)
        with _these(connection, [row["row_id"] for row in rows]):
            connection.execute(FORGET.format(table="repairs"), {"gate": gate.name})
        insert(connection, "repairs", put_right)


def replace_verdicts(
    connection: "duckdb.DuckDBPyConnection",
    gate: str,
    row_ids: Sequence[str],
    verdicts: Iterable[Mapping[str, Any]],
) -> None:
    """Replace all verdicts of a gate on these rows."""
    with _these(connection, row_ids):
        connection.execute(SUPERSEDE, {"gate": gate})
        connection.execute(FORGET.format(table="verdicts"), {"gate": gate})
    [(now,)] = connection.execute("select now()").fetchall()
    coming = iter(verdicts)
    while portion := [{**row, "judged_at": now} for row in islice(coming, PORTION)]:
        insert(connection, "verdicts", portion)


def withhold_identifiers(store: Store) -> None:
    """Take identifiers out of the evidence that other gates wrote down of a row.

    Those gates check the text as the teacher wrote it, and show some of it as evidence.
    """
    changed = []
    for row in store.rows(SEEN_BESIDE_IDENTIFIERS):
        spans = [span for found in row["found"] for span in json.loads(found).get("found", [])]
        identifiers = [row[span["field"]][span["start"] : span["end"]] for span in spans]
        before = json.loads(row["evidence"])
        evidence = {name: _withheld(value, identifiers) for name, value in before.items()}
        if evidence != before:
            key = {name: row[name] for name in ("row_id", "gate", "place")}
            changed.append({**key, "evidence": canonical_json(evidence)})
    if changed:
        with store.write() as connection:
            connection.executemany(WITHHOLD, changed)


def _withheld(value: Any, identifiers: Sequence[str]) -> Any:
    # Evidence is cut to some length, maybe in the middle of an identifier.
    tells = isinstance(value, str) and any(
        text[start : start + TOLD].lower() in value.lower()
        for text in identifiers
        for start in range(max(1, len(text) - TOLD + 1))
    )
    return WITHHELD if tells else value


class StoredResults:
    """What gates said of texts before, so that generation does not check stored replies again."""

    def __init__(self, store: Store | None, gates: Sequence[Gate]) -> None:
        self._results: dict[tuple[str, str], GateResult] = {}
        if store is None or not store.path.exists():
            return
        for gate in gates:
            self._recall(store, gate)

    def __call__(self, gate: Gate, tasks: Sequence[RowTexts]) -> list[GateResult]:
        """The gate's results; texts that it has checked before are not checked again."""
        keys = [(gate.name, text_sha256(task)) for task in tasks]
        missing = [place for place, key in enumerate(keys) if key not in self._results]
        fresh = gate.check([tasks[place] for place in missing])
        for place, result in zip(missing, fresh, strict=True):
            self._results[keys[place]] = result
        return [self._results[key] for key in keys]

    def _recall(self, store: Store, gate: Gate) -> None:
        repairs: dict[str, dict[str, str]] = {}
        for row in store.rows(REPAIRS_BEFORE, {"gate": gate.name}):
            repairs.setdefault(row["row_id"], {})[row["field"]] = row["text"]
        findings: dict[tuple[str, str], list[Finding]] = {}
        for row in store.rows(SEEN_BEFORE, {"gate": gate.name, "version": gate.version}):
            findings.setdefault((row["row_id"], row["text_sha256"]), []).append(
                Finding(
                    row["rule"],
                    row["version"],
                    row["verdict"],
                    row["score"],
                    json.loads(row["evidence"]),
                )
            )
        for (row_id, sha), found in findings.items():
            self._results[gate.name, sha] = GateResult(tuple(found), repairs.get(row_id, {}))


def why(store: Store, row_id: str) -> list[dict[str, Any]]:
    """What each gate says of a row, in the order of the gates; the first reject decides.

    Rows have gate, rule, verdict, score, evidence (a JSON object), version, judged_at.

    Raises:
        UnknownRowError: no raw row has this identifier.
    """
    found = store.rows(WHY, {"row_id": row_id})
    if not found and not store.rows(
        "select 1 from raw_instructions where row_id = $row_id", {"row_id": row_id}
    ):
        raise UnknownRowError(
            f"No row {row_id!r} in raw_instructions. Row ids have 24 hex digits; "
            "find one by its text: select row_id from raw_instructions where instruction ilike ..."
        )
    return [row | {"evidence": json.loads(row["evidence"])} for row in found]


@contextmanager
def _these(connection: "duckdb.DuckDBPyConnection", row_ids: Sequence[str]) -> Iterator[None]:
    """The row ids as the relation `checked`."""
    import pyarrow as pa

    connection.register("checked", pa.table({"row_id": pa.array(row_ids, pa.string())}))
    yield
    connection.unregister("checked")
