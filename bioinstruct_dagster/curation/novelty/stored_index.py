"""The novelty rule over a store: new rows against all that were kept, without reading all of them.

A kept row is stored as a signature: its number of tokens, and 128 bits of which each token sets the
one that its hash names. Two texts' signatures bound what they can have in common; a scan of all
kept signatures finds the rows that can matter to any new one, a few in a thousand, and only their
texts are read. Kept rows that no new row can repeat change no verdict, so the result is that of
checking everything from the start.

Belongs here: signatures, the scan, and their two tables. Does not: the rule (novelty.rule), or
which rows are to be checked (novelty.gate).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.pairs import least_lcs_by_total
from bioinstruct_dagster.curation.novelty.rule import (
    MEASURES,
    THRESHOLD,
    NamedInstruction,
    NoveltyVerdict,
    RougeMeasure,
    check_here,
    for_second_measure,
)
from bioinstruct_dagster.curation.tokens.compiled import default_threads
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.store.database import Store

if TYPE_CHECKING:
    import duckdb

    from bioinstruct_dagster.curation.novelty.signature_kernels import Sketches

# With more new texts, a scan costs more than reading and indexing all kept ones.
SCANNED_AT_MOST = 5_000
_ROWS_AT_ONCE = 1 << 16

KEPT_SIGNATURES = """
    select place, tokens, low, high
    from novelty_signatures
    where measure = $measure and place < $before
"""
ROWS_AT = """
    select distinct place, row_id
    from novelty_signatures semi join wanted using (place)
    order by place
"""
KEPT_PLACES = "select distinct place from novelty_signatures where place < $before"
VERSIONS = "select measure, version from novelty_index"

CheckNovelty = Callable[
    [Sequence[NamedInstruction], Sequence[NamedInstruction]], list[NoveltyVerdict]
]
FetchTexts = Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True)
class Signatures:
    """Rows of `novelty_signatures`, by column; texts come in the order of their places."""

    row_ids: Sequence[str]
    places: NDArray[np.int64]
    measures: Sequence[RougeMeasure]
    tokens: NDArray[np.uint32]
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


@dataclass(frozen=True)
class IndexChange:
    """What the tables must hold after rows were checked: these signatures, from this place on."""

    first_place: int
    signatures: Signatures


class StoredIndex:
    """What was kept so far, as the store knows it.

    Args:
        store: holds the two tables.
        seeds: kept from the start; never stored here.
        fetch: gives the instructions of kept rows, by row id.
        scanned_at_most: with more new rows, all kept ones are read; any number gives the same
            verdicts.
        check_many: checks these, as `check_here` does.
    """

    def __init__(
        self,
        store: Store,
        seeds: Sequence[NamedInstruction],
        fetch: FetchTexts,
        *,
        scanned_at_most: int = SCANNED_AT_MOST,
        check_many: CheckNovelty = check_here,
    ) -> None:
        self._store = store
        self._seeds = seeds
        self._fetch = fetch
        self._scanned_at_most = scanned_at_most
        self._check_many = check_many

    def check(
        self, candidates: Sequence[NamedInstruction], places: Sequence[int]
    ) -> tuple[list[NoveltyVerdict], IndexChange]:
        """Check rows against the seeds and the rows kept at places before the first of theirs.

        Args:
            candidates: in the order of their places.
            places: of the candidates in the canonical order, ascending.

        Returns:
            A verdict each, and what is to be written with them.
        """
        if not candidates:
            return [], IndexChange(_END, _no_signatures())
        first = places[0]
        is_current, kept, kept_places = self._kept(candidates, first)
        many = len(candidates) > self._scanned_at_most
        verdicts = (self._check_many if many else check_here)([*self._seeds, *kept], candidates)
        added = [n for n, verdict in enumerate(verdicts) if verdict.novel]
        texts = [candidates[n] for n in added]
        at = [places[n] for n in added]
        if not is_current:
            # The stored signatures mean something else: make those of all kept rows anew.
            texts, at = [*kept, *texts], [*kept_places, *at]
            first = min(first, *kept_places) if kept_places else first
        return verdicts, IndexChange(first, signatures_of(texts, at))

    def _kept(
        self, candidates: Sequence[NamedInstruction], before: int
    ) -> tuple[bool, list[NamedInstruction], list[int]]:
        """Whether the signatures are of this version; kept rows, those that matter at least."""
        import pyarrow as pa

        with self._store.read() as connection:
            is_current = dict(connection.execute(VERSIONS).fetchall()) == _present_versions()
            if is_current and len(candidates) <= self._scanned_at_most:
                wanted = self._places_that_matter(connection, candidates, before)
            else:
                found = connection.execute(KEPT_PLACES, {"before": before}).fetchnumpy()
                wanted = found["place"]
            connection.register("wanted", pa.table({"place": wanted}))
            rows = connection.execute(ROWS_AT).fetchall()
        texts = self._fetch([row_id for _, row_id in rows])
        kept = [NamedInstruction(row_id, texts[row_id]) for _, row_id in rows]
        return is_current, kept, [place for place, _ in rows]

    def _places_that_matter(
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
                KEPT_SIGNATURES, {"measure": measure, "before": before}
            ).fetchnumpy()
            sketches = _sketches(kept["tokens"], kept["low"], kept["high"])
            found.append(kept["place"][those_that_can_match(sketches, new[measure], THRESHOLD)])
        return np.unique(np.concatenate(found))


def write_change(connection: "duckdb.DuckDBPyConnection", change: IndexChange) -> None:
    """Bring the two tables to what rows checked from a place on made of them."""
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
        list(_present_versions().items()),
    )


def index_version() -> str:
    """Short hash of what a signature depends on besides its text: the code that makes it."""
    return code_sha256("curation.novelty.stored_index.signatures_of")[:12]


def _present_versions() -> dict[str, str]:
    return dict.fromkeys(MEASURES, index_version())


def signatures_of(texts: Sequence[NamedInstruction], places: Sequence[int]) -> Signatures:
    """The rows of `novelty_signatures` for kept texts: one by `rouge_score`, or one per measure."""
    instructions = [text.instruction for text in texts]
    parts = list(_measured(instructions))
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
    """By measure: the sketches of those texts that it applies to."""
    return {measure: sketches for measure, _, sketches in _measured(texts)}


def those_that_can_match(
    kept: "Sketches", new: "Sketches", threshold: float, threads: int | None = None
) -> NDArray[np.bool_]:
    """Which kept texts may have an F1 above the threshold with any new one."""
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
    # Both sizes must reach the smallest LCS, t(m+n)/2; one more on either side for the rounding.
    ratio = threshold / (2 - threshold)
    windows = Windows(
        least,
        np.searchsorted(sorted_new.sizes, np.maximum(np.floor(sizes * ratio) - 1, 1)),
        np.searchsorted(sorted_new.sizes, np.ceil(sizes / ratio) + 1, side="right"),
    )
    windows.last[0] = 0  # a text without tokens is like none

    def scan(start: int) -> None:
        which = (start, min(start + _ROWS_AT_ONCE, count))
        mark_matching(kept, sorted_new, windows, which, marked)

    with ThreadPoolExecutor(threads or default_threads()) as pool:
        list(pool.map(scan, range(0, count, _ROWS_AT_ONCE)))
    return marked


def _measured(texts: Sequence[str]) -> Iterator[tuple[RougeMeasure, Sequence[int], "Sketches"]]:
    """By measure: which texts it applies to, and their sketches."""
    vocabulary = Vocabulary()
    encoded = vocabulary.encode(texts)
    yield "rouge_score", range(len(texts)), _described(encoded, vocabulary)
    seconds = for_second_measure(texts, encoded)
    vocabulary = Vocabulary()
    encoded = vocabulary.encode_unicode([texts[i] for i in seconds])
    yield "unicode", seconds, _described(encoded, vocabulary)


def _described(encoded: EncodedTexts, vocabulary: Vocabulary) -> "Sketches":
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


_END = np.iinfo(np.int64).max


def _no_signatures() -> Signatures:
    return signatures_of([], [])
