"""Why the data set may not be published.

Belongs here: the data set's own reasons. Does not: those of checks (check_states), or those of an
adapter (adapter_refusals).
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.build import (
    CARD_FILE,
    COLUMNS,
    CROISSANT_FILE,
    FINGERPRINT_COLUMNS,
    shards_of,
)
from bioinstruct_dagster.dataset.card.licence import licence_header
from bioinstruct_dagster.dataset.older_results import SHORT
from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER
from bioinstruct_dagster.dataset.written_files import missing_since_written
from bioinstruct_dagster.models.current_dataset import DATASET, NO_DATA_SET
from bioinstruct_dagster.publishing.broken_documents import (
    DOCUMENTS_ANEW,
    BrokenDocumentError,
    gone,
    header_of,
    reading,
)
from bioinstruct_dagster.publishing.check_states import CheckState, check_refusals
from bioinstruct_dagster.review.unread import unread_judgements
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_file, sha256_of_rows

NO_LICENCE = (
    "No licence was chosen for the data set. Set BIOINSTRUCT_DATASET_LICENCE, such as to "
    "cc-by-4.0, and materialize key:hf_dataset again."
)
ANEW = "Materialize key:hf_dataset again."
# As the data set takes the labelled rows: after the review by persons.
_REVIEWED = "select row_id, ordinal, category, labelled_by from reviewed_instructions"
_REJECTED = """
    select count(*) as rows from hf_dataset
    semi join (select row_id from review_results where excluded) using (row_id)
"""
_DIFFERING = """
    select count(*) as rows from hf_dataset as placed
    full join reviewed_instructions as now using (row_id)
    where placed.row_id is null or now.row_id is null or placed.category <> now.category
"""
_BATCH = 1_000


def dataset_refusals(
    store: Store, settings: Settings, checks: Sequence[CheckState] = ()
) -> list[str]:
    """Why the data set may not be published: a sentence for each reason; empty if it may.

    Args:
        store: with the rows.
        settings: with the folder and the licence.
        checks: what the blocking checks say up to the data set.
    """
    found = store.rows(DATASET)[0]
    if found["fingerprint"] is None:
        return [NO_DATA_SET]
    folder = settings.store.data_dir / "hf_dataset"
    licence = settings.publishing.dataset_licence
    return [
        *([] if licence else [NO_LICENCE]),
        *unread_reviews(store, settings),
        *_folder_refusals(store, folder, found["fingerprint"]),
        *_document_refusals(folder, found["fingerprint"], licence),
        *check_refusals(checks),
    ]


def unread_reviews(store: Store, settings: Settings) -> list[str]:
    """Says that reviewers have handed in judgements that nobody has read; empty if they have not.

    Nobody knows yet which rows they reject, so nothing is published or exported before.
    """
    unread = unread_judgements(store, settings)
    return [unread] if unread else []


def rejected_rows(store: Store) -> str | None:
    """Says that rows which reviewers reject or dispute are in the data set; None if none are."""
    count = store.rows(_REJECTED)[0]["rows"]
    if not count:
        return None
    return (
        f"The data set holds {count:,} rows that reviewers reject or dispute (table "
        f"review_results): it is older than the review. {ANEW}"
    )


def older_rows(store: Store) -> str | None:
    """Says that labelled rows or reviews are newer than the data set; None if they are not."""
    count = store.rows(_DIFFERING)[0]["rows"]
    if not count:
        return None
    return (
        f"The data set is older than its labelled rows or their review: {count:,} rows differ from "
        f"the view reviewed_instructions. {ANEW}"
    )


def _folder_refusals(store: Store, folder: Path, fingerprint: str) -> Iterator[str]:
    """What the rows on the disk forbid: they are read, and not only the store's table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    shards = shards_of(folder, fingerprint)
    if not shards:
        yield (
            f"{folder} does not hold the version {fingerprint[:SHORT]} of the data set, which the "
            f"store names. {ANEW}"
        )
        return
    try:
        rows = pa.concat_tables(
            pq.read_table(path, columns=list(COLUMNS)).append_column(
                "split", pa.array([path.name.partition("-")[0]] * pq.read_metadata(path).num_rows)
            )
            for path in shards
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        yield f"The Parquet files in {folder / 'data'} can't be read ({error}). {ANEW}"
        return
    yield from _rehearsal(rows)
    yield from _changed_rows(store, rows, fingerprint)


def _rehearsal(rows: Any) -> Iterator[str]:
    import pyarrow.compute as pc

    marked = pc.sum(rows["rehearsal"]).as_py() or 0
    if marked:
        yield (
            f"{marked:,} of {rows.num_rows:,} rows are marked rehearsal: the rehearsal teacher "
            "replayed them. Rows of a rehearsal can't be published. Set BIOINSTRUCT_TEACHER=openai "
            "and a BIOINSTRUCT_DATA_DIR of its own, and make the set with a real teacher."
        )
    labels = pc.sum(pc.equal(rows["labelled_by"], REHEARSED_LABELLER)).as_py() or 0
    if labels and not marked:
        yield (
            f"The categories of {labels:,} of {rows.num_rows:,} rows are recorded labels, which "
            "the rehearsal teacher replayed. Set BIOINSTRUCT_TEACHER=openai, and materialize "
            "key:categorized_instructions and key:hf_dataset again."
        )


def _changed_rows(store: Store, rows: Any, fingerprint: str) -> Iterator[str]:
    """Whether the rows on the disk are those of the store after review, by ids, labels and hash."""
    import pyarrow as pa

    now = {row["row_id"]: row for row in store.rows(_REVIEWED)}
    ids = rows["row_id"].to_pylist()
    if rejected := rejected_rows(store):
        yield rejected
        return
    if Counter(ids) != Counter(list(now)):
        yield (
            "The data set is older than its labelled rows or their review: the view "
            f"reviewed_instructions holds {len(now):,} rows, and the folder {len(ids):,}; or rows "
            f"have changed. {ANEW}"
        )
        return
    labels = zip(ids, rows["category"].to_pylist(), rows["labelled_by"].to_pylist(), strict=True)
    if other := sum(
        (now[one]["category"], now[one]["labelled_by"]) != (category, by)
        for one, category, by in labels
    ):
        yield (
            f"The categories of {other:,} rows, or who gave them, have changed in the view "
            f"reviewed_instructions: the data set is older than its labels or their review. {ANEW}"
        )
        return
    in_order = rows.append_column(
        "ordinal", pa.array([now[one]["ordinal"] for one in ids])
    ).sort_by("ordinal")
    found = sha256_of_rows(
        (row for batch in in_order.to_batches(_BATCH) for row in batch.to_pylist()),
        FINGERPRINT_COLUMNS,
    )
    if found != fingerprint:
        yield (
            f"The rows on the disk have changed: their fingerprint is {found[:SHORT]}, and the "
            f"store names {fingerprint[:SHORT]}. {ANEW}"
        )


def _document_refusals(folder: Path, fingerprint: str, licence: str) -> Iterator[str]:
    """What card and croissant.json say that the rows or the settings contradict."""
    needed = {CARD_FILE, CROISSANT_FILE}
    missing = sorted(
        {one for one in needed if not (folder / one).is_file()} | {*missing_since_written(folder)}
    )
    yield from (gone(folder, name, DOCUMENTS_ANEW) for name in missing)
    if needed & set(missing):
        return
    try:
        with reading(folder / CARD_FILE, DOCUMENTS_ANEW):
            card = (folder / CARD_FILE).read_text("utf-8")
            header = header_of(card)
        with reading(folder / CROISSANT_FILE, DOCUMENTS_ANEW):
            described = json.loads((folder / CROISSANT_FILE).read_text("utf-8"))
            named = {
                str(one.get("contentUrl")): one.get("sha256")
                for one in described.get("distribution", [])
            }
    except BrokenDocumentError as error:
        yield str(error)
        return
    if fingerprint[:16] not in card:
        yield f"{folder / CARD_FILE} is the card of another version of the data set. {ANEW}"
    present = {f"data/{path.name}": path for path in shards_of(folder, fingerprint)}
    if present and named != {name: sha256_of_file(path) for name, path in present.items()}:
        yield (
            f"The Parquet files have other hashes than {folder / CROISSANT_FILE} says, or are not "
            f"all there. {ANEW}"
        )
    on_card = {name: header[name] for name in ("license", "license_name") if name in header}
    if licence and on_card != licence_header(licence):
        shown = on_card.get("license_name") or on_card.get("license") or "none"
        yield (
            f"The card names the licence {shown}, and BIOINSTRUCT_DATASET_LICENCE is {licence}. "
            f"{ANEW}"
        )
