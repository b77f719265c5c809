"""How many rows ask for what: the most frequent root verbs with their most frequent objects.

Belongs here: counting what was read, with the share of rows that the counts cover. Does not:
reading an instruction (reading, parsing), or drawing (dataset.figures.sunburst).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.dataset.card.statistics import SAMPLE_ROWS, sample_of
from bioinstruct_dagster.dataset.imperatives.parsing import parsed_imperatives
from bioinstruct_dagster.dataset.imperatives.reading import read_imperative

# As in the paper: "the top 20 most common root verbs and their top 4 direct noun objects".
MOST_VERBS, MOST_OBJECTS = 20, 4


@dataclass(frozen=True)
class VerbShare:
    """A root verb.

    Attributes:
        verb: its base form.
        rows: that have it.
        objects: its most frequent objects, each with its rows.
    """

    verb: str
    rows: int
    objects: Mapping[str, int]

    @property
    def shown(self) -> int:
        """The rows that have one of the objects."""
        return sum(self.objects.values())


@dataclass(frozen=True)
class VerbDiversity:
    """What the instructions of a set ask for.

    Attributes:
        rows: of the set.
        read: of them, those that were read; fewer than `rows` if a language model reads a sample.
        with_verb: of those, the rows with a root verb.
        verbs: the number of distinct root verbs.
        pairs: the number of distinct pairs of root verb and object.
        top: the most frequent verbs, the most frequent first.
        reader: who read them, in words.
    """

    rows: int
    read: int
    with_verb: int
    verbs: int
    pairs: int
    top: Sequence[VerbShare]
    reader: str

    @property
    def share_of_verbs(self) -> float:
        """The share of the rows read that have one of the top verbs."""
        return sum(one.rows for one in self.top) / self.read if self.read else 0.0

    @property
    def share_of_pairs(self) -> float:
        """The share of the rows read that have one of the pairs of `top`."""
        return sum(one.shown for one in self.top) / self.read if self.read else 0.0


def verb_diversity(rows: Sequence[Mapping[str, Any]], model: str = "") -> VerbDiversity:
    """Read the instructions of rows and count their root verbs and objects.

    The word lists read all rows. A language model takes 80 times as long, so it reads at most
    `SAMPLE_ROWS`, which a hash of their texts draws.

    Args:
        rows: with `instruction`, `input` and `output`.
        model: a spaCy model; empty for the word lists.

    Raises:
        VerbModelError: the model can't be used.
    """
    chosen = sample_of(rows, SAMPLE_ROWS) if model else rows
    texts = [row["instruction"] for row in chosen]
    read = parsed_imperatives(model, texts) if model else map(read_imperative, texts)
    pairs = Counter(one for one in read if one.verb)
    verbs: Counter[str] = Counter()
    for one, count in pairs.items():
        verbs[one.verb] += count
    top = [
        VerbShare(verb, count, _first({o: n for (v, o), n in pairs.items() if v == verb and o}))
        for verb, count in _first(verbs, MOST_VERBS).items()
    ]
    named = [one for one in pairs if one.object]
    reader = f"the spaCy model {model}" if model else "this project's word lists"
    total = sum(verbs.values())
    return VerbDiversity(len(rows), len(texts), total, len(verbs), len(named), top, reader)


def _first(counts: Mapping[str, int], most: int = MOST_OBJECTS) -> dict[str, int]:
    """The largest counts; names decide between equal ones, so that equal rows give equal order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most])
