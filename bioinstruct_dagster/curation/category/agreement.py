"""Two-way agreement: which instructions a teacher labels twice, and how far it agrees with itself.

Belongs here: drawing the sample and the measures; kappa is scikit-learn's. Does not: asking the
teacher (labelling).
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

SAMPLE_SHARE = 0.05
LEAST_SAMPLE = 20  # instructions in the sample, where there are as many
_HASH_RANGE = 2**64


@dataclass(frozen=True)
class Agreement:
    """How far first and second labels of the same instructions agree.

    Attributes:
        sampled: instructions that were to be labelled twice.
        compared: those with two valid labels.
        agreed: those whose two labels are the same.
        kappa: Cohen's; None where chance alone would agree always, as with one category only.
        disagreeing: the others, with the second label.
        rehearsal: by a teacher that replays recorded labels, which agree trivially.
    """

    sampled: int
    compared: int
    agreed: int
    kappa: float | None
    disagreeing: Mapping[str, str]
    rehearsal: bool

    @property
    def share(self) -> float | None:
        """Raw agreement; None where nothing was compared."""
        return self.agreed / self.compared if self.compared else None


def draw_sample(instructions: Sequence[str], already: Collection[str] = ()) -> list[str]:
    """What is labelled twice: 5 % of the instructions, and 20 at the least.

    An instruction is in the sample by its own hash, so a growing set keeps its sample and adds to
    it; where 5 % are fewer than 20, those already labelled twice count first. The order is that of
    the hashes, which has nothing to do with the order of the rows: other instructions stand beside
    each one than in the first pass.

    Args:
        instructions: without repetitions.
        already: those labelled twice before, which stay in the sample.
    """
    before = set(already)
    places = sorted((_place(text), text) for text in instructions)
    drawn = {text for place, text in places if place < SAMPLE_SHARE * _HASH_RANGE or text in before}
    others = (text for _, text in places if text not in drawn)
    drawn |= set(islice(others, max(LEAST_SAMPLE - len(drawn), 0)))
    return [text for _, text in places if text in drawn]


def measure_agreement(
    sampled: Sequence[str],
    first: Mapping[str, str],
    second: Mapping[str, str],
    *,
    rehearsal: bool,
) -> Agreement:
    """Compare the valid labels of both passes."""
    pairs = {
        text: (first[text], second[text]) for text in sampled if text in first and text in second
    }
    return Agreement(
        sampled=len(sampled),
        compared=len(pairs),
        agreed=sum(one == other for one, other in pairs.values()),
        kappa=cohens_kappa(list(pairs.values())),
        disagreeing={text: other for text, (one, other) in pairs.items() if one != other},
        rehearsal=rehearsal,
    )


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Agreement beyond chance (Cohen, 1960); None where it is undefined.

    It is undefined without pairs, and where all labels of both passes are one category: there,
    labels drawn by chance would agree as well.
    """
    if len({label for pair in pairs for label in pair}) <= 1:
        return None
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(first, second))


def _place(text: str) -> int:
    # Not the hash that orders or names anything else, so that the sample is independent of it.
    digest = hashlib.sha256(b"second label\x1f" + text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")
