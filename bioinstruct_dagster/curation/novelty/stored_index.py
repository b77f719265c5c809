"""The novelty rule over a store: checks new rows without reading the texts of all kept rows.

The store holds a signature of each kept row: its number of tokens, and 128 bits. Each token sets
the bit that its hash names. Two signatures give a bound on the LCS of their texts. A scan of all
signatures finds the kept rows that a new row may repeat, a few in a thousand, and only their texts
are read. The other kept rows change no verdict, so the result is the same as a check of all rows
from the start.

Belongs here: signatures, the scan, and their two tables. Does not: the rule (rule), or which rows
must be checked (gate).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.length_bounds import least_lcs_by_total
from bioinstruct_dagster.curation.novelty.rule import (
    MEASURES,
    THRESHOLD,
    NamedInstruction,
    NoveltyVerdict,
    RougeMeasure,
    check_in_process,
    encode_for,
    members_of_measures,
)
from bioinstruct_dagster.curation.tokens.compilation import default_threads
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.store.database import Store

if TYPE_CHECKING:
    import duckdb

    from bioinstruct_dagster.curation.novelty.signature_kernels import Sketches

# For more new rows than this, it is faster to read and index all kept rows than to scan.
MOST_SCANNED_ROWS = 5_000
_ROWS_AT_ONCE = 1 << 16

SIGNATURES_BEFORE = """
    select place, tokens, low, high
    from novelty_signatures
    where measure = $measure and place < $before
"""
ROWS_AT_PLACES = """
    select distinct place, row_id
    from novelty_signatures semi join wanted using (place)
    order by place
"""
PLACES_BEFORE = "select distinct place from novelty_signatures where place < $before"
INDEX_VERSIONS = "select measure, version from novelty_index"

CheckNovelty = Callable[
    [Sequence[NamedInstruction], Sequence[NamedInstruction]], list[NoveltyVerdict]
]
FetchTexts = Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True)
class Signatures:
    """Rows of `novelty_signatures` by column, in the order of their places."""

    row_ids: Sequence[str]
    places: NDArray[np.int64]
    measures: Sequence[RougeMeasure]
    tokens: NDArray[np.uint32]
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


@dataclass(frozen=True)
class IndexChange:
    """A change of the two tables: these signatures replace all signatures from a place on."""

    first_place: int
    signatures: Signatures


class StoredIndex:
    """The kept rows in a store, and the check of new rows against them.

    Args:
        store: holds the two tables.
        seeds: kept from the start; the tables do not hold them.
        fetch: gives the instructions of kept rows, by row id.
        scanned_at_most: if there are more new rows, the texts of all kept rows are read; any number
            gives the same verdicts.
        check_many: used if there are more new rows; like `check_in_process`.
        threshold: a ROUGE-L F1 above it is a repetition; `check_many` must use the same.
    """

    def __init__(
        self,
        store: Store,
        seeds: Sequence[NamedInstruction],
        fetch: FetchTexts,
        *,
        scanned_at_most: int = MOST_SCANNED_ROWS,
        check_many: CheckNovelty | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        self._store = store
        self._seeds = seeds
        self._fetch = fetch
        self._scanned_at_most = scanned_at_most
        self._check_here = partial(check_in_process, threshold=threshold)
        self._check_many = check_many or self._check_here
        self._threshold = threshold

    def check(
        self, candidates: Sequence[NamedInstruction], places: Sequence[int]
    ) -> tuple[list[NoveltyVerdict], IndexChange]:
        """Check rows against the seeds and against the kept rows at earlier places.

        Args:
            candidates: in the order of their places.
            places: of the candidates in the canonical order, ascending.

        Returns:
            A verdict for each candidate, and the change of the tables that belongs to the verdicts.
        """
        if not candidates:
            return [], IndexChange(_AFTER_ALL_PLACES, _no_signatures())
        first = places[0]
        is_current, kept, kept_places = self._kept_rows(candidates, first)
        many = len(candidates) > self._scanned_at_most
        verdicts = (self._check_many if many else self._check_here)(
            [*self._seeds, *kept], candidates
        )
        added = [n for n, verdict in enumerate(verdicts) if verdict.novel]
        texts = [candidates[n] for n in added]
        at = [places[n] for n in added]
        if not is_current:
            # Another version has made the stored signatures: make those of all kept rows again.
            texts, at = [*kept, *texts], [*kept_places, *at]
            first = min(first, *kept_places) if kept_places else first
        return verdicts, IndexChange(first, signatures_of(texts, at))

    def _kept_rows(
        self, candidates: Sequence[NamedInstruction], before: int
    ) -> tuple[bool, list[NamedInstruction], list[int]]:
        """Kept rows before a place: at least those that a candidate may repeat.

        Returns:
            Whether the signatures are of the current version, the rows, and their places.
        """
        import pyarrow as pa

        with self._store.read() as connection:
            is_current = dict(connection.execute(INDEX_VERSIONS).fetchall()) == _current_versions()
            if is_current and len(candidates) <= self._scanned_at_most:
                wanted = self._places_of_candidates(connection, candidates, before)
            else:
                found = connection.execute(PLACES_BEFORE, {"before": before}).fetchnumpy()
                wanted = np.asarray(found["place"], np.int64)
            connection.register("wanted", pa.table({"place": wanted}))
            rows = connection.execute(ROWS_AT_PLACES).fetchall()
        texts = self._fetch([row_id for _, row_id in rows])
        kept = [NamedInstruction(row_id, texts[row_id]) for _, row_id in rows]
        return is_current, kept, [place for place, _ in rows]

    def _places_of_candidates(
        self,
        connection: "duckdb.DuckDBPyConnection",
        candidates: Sequence[NamedInstruction],
        before: int,
    ) -> NDArray[np.int64]:
        """Places of kept rows that a candidate may repeat."""
        new = sketches_of([candidate.instruction for candidate in candidates])
        found = [np.empty(0, np.int64)]
        for measure in MEASURES:
            if not len(new[measure].sizes):
                continue
            kept = connection.execute(
                SIGNATURES_BEFORE, {"measure": measure, "before": before}
            ).fetchnumpy()
            sketches = _sketches(kept["tokens"], kept["low"], kept["high"])
            similar = mark_similar_candidates(sketches, new[measure], self._threshold)
            found.append(np.asarray(kept["place"], np.int64)[similar])
        return np.unique(np.concatenate(found))


def write_change(connection: "duckdb.DuckDBPyConnection", change: IndexChange) -> None:
    """Apply a change to the two tables."""
    import pyarrow as pa

    connection.execute(
        "delete from novelty_signatures where place >= $place", {"place": change.first_place}
    )
    added = change.signatures
    table = pa.table(
        {
            "row_id": pa.array(added.row_ids, pa.string()),
            "place": added.places,
            "measure": pa.array(added.measures, pa.string()),
            "tokens": added.tokens,
            "low": added.low,
            "high": added.high,
        }
    )
    connection.register("added_signatures", table)
    connection.execute("insert into novelty_signatures by name select * from added_signatures")
    connection.unregister("added_signatures")
    connection.execute("delete from novelty_index")
    connection.executemany(
        "insert into novelty_index (measure, version) values (?, ?)",
        list(_current_versions().items()),
    )


def index_version() -> str:
    """Short hash of the code that makes signatures."""
    return code_sha256("curation.novelty.stored_index.signatures_of")[:12]


def _current_versions() -> dict[str, str]:
    return dict.fromkeys(MEASURES, index_version())


def signatures_of(texts: Sequence[NamedInstruction], places: Sequence[int]) -> Signatures:
    """The rows of `novelty_signatures` for kept texts: one for each measure that checks a text."""
    instructions = [text.instruction for text in texts]
    parts = list(_sketches_by_measure(instructions))
    numbers = np.concatenate([np.asarray(which, np.int64) for _, which, _ in parts])
    sketches = [sketch for _, _, sketch in parts]
    return Signatures(
        [texts[n].id for n in numbers],
        np.asarray(places, np.int64)[numbers],
        [measure for measure, which, _ in parts for _ in which],
        np.concatenate([part.sizes for part in sketches]).astype(np.uint32),
        np.concatenate([part.low for part in sketches]),
        np.concatenate([part.high for part in sketches]),
    )


def sketches_of(texts: Sequence[str]) -> dict[RougeMeasure, "Sketches"]:
    """By measure: the sketches of the texts that it checks."""
    return {measure: sketches for measure, _, sketches in _sketches_by_measure(texts)}


def mark_similar_candidates(
    kept: "Sketches", new: "Sketches", threshold: float, threads: int | None = None
) -> NDArray[np.bool_]:
    """By kept text: whether it may have an F1 above the threshold with any new text."""
    from bioinstruct_dagster.curation.novelty.signature_kernels import (
        Sketches,
        Windows,
        mark_matching,
    )

    count = len(kept.sizes)
    marked = np.zeros(count, np.bool_)
    if not count or not len(new.sizes):
        return marked
    order = np.argsort(new.sizes, kind="stable")
    sorted_new = Sketches(new.sizes[order], new.low[order], new.high[order])
    longest = int(kept.sizes.max())
    sizes = np.arange(longest + 1)
    least = least_lcs_by_total(threshold, longest + int(new.sizes.max()))
    # Both sizes must reach the smallest LCS, t(m+n)/2. The bounds allow one more for rounding.
    ratio = threshold / (2 - threshold)
    windows = Windows(
        least,
        np.searchsorted(sorted_new.sizes, np.maximum(np.floor(sizes * ratio) - 1, 1)),
        np.searchsorted(sorted_new.sizes, np.ceil(sizes / ratio) + 1, side="right"),
    )
    windows.last[0] = 0  # a text without tokens is similar to no text

    def scan(start: int) -> None:
        which = (start, min(start + _ROWS_AT_ONCE, count))
        mark_matching(kept, sorted_new, windows, which, marked)

    with ThreadPoolExecutor(threads or default_threads()) as pool:
        list(pool.map(scan, range(0, count, _ROWS_AT_ONCE)))
    return marked


def _sketches_by_measure(
    texts: Sequence[str],
) -> Iterator[tuple[RougeMeasure, Sequence[int], "Sketches"]]:
    """For each measure: the numbers of the texts that it checks, and their sketches."""
    for measure, members in zip(MEASURES, members_of_measures(texts), strict=True):
        vocabulary = Vocabulary()
        encoded = encode_for(measure, vocabulary, [texts[i] for i in members])
        yield measure, members.tolist(), _sketches_of_encoded(encoded, vocabulary)


def _sketches_of_encoded(encoded: EncodedTexts, vocabulary: Vocabulary) -> "Sketches":
    from bioinstruct_dagster.curation.novelty.key_kernels import HIGH, LENGTH, LOW, describe

    marks = np.empty((len(encoded.offsets) - 1, 4), np.int64)
    describe(encoded.tokens, encoded.offsets, vocabulary.hashes, marks)
    return _sketches(
        marks[:, LENGTH], marks[:, LOW].view(np.uint64), marks[:, HIGH].view(np.uint64)
    )


def _sketches(sizes: Any, low: Any, high: Any) -> "Sketches":
    from bioinstruct_dagster.curation.novelty.signature_kernels import Sketches

    return Sketches(
        np.ascontiguousarray(sizes, np.int64),
        np.ascontiguousarray(low, np.uint64),
        np.ascontiguousarray(high, np.uint64),
    )


_AFTER_ALL_PLACES = np.iinfo(np.int64).max


def _no_signatures() -> Signatures:
    return signatures_of([], [])
