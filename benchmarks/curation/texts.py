"""Millions of random instructions from a seed, which resemble each other as generated ones do.

Word frequencies fall as in real text (19,000 distinct words in 25,000 instructions, 119,000 in a
million). Openings and topics recur. A third of the rows rework an earlier row: words are exchanged,
dropped or moved, a clause is added, or the end is cut off. Half of the reworked rows have a ROUGE-L
F1 above 0.7. A row that was reworked often is reworked again more often, so a few ideas occur
hundreds of times. Belongs here: the instructions. Does not: whole rows (rows).
"""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

REWORKED_SHARE = 0.32  # of the rows
_WORDS, _KNEE = 400_000, 1_000  # all; and where the fall of frequencies grows steeper
_FALL = (1.0, 1.6)
_OPENINGS, _TOPICS = 4_000, 80_000
_COMMON, _RARE = 900, 120  # openings are made of the first, topics of what follows the second
_MEDIAN, _SPREAD, _FEWEST, _MOST = 18.0, 0.40, 6, 110
_CHUNK = 4_096  # rows drawn at once; part of what the seed means

_COMMON_WORDS = """
the of a and in to for with given patient identify on or that following is an from based medical
provide their information list by describe between explain using as possible be disease treatment
symptoms summarize clinical which potential this are diagnosis can most about risk condition
generate determine what effects common it specific drug health history text suggest disorder main
factors how used cancer type causes may patients study describe article case between test any
results classify recommend name whether two side treat role steps extract create difference blood
write report used likely its at appropriate medication process method given body therapy associated
"""
_SYLLABLES = [c + v for v in "aoeiu" for c in "tnrsldcmpbvgfhkzxy"]
_ENDINGS = ("", "n", "l", "ric", "th")


class Words:
    """A vocabulary in order of frequency, and random draws from it."""

    def __init__(self) -> None:
        common = list(dict.fromkeys(_COMMON_WORDS.split()))
        self.words = common + [_word(rank) for rank in range(len(common), _WORDS)]
        ranks = np.arange(1, _WORDS + 1, dtype=np.float64)
        steep = (ranks / _KNEE) ** -_FALL[1]
        self._cumulative = _cumulative(
            np.where(ranks <= _KNEE, (ranks / _KNEE) ** -_FALL[0], steep)
        )

    def draw(
        self, generator: np.random.Generator, size: int, first: int = 0, last: int = _WORDS
    ) -> NDArray[np.int64]:
        """Ranks by frequency, of those from `first` to before `last`."""
        low = self._cumulative[first - 1] if first else 0.0
        span = self._cumulative[last - 1] - low
        ranks = np.searchsorted(self._cumulative, low + generator.random(size) * span)
        return np.asarray(np.minimum(ranks, last - 1))


def _word(rank: int) -> str:
    number = rank
    parts: list[str] = []
    while number or len(parts) < 2:  # noqa: PLR2004
        number, digit = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[digit])
    return "".join(parts) + _ENDINGS[rank % len(_ENDINGS)]


def _cumulative(weights: NDArray[Any]) -> NDArray[np.float64]:
    return np.asarray(np.cumsum(weights / weights.sum()))


class Instructions:
    """An endless iterator of instructions. Equal seeds give equal instructions."""

    def __init__(self, seed: int, reworked: float = REWORKED_SHARE) -> None:
        self.words = Words()
        self._reworked = reworked
        self._generator = np.random.default_rng(seed)
        self._random = random.Random(seed)  # noqa: S311
        self._openings = self._phrases(_OPENINGS, (3, 8), 0, _COMMON)
        self._topics = self._phrases(_TOPICS, (1, 3), _RARE, _WORDS)
        self._opening_weights = _cumulative(np.arange(1.0, _OPENINGS + 1) ** -0.8)
        self._topic_weights = _cumulative(np.arange(1.0, _TOPICS + 1) ** -0.8)
        # Ideas, one after another in one growing array; and the idea behind each row.
        self._ids = np.zeros(1 << 16, dtype=np.int32)
        self._ends = [0]
        self._ideas: list[int] = []
        self._texts = self._chunks()

    def __iter__(self) -> Iterator[str]:
        """Itself."""
        return self._texts

    def __next__(self) -> str:
        """The next instruction."""
        return next(self._texts)

    def _phrases(
        self, number: int, words: tuple[int, int], first: int, last: int
    ) -> list[list[int]]:
        lengths = self._generator.integers(words[0], words[1] + 1, number)
        ranks = self.words.draw(self._generator, int(lengths.sum()), first, last).tolist()
        ends = np.cumsum(lengths).tolist()
        return [
            ranks[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)
        ]

    def _chunks(self) -> Iterator[str]:
        while True:
            generator = self._generator
            lengths = generator.lognormal(np.log(_MEDIAN), _SPREAD, _CHUNK).astype(int)
            lengths = np.clip(lengths, _FEWEST, _MOST)
            openings = np.searchsorted(self._opening_weights, generator.random(_CHUNK)).tolist()
            topics = np.searchsorted(self._topic_weights, generator.random(2 * _CHUNK)).tolist()
            filling = self.words.draw(generator, int(lengths.sum())).tolist()
            used = 0
            for row, length in enumerate(lengths.tolist()):
                fill = filling[used : used + length]
                used += length
                if self._ideas and self._random.random() < self._reworked:
                    idea = self._ideas[self._random.randrange(len(self._ideas))]
                    ranks = self._rework(self._idea(idea), fill)
                    self._ideas.append(idea)
                else:
                    opening = self._openings[openings[row]]
                    first, second = (self._topics[n] for n in topics[2 * row : 2 * row + 2])
                    between = max(1, length - len(opening) - len(first) - len(second))
                    ranks = [*opening, *first, *fill[:between], *second]
                    self._ideas.append(self._keep(ranks))
                yield self.text_of(ranks)

    def text_of(self, ranks: list[int]) -> str:
        """A sentence of these words."""
        words = [self.words.words[rank] for rank in ranks]
        if len(words) > 12:  # noqa: PLR2004
            words[5] += ","
        sentence = " ".join(words)
        return f"{sentence[0].upper()}{sentence[1:]}."

    def _keep(self, ranks: list[int]) -> int:
        end = self._ends[-1] + len(ranks)
        if end > len(self._ids):
            self._ids = np.concatenate([self._ids, np.zeros_like(self._ids)])
        self._ids[self._ends[-1] : end] = ranks
        self._ends.append(end)
        return len(self._ends) - 2

    def _idea(self, number: int) -> list[int]:
        ranks: list[int] = self._ids[self._ends[number] : self._ends[number + 1]].tolist()
        return ranks

    def _rework(self, ranks: list[int], fill: list[int]) -> list[int]:
        """The idea in other words: anything from one word to most of them."""
        rand = self._random.random
        for new in fill[: round(rand() * 0.55 * len(ranks))]:
            place, kind = int(rand() * len(ranks)), rand()
            if kind < 0.55:  # noqa: PLR2004
                # A word has the same synonym wherever it stands.
                ranks[place] = _RARE + (ranks[place] * 7 + 3) % 9_000 if rand() < 0.5 else new  # noqa: PLR2004
            elif kind < 0.7:  # noqa: PLR2004
                ranks.insert(place, new)
            elif kind < 0.85 and len(ranks) > _FEWEST:  # noqa: PLR2004
                del ranks[place]
            else:
                ranks.insert(place, ranks.pop())
        kind = rand()
        if kind < 0.15:  # noqa: PLR2004
            ranks += fill[-max(3, len(ranks) // 4) :]
        elif kind < 0.25:  # noqa: PLR2004
            del ranks[max(_FEWEST, int(len(ranks) * (0.6 + 0.35 * rand()))) :]
        elif kind < 0.32:  # noqa: PLR2004
            half = len(ranks) // 2
            ranks = ranks[half:] + ranks[:half]
        return ranks
