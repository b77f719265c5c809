"""Splitting bytes into numbered tokens, compiled. Import inside functions only.

Belongs here: the loop over bytes and the hash table of tokens. Does not: which bytes make a token
(vocabulary).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import compiled, inner

# FNV-1a over the bytes, then the finaliser of SplitMix64, which spreads it over all bits.
_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)


@inner
def mixed(value: np.uint64) -> np.uint64:
    """The value with each of its bits spread over all 64."""
    value = (value ^ (value >> _SHIFT_1)) * _MIX_1
    value = (value ^ (value >> _SHIFT_2)) * _MIX_2
    return value ^ (value >> _SHIFT_3)


class CharacterTables(NamedTuple):
    """The memory of a vocabulary."""

    arena: NDArray[np.uint8]  # the tokens' bytes, one after the other
    starts: NDArray[np.int64]  # by token: where its bytes start; its end is the next one's start
    hashes: NDArray[np.uint64]  # by token
    slots: NDArray[np.int32]  # open-addressing hash table: token + 1, 0 where empty


class CharacterSource(NamedTuple):
    """The bytes of texts, with a zero byte after each text, and the folding of each byte."""

    text: NDArray[np.uint8]
    fold: NDArray[np.uint8]  # by byte: its form in a token; 0 for a byte that is in no token


class Cursor(NamedTuple):
    """How far the numbering of a buffer has come."""

    used: int  # tokens known
    position: int  # next byte to read
    written: int  # tokens written
    ended: int  # texts ended


@inner
def fold_token(
    source: CharacterSource, position: int, arena: NDArray[np.uint8], end: int
) -> tuple[int, int, np.uint64]:
    """Copy the token at a position, folded, to the arena.

    Returns:
        The token's end in the text, its end in the arena (-1 if the arena is full), and its hash.
    """
    text, fold = source
    digest = _FNV_OFFSET
    while position < text.shape[0]:
        byte = fold[text[position]]
        if byte == 0:
            break
        if end == arena.shape[0]:
            return position, -1, digest
        arena[end] = byte
        digest = (digest ^ np.uint64(byte)) * _FNV_PRIME
        end += 1
        position += 1
    return position, end, mixed(digest)


@inner
def same_bytes(arena: NDArray[np.uint8], one: int, other: int, size: int) -> bool:
    """Whether two stretches of the arena are equal."""
    for i in range(size):  # noqa: SIM110
        if arena[one + i] != arena[other + i]:
            return False
    return True


@inner
def find_or_add(tables: CharacterTables, used: int, end: int, digest: np.uint64) -> int:
    """The number of the token that was copied to the end of the arena; -1 if a table is full.

    The number of a new token is `used`.
    """
    start = tables.starts[used]
    size = end - start
    mask = tables.slots.shape[0] - 1
    slot = np.int64(digest & np.uint64(mask))
    while tables.slots[slot] != 0:
        found = int(tables.slots[slot]) - 1
        at = tables.starts[found]
        if (
            tables.hashes[found] == digest
            and tables.starts[found + 1] - at == size
            and same_bytes(tables.arena, at, start, size)
        ):
            return found
        slot = (slot + 1) & mask
    if 2 * (used + 1) > mask or used + 1 >= tables.starts.shape[0]:
        return -1
    tables.hashes[used] = digest
    tables.starts[used + 1] = end
    tables.slots[slot] = used + 1
    return used


@compiled
def number_tokens(
    source: CharacterSource,
    tables: CharacterTables,
    cursor: Cursor,
    tokens: NDArray[np.int32],
    ends: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Number the tokens from the cursor on, and write each text's end among them.

    A token is a run of bytes that do not fold to 0. The loop stops before a token that overflows a
    table. The caller then enlarges the tables and calls again with the returned cursor.
    """
    text, fold = source
    used, position, written, ended = cursor
    while position < text.shape[0]:
        if fold[text[position]] == 0:
            if text[position] == 0:
                ends[ended] = written
                ended += 1
            position += 1
            continue
        after, end, digest = fold_token(source, position, tables.arena, tables.starts[used])
        found = find_or_add(tables, used, end, digest) if end >= 0 else -1
        if found < 0:
            break
        used += found == used
        tokens[written] = found
        written += 1
        position = after
    return used, position, written, ended


@compiled
def fill_slots(hashes: NDArray[np.uint64], used: int, slots: NDArray[np.int32]) -> None:
    """Enter the known tokens into an empty hash table of slots."""
    mask = slots.shape[0] - 1
    for token in range(used):
        slot = np.int64(hashes[token] & np.uint64(mask))
        while slots[slot] != 0:
            slot = (slot + 1) & mask
        slots[slot] = token + 1
