"""The optional second stage of novelty: instructions that say the same in other words.

Rows that the rule of novelty kept are looked at in the same order, and one is dropped iff the
cosine of its vector with that of an earlier row that this stage keeps is above the threshold.
Belongs here: the vectors and that rule. Does not: likeness by words (novelty), on which this stage
has no effect.
"""

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.verdicts import text_sha256
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

Vectors = NDArray[np.float32]

RULE = "meaning"
NOTHING_FOUND = "novel_in_meaning"

_BLOCK = 1_024  # rows settled at once; any size gives the same result
_STRETCH = 8_192  # earlier kept rows compared at once; bounds the memory
_BATCH = 64  # texts that the model reads at once
_PORTION = 4_096  # texts embedded between two writes: what a kill may lose
# Matrix products differ in the last bits with the shape of the block. Cosines are therefore
# rounded, and those this close are ties.
_DECIMALS = 6
_TIE = 1e-6

STORED = """
    select text_sha256, vector
    from embeddings
    where model = $model and text_sha256 in (select text_sha256 from wanted)
"""


class MeaningModelError(StatedError):
    """The model of `BIOINSTRUCT_MEANING_MODEL` can't be used; the message says why."""


class NearestMeaning(NamedTuple):
    """The earlier row that a row repeats, or -1 where it is kept; and a cosine.

    The cosine is the highest with any earlier row that is kept, 0 where there is none.
    """

    nearest: int
    cosine: float


class MeaningFilter:
    """A model that turns texts into vectors, and the cosine above which two say the same.

    Args:
        folder: as `SentenceTransformer.save` writes it. Nothing is ever downloaded.
        threshold: two rows whose cosine is above it mean the same.
    """

    def __init__(self, folder: Path, threshold: float) -> None:
        self.folder = folder
        self.threshold = threshold
        if not (folder / "modules.json").is_file():
            raise MeaningModelError(
                f"BIOINSTRUCT_MEANING_MODEL: {folder} is no sentence-transformers folder (it has "
                "no modules.json). Name a folder that holds such a model, or leave it empty."
            )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the content of the folder's files, hidden ones left out."""
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
        """Hash of the model's files, the threshold and the code; what the rows do not decide."""
        code = code_sha256("curation.novelty.meaning.MeaningFilter")
        return sha256_of([self.fingerprint, self.threshold, code])[:8]

    @cached_property
    def _model(self) -> Any:
        # By hand, since an ImportError may also come from a package that the model itself needs.
        if importlib.util.find_spec("sentence_transformers") is None:
            raise MeaningModelError(
                "BIOINSTRUCT_MEANING_MODEL is set, but sentence-transformers is not installed. "
                "Run pip install 'bioinstruct-dagster[embeddings]', or leave the setting empty."
            )
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(str(self.folder), local_files_only=True)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError) as error:
            raise MeaningModelError(
                f"BIOINSTRUCT_MEANING_MODEL: sentence-transformers can't load {self.folder}: "
                f"{error} Check that the folder is complete and of a version it knows."
            ) from error

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of unit length per text, in rows."""
        if not texts:
            return np.empty((0, 0), np.float32)
        found = self._model.encode(
            list(texts), batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True
        )
        vectors = np.asarray(found, dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise MeaningModelError(
                f"BIOINSTRUCT_MEANING_MODEL: the model in {self.folder} gives vectors that hold "
                "no numbers (nan or infinity), so nothing can be compared. Use another model."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # A text that the model sees nothing in has no direction: it is like no other.
        directed = np.zeros_like(vectors)
        np.divide(vectors, lengths, out=directed, where=lengths > 0)
        return directed

    def findings(self, ids: Sequence[str], vectors: Vectors) -> list[Finding]:
        """What this stage says of each row; the rows come in canonical order."""
        return [
            Finding(RULE, self.version, "reject", cosine, {"nearest_id": ids[nearest]})
            if nearest >= 0
            else Finding(NOTHING_FOUND, self.version, "keep", cosine)
            for nearest, cosine in near_in_meaning(vectors, self.threshold)
        ]


def embed_stored(store: Store, meaning: MeaningFilter, texts: Sequence[str]) -> Vectors:
    """A vector per text, from the table `embeddings` where it has one; new ones are added to it."""
    if not texts:
        return np.empty((0, 0), np.float32)
    keys = [text_key(text) for text in texts]
    vectors = _stored(store, meaning.fingerprint, keys)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
    names = list(missing)
    for start in range(0, len(names), _PORTION):
        portion = names[start : start + _PORTION]
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
    """Under what a text's vector is stored: first 16 hex digits of its sha256."""
    return text_sha256([text])


def near_in_meaning(vectors: Vectors, threshold: float) -> list[NearestMeaning]:
    """Which rows repeat an earlier one that is kept: greedily, in their order.

    Args:
        vectors: of unit length, one a row.
        threshold: a cosine above it is a repetition; the nearest row is the earliest of equal ones.
    """
    kept = np.empty(len(vectors), np.int64)
    used = 0
    found: list[NearestMeaning] = []
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK]
        nearest, highest = _nearest_kept(block, vectors, kept[:used])
        within = block @ block.T
        joined = np.zeros(len(block), bool)
        for row in range(len(block)):
            here = np.flatnonzero(joined[:row])
            if here.size and (top := within[row, here].max()) > highest[row] + _TIE:
                highest[row] = top
                nearest[row] = start + here[np.argmax(within[row, here] >= top - _TIE)]
            cosine = round(float(highest[row]), _DECIMALS) if nearest[row] >= 0 else 0.0
            joined[row] = not cosine > threshold
            found.append(NearestMeaning(-1 if joined[row] else int(nearest[row]), cosine))
        new = start + np.flatnonzero(joined)
        kept[used : used + len(new)] = new
        used += len(new)
    return found


def _nearest_kept(
    block: Vectors, vectors: Vectors, kept: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Vectors]:
    """Per row of the block the most similar of the kept rows, and its cosine; -1 without any."""
    nearest = np.full(len(block), -1, np.int64)
    highest = np.full(len(block), -np.inf, np.float32)
    for first in range(0, len(kept), _STRETCH):
        stretch = kept[first : first + _STRETCH]
        cosines = block @ vectors[stretch].T
        top = cosines.max(axis=1)
        # Only a clearly higher one takes the place of an earlier row.
        better = np.flatnonzero(top > highest + _TIE)
        ties = cosines[better] >= top[better, None] - _TIE
        nearest[better] = stretch[np.argmax(ties, axis=1)]
        highest[better] = top[better]
    return nearest, highest


def _stored(store: Store, model: str, keys: Sequence[str]) -> dict[str, Vectors]:
    import pyarrow as pa

    if not store.path.exists():
        return {}
    with store.read() as connection:
        connection.register("wanted", pa.table({"text_sha256": pa.array(keys, pa.string())}))
        table: Any = connection.sql(STORED, params={"model": model}).to_arrow_table()
    if not len(table):
        return {}
    column = table.column("vector").combine_chunks()
    vectors = column.flatten().to_numpy().reshape(len(table), -1)
    return dict(zip(table.column("text_sha256").to_pylist(), vectors, strict=True))
