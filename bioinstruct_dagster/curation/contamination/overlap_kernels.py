"""Shared runs and whole texts of rows and evaluation texts, compiled.

Belongs here: the loops. Import this module inside functions only, since numba takes a second to
load. Does not: the likeness of whole texts (likeness_kernels), which texts are compared (overlap),
or the findings about a match (gate).

Texts are token numbers, one text after the other, as in EncodedTexts. Rows share the vocabulary of
the evaluation texts; numbers from `known` on occur in no evaluation text.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import compiled
from bioinstruct_dagster.curation.tokens.token_kernels import mixed

_STEP = np.uint64(0x9E3779B97F4A7C15)
_ONE = np.uint64(1)
_HIGH = np.uint64(32)  # the lower bits of a hash choose the slot, the upper ones the bit
_WORD_BITS, _LAST_BIT = np.uint64(6), np.uint64(63)
COLUMNS = 4

Ints = NDArray[np.int64]
Numbers = NDArray[np.int32]


class TokenTexts(NamedTuple):
    """Texts one after the other; text i has `tokens[offsets[i] : offsets[i + 1]]`."""

    tokens: Numbers
    offsets: Ints


class TokenRuns(NamedTuple):
    """All runs of `size` tokens in the evaluation texts; the first place of a run stands for it."""

    size: int
    most: int  # a run that occurs in more items than this is ignored
    slots: Numbers  # open-addressing hash table: run + 1, 0 where empty
    seen: NDArray[np.uint64]  # a bit for each known hash; most unknown runs stop here
    first: Numbers  # by run: where it starts in the tokens
    last: Numbers  # by run: the last place entered
    items: Numbers  # by run: number of different items that hold it
    before: Numbers  # by place in the tokens: the place of the same run before it, or -1
    used: Ints  # one element: the number of runs


class TokenHeads(NamedTuple):
    """Texts by their first tokens, at most `size` of them."""

    size: int
    slots: Numbers  # open-addressing hash table: text + 1, 0 where empty
    before: Numbers  # by text: another text with the same head, or -1


@compiled
def hash_of(tokens: Numbers, start: int, size: int) -> np.uint64:
    """A hash of a run of tokens."""
    digest = _STEP
    for place in range(start, start + size):
        digest = mixed(digest ^ np.uint64(tokens[place])) + _STEP
    return digest


@compiled
def same(left: Numbers, at: int, right: Numbers, to: int, size: int) -> bool:
    """Whether two runs of tokens are equal."""
    for step in range(size):  # noqa: SIM110
        if left[at + step] != right[to + step]:
            return False
    return True


@compiled
def next_sum(tokens: Numbers, start: int, size: int, before: np.uint64) -> np.uint64:
    """The polynomial of a run of tokens, from the one of the run that begins a place earlier.

    Args:
        tokens: of all texts.
        start: where the run begins.
        size: of the run.
        before: the polynomial of the run at `start - 1`; 0 for the first run of a text.
    """
    if before == 0:
        for place in range(start, start + size):
            before = before * _STEP + np.uint64(tokens[place]) + _ONE
        return before
    power = _ONE
    for _ in range(size - 1):
        power *= _STEP
    left = (np.uint64(tokens[start - 1]) + _ONE) * power
    return (before - left) * _STEP + np.uint64(tokens[start + size - 1]) + _ONE


@compiled
def is_seen(runs: TokenRuns, digest: np.uint64) -> bool:
    """Whether a run with this hash may have been entered; a wrong yes only costs time."""
    bit = (digest >> _HIGH) & np.uint64((runs.seen.shape[0] << 6) - 1)
    return bool(runs.seen[np.int64(bit >> _WORD_BITS)] >> (bit & _LAST_BIT) & _ONE)


@compiled
def find_run(
    runs: TokenRuns, tokens: Numbers, other: Numbers, start: int, digest: np.uint64
) -> tuple[int, int]:
    """The run that starts at a place in other tokens, or -1 if it is unknown; and its slot."""
    mask = runs.slots.shape[0] - 1
    slot = np.int64(digest & np.uint64(mask))
    while runs.slots[slot] != 0:
        run = np.int64(runs.slots[slot]) - 1
        if same(tokens, runs.first[run], other, start, runs.size):
            return int(run), int(slot)
        slot = (slot + 1) & mask
    return -1, int(slot)


@compiled
def enter_runs(runs: TokenRuns, texts: TokenTexts, item_of: Numbers) -> None:
    """Enter every run of every text; texts come in the order of their items."""
    latest = np.full(runs.first.shape[0], -1, np.int32)
    for text in range(item_of.shape[0]):
        total = np.uint64(0)
        for place in range(texts.offsets[text], texts.offsets[text + 1] - runs.size + 1):
            total = next_sum(texts.tokens, place, runs.size, total)
            digest = mixed(total)
            run, slot = find_run(runs, texts.tokens, texts.tokens, place, digest)
            if run < 0:
                bit = (digest >> _HIGH) & np.uint64((runs.seen.shape[0] << 6) - 1)
                runs.seen[np.int64(bit >> _WORD_BITS)] |= _ONE << (bit & _LAST_BIT)
                run = runs.used[0]
                runs.used[0] += 1
                runs.slots[slot] = run + 1
                runs.first[run] = place
                runs.last[run] = -1
            runs.before[place] = runs.last[run]
            runs.last[run] = place
            if latest[run] != item_of[text]:
                latest[run] = item_of[text]
                runs.items[run] += 1


@compiled
def appended(table: Ints, used: int, row: tuple[int, int, int, int]) -> Ints:
    """The table with one more line; a larger copy if the table was full."""
    if used == table.shape[0]:
        larger = np.empty((2 * used, COLUMNS), np.int64)
        larger[:used] = table
        table = larger
    table[used, 0], table[used, 1], table[used, 2], table[used, 3] = row
    return table


@compiled
def shared_places(
    runs: TokenRuns, texts: TokenTexts, row: TokenTexts, stamps: Numbers, stamp: int
) -> Ints:
    """The sorted places in the evaluation texts of the runs that a row shares."""
    places = np.empty(64, np.int64)
    used = 0
    for text in range(row.offsets.shape[0] - 1):
        total = np.uint64(0)
        for start in range(row.offsets[text], row.offsets[text + 1] - runs.size + 1):
            total = next_sum(row.tokens, start, runs.size, total)
            digest = mixed(total)
            if not is_seen(runs, digest):
                continue
            run, _ = find_run(runs, texts.tokens, row.tokens, start, digest)
            if run < 0 or stamps[run] == stamp or runs.items[run] > runs.most:
                continue
            stamps[run] = stamp
            place = runs.last[run]
            while place >= 0:
                if used == places.shape[0]:
                    larger = np.empty(2 * used, np.int64)
                    larger[:used] = places
                    places = larger
                places[used] = place
                used += 1
                place = runs.before[place]
    return np.sort(places[:used])


@compiled
def shared_runs(runs: TokenRuns, texts: TokenTexts, text_of: Numbers, rows: TokenTexts) -> Ints:
    """By row and text: the number of runs that they share, and the text's tokens in these runs.

    Each row has two texts: its instruction with its input, and its output.
    """
    found = np.empty((64, COLUMNS), np.int64)
    used = 0
    stamps = np.full(runs.first.shape[0], -1, np.int32)
    for row in range((rows.offsets.shape[0] - 1) // 2):
        own = TokenTexts(rows.tokens, rows.offsets[2 * row : 2 * row + 3])
        places = shared_places(runs, texts, own, stamps, row)
        at = 0
        while at < places.shape[0]:
            text = text_of[places[at]]
            count, covered, end = 0, 0, np.int64(-1)
            while at < places.shape[0] and text_of[places[at]] == text:
                covered += places[at] + runs.size - max(end, places[at])
                end = places[at] + runs.size
                count += 1
                at += 1
            found = appended(found, used, (row, text, count, covered))
            used += 1
    return found[:used]


@compiled
def enter_heads(heads: TokenHeads, texts: TokenTexts) -> None:
    """Enter all texts; none may be empty."""
    mask = heads.slots.shape[0] - 1
    for text in range(texts.offsets.shape[0] - 1):
        start = texts.offsets[text]
        size = min(heads.size, texts.offsets[text + 1] - start)
        slot = np.int64(hash_of(texts.tokens, start, size) & np.uint64(mask))
        while heads.slots[slot] != 0:
            other = heads.slots[slot] - 1
            at = texts.offsets[other]
            if min(heads.size, texts.offsets[other + 1] - at) == size and same(
                texts.tokens, at, texts.tokens, start, size
            ):
                heads.before[text] = other
                break
            slot = (slot + 1) & mask
        heads.slots[slot] = text + 1


@compiled
def first_with_head(
    heads: TokenHeads, texts: TokenTexts, digest: np.uint64, tokens: Numbers, span: tuple[int, int]
) -> int:
    """A text whose head equals a run of tokens with this hash, or -1."""
    start, size = span
    mask = heads.slots.shape[0] - 1
    slot = np.int64(digest & np.uint64(mask))
    while heads.slots[slot] != 0:
        text = np.int64(heads.slots[slot]) - 1
        at = texts.offsets[text]
        if min(heads.size, texts.offsets[text + 1] - at) == size and same(
            texts.tokens, at, tokens, start, size
        ):
            return int(text)
        slot = (slot + 1) & mask
    return -1


@compiled
def whole_texts(
    heads: TokenHeads, sizes: Ints, texts: TokenTexts, known: int, rows: TokenTexts
) -> Ints:
    """All places where a text of the rows holds a whole evaluation text.

    Args:
        heads: of the evaluation texts.
        sizes: the lengths of heads that occur.
        texts: the evaluation texts.
        known: numbers from here on occur in no evaluation text.
        rows: the texts of the rows.

    Returns:
        Lines of: text of the rows, evaluation text, place, 0.
    """
    found = np.empty((64, COLUMNS), np.int64)
    used = 0
    for own in range(rows.offsets.shape[0] - 1):
        stop = rows.offsets[own + 1]
        for start in range(rows.offsets[own], stop):
            if rows.tokens[start] >= known:
                continue
            digest, hashed = _STEP, 0
            for size in sizes:
                if start + size > stop:
                    break
                while hashed < size:  # the same hash as hash_of gives
                    digest = mixed(digest ^ np.uint64(rows.tokens[start + hashed])) + _STEP
                    hashed += 1
                text = first_with_head(heads, texts, digest, rows.tokens, (start, size))
                while text >= 0:
                    at, end = texts.offsets[text], texts.offsets[text + 1]
                    if start + end - at <= stop and same(
                        texts.tokens, at, rows.tokens, start, end - at
                    ):
                        found = appended(found, used, (own, text, start - rows.offsets[own], 0))
                        used += 1
                    text = heads.before[text]
    return found[:used]


@compiled
def longest_run(left: Numbers, right: Numbers) -> tuple[int, int]:
    """The longest run of tokens that two texts share: its length, and its end in `right`."""
    best, end = 0, 0
    lengths = np.zeros(right.shape[0] + 1, np.int32)
    for token in left:
        diagonal = np.int32(0)
        for place in range(right.shape[0]):
            above = lengths[place + 1]
            lengths[place + 1] = diagonal + 1 if token == right[place] else 0
            diagonal = above
            if lengths[place + 1] > best:
                best, end = int(lengths[place + 1]), place + 1
    return best, end
