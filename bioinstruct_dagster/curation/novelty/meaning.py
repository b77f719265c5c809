"""The optional second stage of novelty: instructions with the same meaning in other words.

This stage compares the rows that the rule of novelty kept, in the same order. It rejects a row if
the cosine of its vector with the vector of an earlier row that this stage keeps is above the
threshold. It has no effect on the rule of novelty. Belongs here: the vectors and this comparison.
Does not: likeness in words (rule), or the verdicts in the store (meaning_verdicts).
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.extras import EMBEDDINGS
from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.verdicts import text_sha256
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

Vectors = NDArray[np.float32]

REPEAT_RULE = "meaning"
NOVEL_RULE = "novel_in_meaning"

_BLOCK_ROWS = 1_024  # rows checked at once; any size gives the same result
_ROWS_COMPARED = 8_192  # earlier kept rows compared at once; bounds the memory
_BATCH_TEXTS = 64  # texts that the model reads at once
_PORTION_TEXTS = 4_096  # texts between two writes to the store; a kill loses at most so many
# The last bits of a matrix product depend on the shape of the block. So cosines are rounded, and
# cosines that differ by less than the margin are ties.
_COSINE_DECIMALS = 6
_TIE_MARGIN = 1e-6

STORED_VECTORS = """
    select text_sha256, vector
    from embeddings
    where model = $model and text_sha256 in (select text_sha256 from wanted)
"""


class MeaningModelError(StatedError):
    """The model of `BIOINSTRUCT_MEANING_MODEL` can't be used; the message says why."""


def check_embeddings_installed() -> None:
    """Refuse the setting if sentence-transformers is not installed.

    Raises:
        MeaningModelError: it is not installed.
    """
    if not EMBEDDINGS.is_installed():
        raise MeaningModelError(EMBEDDINGS.missing_message)


class NearestMeaning(NamedTuple):
    """The earlier row that a row repeats, -1 if the row is kept; and a cosine.

    The cosine is the highest one with any earlier kept row, 0 if there is no such row.
    """

    nearest: int
    cosine: float


class MeaningFilter:
    """A model that turns texts into vectors, and a threshold for their cosines.

    Args:
        folder: a folder that `SentenceTransformer.save` has written. Nothing is ever downloaded.
        threshold: two rows have the same meaning if their cosine is above it.
    """

    def __init__(self, folder: Path, threshold: float) -> None:
        self.folder = folder
        self.threshold = threshold
        if not (folder / "modules.json").is_file():
            raise MeaningModelError(
                f"BIOINSTRUCT_MEANING_MODEL: {folder} is no sentence-transformers folder (it has "
                "no modules.json). Name a folder that holds such a model, or leave the setting "
                "empty."
            )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content of the folder's files, without hidden files."""
        files = {
            path.relative_to(self.folder): path for path in self.folder.rglob("*") if path.is_file()
        }
        return sha256_of(
            [
                [name.as_posix(), sha256_of_file(files[name])]
                for name in sorted(files)
                if not any(part.startswith(".") for part in name.parts)
            ]
        )

    @property
    def version(self) -> str:
        """Hash of the model's files, the threshold and the code."""
        code = code_sha256("curation.novelty.meaning.MeaningFilter")
        return sha256_of([self.fingerprint, self.threshold, code])[:8]

    @cached_property
    def _model(self) -> Any:
        check_embeddings_installed()
        try:
            from sentence_transformers import SentenceTransformer
        except Exception as error:  # a broken library fails in many ways
            raise MeaningModelError(EMBEDDINGS.broken_message(error)) from error

        try:
            return SentenceTransformer(str(self.folder), local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
            raise MeaningModelError(
                f"BIOINSTRUCT_MEANING_MODEL: sentence-transformers can't load {self.folder}: "
                f"{error} Check that the folder is complete, and that the installed version of "
                "sentence-transformers can read it."
            ) from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of unit length for each text, as rows of a matrix."""
        if not texts:
            return np.empty((0, 0), np.float32)
        found = self._model.encode(
            list(texts), batch_size=_BATCH_TEXTS, show_progress_bar=False, convert_to_numpy=True
        )
        vectors = np.asarray(found, dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise MeaningModelError(
                f"BIOINSTRUCT_MEANING_MODEL: the model in {self.folder} gives vectors with nan or "
                "infinity, so rows can't be compared. Use another model."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # If the model gives a zero vector, the text is similar to no other.
        directed = np.zeros_like(vectors)
        np.divide(vectors, lengths, out=directed, where=lengths > 0)
        return directed

    def findings(self, ids: Sequence[str], vectors: Vectors) -> list[Finding]:
        """A finding for each row; rows come in the canonical order."""
        return [
            Finding(REPEAT_RULE, self.version, "reject", cosine, {"nearest_id": ids[nearest]})
            if nearest >= 0
            else Finding(NOVEL_RULE, self.version, "keep", cosine)
            for nearest, cosine in nearest_meanings(vectors, self.threshold)
        ]


def embed_stored(store: Store, meaning: MeaningFilter, texts: Sequence[str]) -> Vectors:
    """A vector for each text: from the table `embeddings`, or computed and added to the table."""
    if not texts:
        return np.empty((0, 0), np.float32)
    keys = [text_key(text) for text in texts]
    vectors = _stored_vectors(store, meaning.fingerprint, keys)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
    names = list(missing)
    for start in range(0, len(names), _PORTION_TEXTS):
        portion = names[start : start + _PORTION_TEXTS]
        fresh = dict(zip(portion, meaning.embed([missing[key] for key in portion]), strict=True))
        rows = [
            {"text_sha256": key, "model": meaning.fingerprint, "vector": vector}
            for key, vector in fresh.items()
        ]
        with store.write() as connection:
            insert(connection, "embeddings", rows)
        vectors |= fresh
    return np.stack([vectors[key] for key in keys])


def text_key(text: str) -> str:
    """The key of a text's vector in the store: the first 16 hex digits of its sha256."""
    return text_sha256([text])


def nearest_meanings(vectors: Vectors, threshold: float) -> list[NearestMeaning]:
    """For each row the earlier kept row that it repeats, decided one by one in their order.

    Args:
        vectors: of unit length, one for each row.
        threshold: a cosine above it is a repetition. Of equally near rows, the earliest is named.
    """
    kept = np.empty(len(vectors), np.int64)
    used = 0
    found: list[NearestMeaning] = []
    for start in range(0, len(vectors), _BLOCK_ROWS):
        block = vectors[start : start + _BLOCK_ROWS]
        nearest, highest = _nearest_kept(block, vectors, kept[:used])
        within = block @ block.T
        joined = np.zeros(len(block), bool)
        for row in range(len(block)):
            here = np.flatnonzero(joined[:row])
            if here.size and (top := within[row, here].max()) > highest[row] + _TIE_MARGIN:
                highest[row] = top
                nearest[row] = start + here[np.argmax(within[row, here] >= top - _TIE_MARGIN)]
            cosine = round(float(highest[row]), _COSINE_DECIMALS) if nearest[row] >= 0 else 0.0
            joined[row] = not cosine > threshold
            found.append(NearestMeaning(-1 if joined[row] else int(nearest[row]), cosine))
        new = start + np.flatnonzero(joined)
        kept[used : used + len(new)] = new
        used += len(new)
    return found


def _nearest_kept(
    block: Vectors, vectors: Vectors, kept: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Vectors]:
    """For each row of the block the most similar kept row and its cosine; -1 without kept rows."""
    nearest = np.full(len(block), -1, np.int64)
    highest = np.full(len(block), -np.inf, np.float32)
    for first in range(0, len(kept), _ROWS_COMPARED):
        stretch = kept[first : first + _ROWS_COMPARED]
        cosines = block @ vectors[stretch].T
        top = cosines.max(axis=1)
        # A later row replaces an earlier one only if its cosine is clearly higher.
        better = np.flatnonzero(top > highest + _TIE_MARGIN)
        ties = cosines[better] >= top[better, None] - _TIE_MARGIN
        nearest[better] = stretch[np.argmax(ties, axis=1)]
        highest[better] = top[better]
    return nearest, highest


def _stored_vectors(store: Store, model: str, keys: Sequence[str]) -> dict[str, Vectors]:
    import pyarrow as pa

    if not store.path.exists():
        return {}
    with store.read() as connection:
        connection.register("wanted", pa.table({"text_sha256": pa.array(keys, pa.string())}))
        table: Any = connection.sql(STORED_VECTORS, params={"model": model}).to_arrow_table()
    if not len(table):
        return {}
    column = table.column("vector").combine_chunks()
    vectors = column.flatten().to_numpy().reshape(len(table), -1)
    return dict(zip(table.column("text_sha256").to_pylist(), vectors, strict=True))
