"""Made instruction rows of a known law of lengths, and the draw of those that a session trains.

The law is that of 3,000 published instruction rows in Alpaca's template: log-normal, mean 186
tokens, 95 % of rows below 417, none above 947, two fifths of the tokens in the response. Only
lengths matter for speed, so the tokens themselves are drawn from Zipf's law, which a model can
begin to learn. Belongs here: lengths, tokens, and which rows are trained. Does not: files
(material).
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

VOCABULARY = 8_042
SPECIAL = 3  # ids 0 to 2: padding, begin, end of sequence
END = 2
ROWS = 3_000
SHORTEST, LONGEST = 24, 947
MEAN, SIGMA = 186.0, 0.6
RESPONSE_SHARE = 0.4
_MU = math.log(MEAN) - SIGMA**2 / 2
ROWS_PER_PASS = 8  # the default of TRL and of transformers' Trainer
_DRAWS, _ORDERS = 300, 8


@dataclass(frozen=True)
class TokenRow:
    """One row as token ids: a prompt, then a response that ends with the end token."""

    row_id: str
    input_ids: list[int]
    prompt_tokens: int

    def as_json(self) -> dict[str, object]:
        """The row as a line of a file of material."""
        return asdict(self)


def lengths(count: int, seed: int) -> list[int]:
    """The lengths of this many rows, in tokens."""
    random_number = random.Random(seed)  # noqa: S311
    return [
        min(LONGEST, max(SHORTEST, round(random_number.lognormvariate(_MU, SIGMA))))
        for _ in range(count)
    ]


def made_rows(count: int, seed: int) -> Iterator[TokenRow]:
    """Rows of the law, always the same for a seed."""
    random_number = random.Random(seed)  # noqa: S311
    words = range(SPECIAL, VOCABULARY)
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    for number, length in enumerate(lengths(count, seed)):
        prompt = length - max(2, round(length * RESPONSE_SHARE))
        ids = random_number.choices(words, weights, k=length - 1)
        yield TokenRow(f"made-{number:05d}", [*ids, END], prompt)


def useful_share(sizes: Sequence[int], rows_per_pass: int) -> float:
    """The share of tokens that are no padding, if each pass is padded to its longest row."""
    passes = [sizes[at : at + rows_per_pass] for at in range(0, len(sizes), rows_per_pass)]
    return sum(sizes) / sum(len(one) * max(one) for one in passes)


def drawn_batches(batches: Sequence[Sequence[int]], count: int, seed: int) -> list[list[int]]:
    """A draw of batches whose rows stand for all rows: in mean length and in padding.

    A session has time for a few batches only, and a plain draw of a few can be far from the law.
    So the best of many draws is taken.

    Args:
        batches: the lengths of the rows of each batch, as a sampler that groups rows by length
            makes them.
        count: how many to draw.
        seed: of the draws.

    Returns:
        the places of the rows, counted through all batches, batch by batch in random order.
    """
    random_number = random.Random(seed)  # noqa: S311
    starts = [sum(map(len, batches[:at])) for at in range(len(batches))]
    count = min(count, len(batches))
    whole = _Shape.of(batches, random_number)
    draws = (random_number.sample(range(len(batches)), count) for _ in range(_DRAWS))
    best = min(
        draws,
        key=lambda drawn: _Shape.of([batches[at] for at in drawn], random_number).distance(whole),
    )
    return [[starts[at] + place for place in range(len(batches[at]))] for at in best]


@dataclass(frozen=True)
class _Shape:
    """What makes one set of rows cost as much as another: length, and padding in both orders."""

    mean: float
    useful_if_random: float
    useful_if_grouped: float

    @classmethod
    def of(cls, batches: Sequence[Sequence[int]], random_number: random.Random) -> "_Shape":
        sizes = [size for batch in batches for size in batch]
        orders = [random_number.sample(sizes, len(sizes)) for _ in range(_ORDERS)]
        return cls(
            mean=fmean(sizes),
            useful_if_random=fmean(useful_share(order, ROWS_PER_PASS) for order in orders),
            useful_if_grouped=sum(sizes) / sum(len(batch) * max(batch) for batch in batches),
        )

    def distance(self, other: "_Shape") -> float:
        return math.fsum(
            abs(mine / theirs - 1)
            for mine, theirs in zip(asdict(self).values(), asdict(other).values(), strict=True)
        )
