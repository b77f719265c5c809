"""New rows against a store of kept rows: making such a store, and our runner on it.

The store holds the rows' texts in `raw_instructions` and the novelty index, as a project's store
does. Belongs here: our runner of this measure. Does not: our other runners (ours).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.curation.peers.measured import Body, Job

_PORTION = 50_000
_FEW = 200
TEXTS_OF = """
    select row_id, instruction
    from raw_instructions semi join wanted using (row_id)
"""


def filled_store(job: Job) -> Body:
    """Check texts until enough are kept, and store those. The texts after them are the new rows."""
    texts, wanted, new = job.read("texts"), job.options["kept"], job.options["new"]

    def body() -> dict[str, Any]:
        from bioinstruct_dagster.curation.novelty.rule import NoveltyFilter

        check, kept, at = NoveltyFilter([]), list[str](), 0
        while len(kept) < wanted:
            portion = texts[at : at + min(_PORTION, wanted - len(kept))]
            if not portion:
                raise ValueError(f"{len(texts)} texts are too few to keep {wanted}")
            novel = check.check_texts(portion).novel.tolist()
            kept += [text for text, keep in zip(portion, novel, strict=True) if keep]
            at += len(portion)
        following = texts[at : at + new]
        _write(job.folder / "new.jsonl", following)
        _write(job.folder / "expected.jsonl", check.check_texts(following).novel.tolist())
        _store_with(job.folder / "store.duckdb", kept)
        return {"checked": at}

    return body


def incremental(job: Job) -> Body:
    """Read the index, check the new rows, and write the rows that are kept."""
    from bioinstruct_dagster.store.database import Store

    texts, expected = job.read("new"), job.read("expected")
    few = _store_with(job.folder / "few.duckdb", texts[:_FEW])
    _checked(few, texts[:_FEW], _FEW)
    store = Store(Path(job.material["store"]))
    first = store.rows("select count(*) as rows from raw_instructions")[0]["rows"]

    def body() -> dict[str, Any]:
        novel = _checked(store, texts, first)
        return {"removed": novel.count(False), "same": novel == expected}

    return body


def _checked(store: Any, texts: Sequence[str], first: int) -> list[bool]:
    """Check rows that follow all stored rows, and write the rows that are kept."""
    import pyarrow as pa

    from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
    from bioinstruct_dagster.curation.novelty.stored_index import StoredIndex, write_change
    from bioinstruct_dagster.store.database import insert

    def fetch(row_ids: Sequence[str]) -> Mapping[str, str]:
        with store.read() as connection:
            connection.register("wanted", pa.table({"row_id": pa.array(row_ids, pa.string())}))
            return dict(connection.execute(TEXTS_OF).fetchall())

    rows = [_row(first + number, text) for number, text in enumerate(texts)]
    candidates = [NamedInstruction(row["row_id"], row["instruction"]) for row in rows]
    verdicts, change = StoredIndex(store, [], fetch).check(
        candidates, [row["ordinal"] for row in rows]
    )
    kept = [row for row, verdict in zip(rows, verdicts, strict=True) if verdict.novel]
    with store.write() as connection:
        insert(connection, "raw_instructions", kept)
        write_change(connection, change)
    return [verdict.novel for verdict in verdicts]


def _store_with(path: Path, kept: Sequence[str]) -> Any:
    from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
    from bioinstruct_dagster.curation.novelty.stored_index import (
        IndexChange,
        signatures_of,
        write_change,
    )
    from bioinstruct_dagster.store.database import Store, insert

    store = Store(path)
    with store.write() as connection:
        for start in range(0, len(kept), _PORTION):
            rows = [
                _row(start + number, text)
                for number, text in enumerate(kept[start : start + _PORTION])
            ]
            insert(connection, "raw_instructions", rows)
        named = [NamedInstruction(f"{number:024x}", text) for number, text in enumerate(kept)]
        write_change(connection, IndexChange(0, signatures_of(named, range(len(kept)))))
    return store


def _row(number: int, text: str) -> dict[str, Any]:
    return {
        "row_id": f"{number:024x}",
        "ordinal": number,
        "position": 0,
        "source": "benchmark",
        "instruction": text,
        "input": "",
        "output": "",
        "rehearsal": False,
    }


def _write(path: Path, values: Sequence[Any]) -> None:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")
