"""Two-way agreement: draws the instructions that a teacher labels twice, and compares the labels.

Belongs here: the sample and the measures; kappa is scikit-learn's. Does not: asking the teacher
(labelling).
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

SAMPLE_SHARE = 0.05  # of the instructions
LEAST_SAMPLE = 20  # instructions in the sample, if the set has so many
_HASH_RANGE = 2**64


@dataclass(frozen=True)
class Agreement:
    """The agreement of first and second labels of the same instructions.

    Attributes:
        sampled: the number of instructions to label twice.
        compared: how many of them have two valid labels.
        agreed: how many of these have equal labels.
        kappa: Cohen's kappa; None if it is undefined.
        other_labels: the second label of each instruction whose labels differ.
        rehearsal: whether the labels are recorded ones, which always agree.
    """

    sampled: int
    compared: int
    agreed: int
    kappa: float | None
    other_labels: Mapping[str, str]
    rehearsal: bool

    @property
    def share(self) -> float | None:
        """The share of equal labels; None if no labels were compared."""
        return self.agreed / self.compared if self.compared else None


def draw_sample(instructions: Sequence[str], labelled_twice: Collection[str] = ()) -> list[str]:
    """The instructions to label twice: 5 % of all, and at least 20.

    An instruction's hash decides whether it is in the sample, so a growing set keeps its sample and
    adds to it. If 5 % are fewer than 20, the instructions with the smallest hashes are added.
    The sample is in the order of the hashes, so that its requests group other instructions together
    than those of the first pass.

    Args:
        instructions: without repetitions.
        labelled_twice: instructions with a second label, which stay in the sample.
    """
    before = set(labelled_twice)
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
        other_labels={text: other for text, (one, other) in pairs.items() if one != other},
        rehearsal=rehearsal,
    )


def cohens_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa (1960), the agreement beyond chance; None if it is undefined.

    It is undefined without pairs, and if all labels of both passes are the same category: random
    labels would agree as well.
    """
    if len({label for pair in pairs for label in pair}) <= 1:
        return None
    from sklearn.metrics import cohen_kappa_score

    first, second = zip(*pairs, strict=True)
    return float(cohen_kappa_score(first, second))


def _place(text: str) -> int:
    # No other hash in the project has this prefix, so the sample is independent of other orders.
    digest = hashlib.sha256(b"second label\x1f" + text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big")
