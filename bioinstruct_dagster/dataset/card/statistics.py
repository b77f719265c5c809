"""Lengths and diversity of the rows, as numbers that can stand beside those of another set.

Some measures depend on the size of a set: a larger set has relatively fewer distinct words, and
each of its rows has nearer neighbours. They are computed on as many rows as the published figures
were (published.yaml), which a hash of the texts draws. Belongs here: measuring rows. Does not: the
published figures (card.published), or the tables of the card (sections.content).
"""

import hashlib
import math
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.rule import rouge_l_f1_of_texts
from bioinstruct_dagster.curation.tokens.vocabulary import tokenize

FIELDS = ("instruction", "input", "output")
SAMPLE_ROWS = 2_501  # the rows behind the published figures
BINS = 10  # of the histogram of similarities, each a tenth wide
_SEARCHED_ROWS, _SEARCHED_AT_ONCE = 500, 125  # rows compared with all others of a large set
_Z95 = 1.959964  # of the normal distribution, for a 95 % interval of a mean
_LONG_OUTPUT, _SHORT_OUTPUT = 100, 2  # words
# An input that only says that there is none, as in 5.8 % of the published rows.
_NO_INPUT = re.compile(
    r"\W*(?:n/?a|none(?: (?:required|needed|given|provided))?|null|not applicable|"
    r"no input(?: (?:required|needed|given|provided|necessary))?)\W*",
    re.IGNORECASE,
)
_SHARES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "empty_input": lambda row: not row["input"].strip(),
    "input_marker": lambda row: _NO_INPUT.fullmatch(row["input"]) is not None,
    "begins_with_given": lambda row: row["instruction"].lower().startswith("given"),
    "is_question": lambda row: row["instruction"].rstrip().endswith("?"),
    "short_output": lambda row: len(row["output"].split()) <= _SHORT_OUTPUT,
    "long_output": lambda row: len(row["output"].split()) > _LONG_OUTPUT,
}


@dataclass(frozen=True)
class Lengths:
    """How long the texts of a field are, in words between white space.

    Attributes:
        mean: words.
        half_width: of the mean's 95 % interval; None for a single text.
        sd: the standard deviation.
        median: words.
        p5: the 5th percentile.
        p95: the 95th percentile.
        least: words of the shortest text.
        most: words of the longest text.
        characters: the mean number of characters.
    """

    mean: float
    half_width: float | None
    sd: float | None
    median: float
    p5: float
    p95: float
    least: int
    most: int
    characters: float


@dataclass(frozen=True)
class Diversity:
    """How much the instructions of a sample differ from each other.

    Attributes:
        rows: in the sample.
        distinct: the share of distinct n-grams of words among all, for n = 1, 2 and 3.
        openings: the number of distinct first three words.
        compression: how many times zlib makes the instructions shorter: repetition raises it.
        pair_mean: the mean ROUGE-L F1 of all pairs; None for fewer than two rows.
        pair_p95: the 95th percentile over all pairs.
        nearest_median: the median, over rows, of the F1 with the most similar other row.
        nearest: rows of the sample by that F1, in tenths from 0 to 1.
        nearest_in_set: the same for some rows beside the whole set, whose rows have nearer
            neighbours than those of a sample; empty if the sample is the whole set.
    """

    rows: int
    distinct: tuple[float, float, float]
    openings: int
    compression: float
    pair_mean: float | None
    pair_p95: float | None
    nearest_median: float | None
    nearest: tuple[int, ...]
    nearest_in_set: tuple[int, ...] = ()


@dataclass(frozen=True)
class TextStatistics:
    """What the rows measure.

    Attributes:
        rows: their number.
        lengths: by field.
        shares: the share of rows with a property, by its name.
        diversity: of the instructions of a sample.
    """

    rows: int
    lengths: Mapping[str, Lengths]
    shares: Mapping[str, float]
    diversity: Diversity


def text_statistics(rows: Sequence[Mapping[str, Any]]) -> TextStatistics | None:
    """Measure rows with `instruction`, `input` and `output`; None if there are none."""
    if not rows:
        return None
    sample = sample_of(rows, SAMPLE_ROWS)
    diversity = diversity_of([row["instruction"] for row in sample])
    if len(sample) < len(rows):
        diversity = replace(diversity, nearest_in_set=_nearest_in_set(rows))
    return TextStatistics(
        len(rows),
        {name: lengths_of([row[name] for row in rows]) for name in FIELDS},
        {name: sum(map(test, rows)) / len(rows) for name, test in _SHARES.items()},
        diversity,
    )


def _nearest_in_set(rows: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    """Some rows by their F1 with the most similar other row of the whole set, in tenths."""
    every = [row["instruction"] for row in rows]
    chosen = sorted(range(len(rows)), key=lambda number: _place(rows[number]))[:_SEARCHED_ROWS]
    found = []
    for start in range(0, len(chosen), _SEARCHED_AT_ONCE):  # bounds the memory
        part = chosen[start : start + _SEARCHED_AT_ONCE]
        scores = rouge_l_f1_of_texts([every[number] for number in part], every)
        scores[np.arange(len(part)), part] = 0.0
        found.append(scores.max(axis=1))
    return tenths(np.concatenate(found))


def lengths_of(texts: Sequence[str]) -> Lengths:
    """The lengths of at least one text."""
    words = np.array([len(text.split()) for text in texts])
    sd = float(words.std(ddof=1)) if len(words) > 1 else None
    low, median, high = (float(one) for one in np.percentile(words, (5, 50, 95)))
    return Lengths(
        mean=float(words.mean()),
        half_width=None if sd is None else _Z95 * sd / math.sqrt(len(words)),
        sd=sd,
        median=median,
        p5=low,
        p95=high,
        least=int(words.min()),
        most=int(words.max()),
        characters=sum(map(len, texts)) / len(texts),
    )


def sample_of(rows: Sequence[Mapping[str, Any]], size: int) -> Sequence[Mapping[str, Any]]:
    """At most `size` rows, by a hash of their texts: the same rows give the same sample."""
    if len(rows) <= size:
        return rows
    return sorted(rows, key=_place)[:size]


def _place(row: Mapping[str, Any]) -> bytes:
    return hashlib.sha256("\x1f".join(row[name] for name in FIELDS).encode()).digest()


def diversity_of(instructions: Sequence[str]) -> Diversity:
    """The diversity of at least one instruction. Its time grows with the square of their number."""
    tokens = [tokenize(text) for text in instructions]
    whole = "\n".join(instructions).encode()
    mean, p95, nearest = _similarities(instructions)
    return Diversity(
        rows=len(instructions),
        distinct=(_distinct(tokens, 1), _distinct(tokens, 2), _distinct(tokens, 3)),
        openings=len({tuple(text.lower().split()[:3]) for text in instructions}),
        compression=len(whole) / len(zlib.compress(whole, 9)),
        pair_mean=mean,
        pair_p95=p95,
        nearest_median=None if nearest is None else float(np.median(nearest)),
        nearest=() if nearest is None else tenths(nearest),
    )


def tenths(values: NDArray[np.float64]) -> tuple[int, ...]:
    """How many values lie in each tenth from 0 to 1. A bound belongs to the tenth above it."""
    # 0.7000000000000001 and 0.7 are one similarity, rounded in two ways.
    places = np.minimum((np.round(values, 9) * BINS).astype(int), BINS - 1)
    return tuple(np.bincount(places, minlength=BINS).tolist())


def _distinct(texts: Sequence[Sequence[str]], size: int) -> float:
    """The share of distinct n-grams among all n-grams of the texts; 0 if there is none."""
    grams = [tuple(text[at : at + size]) for text in texts for at in range(len(text) - size + 1)]
    return len(set(grams)) / len(grams) if grams else 0.0


def _similarities(
    instructions: Sequence[str],
) -> tuple[float | None, float | None, NDArray[np.float64] | None]:
    """Mean and 95th percentile over all pairs, and each row's F1 with its nearest other row."""
    count = len(instructions)
    if count < 2:  # noqa: PLR2004  # no pair
        return None, None, None
    scores = rouge_l_f1_of_texts(instructions, instructions)
    pairs = scores[np.triu_indices(count, 1)]
    np.fill_diagonal(scores, 0.0)
    return float(pairs.mean()), float(np.percentile(pairs, 95)), scores.max(axis=1)
