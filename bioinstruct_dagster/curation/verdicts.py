"""Verdicts in the store: which rows a gate must check, writing its findings, and reading them.

A verdict is valid until the gate's version or the row's text changes. A verdict that a later one
replaces moves to `superseded_verdicts`, so no verdict is lost. Belongs here: the statements. Does
not: checking rows (the gates), the order of the gates (store.gate_order), verdicts that are added
later (curation.later_verdicts), or the order of work (curation.curate_store).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.curation.gates import Finding, Gate, GateResult, RowTexts
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.progress import Progress, step_progress
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import canonical_json

if TYPE_CHECKING:
    import duckdb

ROWS_PER_CHECK = 1_000  # rows that a gate checks between two looks at the clock
ROWS_PER_WRITE = 20_000  # rows checked and written in one transaction; a kill loses at most these

# Rows whose verdict of this gate is missing, has another version of the gate, or is about another
# text.
ROWS_TO_CHECK = """
    select raw.row_id, raw.instruction, raw.input, raw.output, raw.source,
        raw.rehearsal
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
COUNT_TO_CHECK = f"select count(*) as n from ({ROWS_TO_CHECK})"
COPY_TO_SUPERSEDED = """
    insert into superseded_verdicts by name
    select verdicts.*, now() as superseded_at
    from verdicts
    where gate = $gate and row_id in (select row_id from checked)
"""
DELETE_CHECKED = "delete from {table} where gate = $gate and row_id in (select row_id from checked)"
STORED_FINDINGS = """
    select row_id, text_sha256, rule, version, verdict, score, evidence
    from verdicts
    -- A gate may judge the same texts of an imported row by other rules.
    semi join (from raw_instructions where not starts_with(source, 'import:')) using (row_id)
    where gate = $gate and gate_version = $version
    order by row_id, place
"""
STORED_REPAIRS = """
    select row_id, field, text from repairs where gate = $gate
"""
RECORD_VERSION = """
    insert into gate_versions
    select $gate, $version, $made_of, now()
    where not exists (from gate_versions where gate = $gate and version = $version)
"""
# Findings of the other row gates on rows in which the privacy gate found identifiers, and where
# these identifiers are. Novelty and category show no text of a row as evidence.
FINDINGS_BESIDE_IDENTIFIERS = """
    select
        other.row_id, other.gate, other.place, other.evidence,
        raw.instruction, raw.input, raw.output, list(private.evidence) as found
    from verdicts as other
    join verdicts as private using (row_id)
    join raw_instructions as raw using (row_id)
    join gates on gates.gate = other.gate
    where gates.by_row and other.gate <> 'privacy' and other.verdict <> 'keep'
        and private.gate = 'privacy' and private.verdict <> 'keep'
        and private.rule not in ('placeholder_person', 'possible_date', 'possible_identifier')
    group by all
"""
REPLACE_EVIDENCE = """
    update verdicts set evidence = $evidence
    where row_id = $row_id and gate = $gate and place = $place
"""
WITHHELD_TEXT = "withheld: holds an identifier"
TELLING_CHARACTERS = 4  # so many characters of an identifier already disclose a part of it
FINDINGS_OF_ROW = """
    select gate, rule, verdict, score, evidence, version, judged_at
    from verdicts
    join gates using (gate)
    where row_id = $row_id
    order by gate_order, place
"""


class UnknownRowError(StatedError):
    """No raw row has the given id."""


def text_sha256(texts: Sequence[str]) -> str:
    """First 16 hex digits of the sha256 of texts, as `ROWS_TO_CHECK` computes it."""
    joined = "\x1f".join(texts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def verdict_rows(
    gate: str,
    gate_version: str,
    row: Mapping[str, Any],
    findings: Sequence[Finding],
    texts: Sequence[str],
) -> Iterator[dict[str, Any]]:
    """The rows of `verdicts` for one gate's findings on one row, which has row_id and rehearsal."""
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
    """The columns of `verdicts` that a finding fills; `place` orders the findings of its gate."""
    return {
        "row_id": row_id,
        "place": place,
        "rule": finding.rule,
        "version": finding.version,
        "verdict": finding.verdict,
        "score": finding.score,
        "evidence": canonical_json(finding.evidence),
    }


def check_outdated_rows(store: Store, gate: Gate) -> int:
    """Bring a gate's verdicts up to date; return how many rows it had to check.

    The gate checks rows while no connection is open. Each portion is written in one short
    transaction.
    """
    checked = 0
    parameters = {"gate": gate.name, "version": gate.version, "portion": ROWS_PER_WRITE}
    progress: Progress | None = None
    while rows := store.rows(ROWS_TO_CHECK, parameters):
        if progress is None:
            waiting = store.rows(COUNT_TO_CHECK, {**parameters, "portion": None})[0]["n"]
            progress = step_progress(gate.name, waiting, "rows", "checked")
        results: list[GateResult] = []
        for start in range(0, len(rows), ROWS_PER_CHECK):
            texts = [RowTexts.of(row) for row in rows[start : start + ROWS_PER_CHECK]]
            results += gate.check(texts)
            progress.come_to(checked + len(results))
        write_results(store, gate, rows, results)
        checked += len(rows)
        if len(rows) < ROWS_PER_WRITE:
            break
    return checked


def record_version(
    connection: "duckdb.DuckDBPyConnection", gate: str, version: str, made_of: Mapping[str, Any]
) -> None:
    """Store what a gate's version is computed from, once for each version."""
    parameters = {"gate": gate, "version": version, "made_of": canonical_json(made_of)}
    connection.execute(RECORD_VERSION, parameters)


def write_results(
    store: Store, gate: Gate, rows: Sequence[Mapping[str, Any]], results: Sequence[GateResult]
) -> None:
    """Replace a gate's verdicts and repairs on these rows by its new results."""
    verdicts: list[dict[str, Any]] = []
    repairs: list[dict[str, str]] = []
    shared: dict[int, list[dict[str, Any]]] = {}  # by result: most rows have one and the same
    for row, result in zip(rows, results, strict=True):
        texts = (row["instruction"], row["input"], row["output"])
        if id(result) not in shared:
            shared[id(result)] = list(
                verdict_rows(gate.name, gate.version, row, result.findings, texts)
            )
        own = {"row_id": row["row_id"], "rehearsal": row["rehearsal"]}
        own["text_sha256"] = text_sha256(texts)
        verdicts += [columns | own for columns in shared[id(result)]]
        repairs += [
            {"row_id": row["row_id"], "gate": gate.name, "field": field, "text": text}
            for field, text in result.repairs.items()
        ]
    with store.write() as connection:
        record_version(connection, gate.name, gate.version, gate.made_of)
        replace_verdicts(connection, gate.name, [row["row_id"] for row in rows], verdicts)
        with _checked_rows(connection, [row["row_id"] for row in rows]):
            connection.execute(DELETE_CHECKED.format(table="repairs"), {"gate": gate.name})
        insert(connection, "repairs", repairs)


def replace_verdicts(
    connection: "duckdb.DuckDBPyConnection",
    gate: str,
    row_ids: Sequence[str],
    verdicts: Iterable[Mapping[str, Any]],
) -> None:
    """Replace all verdicts of a gate on these rows."""
    with _checked_rows(connection, row_ids):
        connection.execute(COPY_TO_SUPERSEDED, {"gate": gate})
        connection.execute(DELETE_CHECKED.format(table="verdicts"), {"gate": gate})
    [(now,)] = connection.execute("select now()").fetchall()
    remaining = iter(verdicts)
    while portion := list(islice(remaining, ROWS_PER_WRITE)):
        insert(connection, "verdicts", portion, judged_at=now)


def withhold_identifiers(store: Store) -> None:
    """Remove identifiers from the evidence that other gates stored.

    These gates check the text as the teacher wrote it, and store a part of it as evidence.
    """
    changed = []
    for row in store.rows(FINDINGS_BESIDE_IDENTIFIERS):
        spans = [span for found in row["found"] for span in json.loads(found).get("found", [])]
        identifiers = [row[span["field"]][span["start"] : span["end"]] for span in spans]
        before = json.loads(row["evidence"])
        evidence = {
            name: _without_identifiers(value, identifiers) for name, value in before.items()
        }
        if evidence != before:
            key = {name: row[name] for name in ("row_id", "gate", "place")}
            changed.append({**key, "evidence": canonical_json(evidence)})
    if changed:
        with store.write() as connection:
            connection.executemany(REPLACE_EVIDENCE, changed)


def _without_identifiers(value: Any, identifiers: Sequence[str]) -> Any:
    # Evidence is truncated, perhaps within an identifier.
    discloses = isinstance(value, str) and any(
        text[start : start + TELLING_CHARACTERS].lower() in value.lower()
        for text in identifiers
        for start in range(max(1, len(text) - TELLING_CHARACTERS + 1))
    )
    return WITHHELD_TEXT if discloses else value


class StoredResults:
    """Stored results of gates by text, so that generation checks no stored reply again.

    Results on imported rows are not among them.
    """

    def __init__(self, store: Store | None, gates: Sequence[Gate]) -> None:
        self._results: dict[tuple[str, str], GateResult] = {}
        if store is None or not store.path.exists():
            return
        for gate in gates:
            self._load(store, gate)

    def __call__(self, gate: Gate, rows: Sequence[RowTexts]) -> list[GateResult]:
        """The gate's result for each row; texts with a stored result are not checked again."""
        keys = [(gate.name, text_sha256(row)) for row in rows]
        missing = [place for place, key in enumerate(keys) if key not in self._results]
        new_results = gate.check([rows[place] for place in missing])
        for place, result in zip(missing, new_results, strict=True):
            self._results[keys[place]] = result
        return [self._results[key] for key in keys]

    def _load(self, store: Store, gate: Gate) -> None:
        repairs: dict[str, dict[str, str]] = {}
        for row in store.rows(STORED_REPAIRS, {"gate": gate.name}):
            repairs.setdefault(row["row_id"], {})[row["field"]] = row["text"]
        findings: dict[tuple[str, str], list[Finding]] = {}
        for row in store.rows(STORED_FINDINGS, {"gate": gate.name, "version": gate.version}):
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


def findings_of_row(store: Store, row_id: str) -> list[dict[str, Any]]:
    """The findings of every gate on a row, in the order of the gates; the first reject decides.

    A finding has gate, rule, verdict, score, evidence (a JSON object), version and judged_at.

    Raises:
        UnknownRowError: no raw row has this id.
    """
    found = store.rows(FINDINGS_OF_ROW, {"row_id": row_id})
    if not found and not store.rows(
        "select 1 from raw_instructions where row_id = $row_id", {"row_id": row_id}
    ):
        raise UnknownRowError(
            f"No row {row_id!r} in raw_instructions. Row ids have 24 hex digits; "
            "find one by its text: select row_id from raw_instructions where instruction ilike ..."
        )
    return [row | {"evidence": json.loads(row["evidence"])} for row in found]


@contextmanager
def _checked_rows(
    connection: "duckdb.DuckDBPyConnection", row_ids: Sequence[str]
) -> Iterator[None]:
    """Register the row ids as the relation `checked`."""
    import pyarrow as pa

    connection.register("checked", pa.table({"row_id": pa.array(row_ids, pa.string())}))
    yield
    connection.unregister("checked")
