"""Which rows a person is asked to judge: a random sample of each stratum, stable as the set grows.

Each row has a permanent random number, a hash of its id (Ohlsson 1995, coordinated sampling by
permanent random numbers). The sample of a stratum is a prefix of its rows in the order of these
numbers, so it is a simple random sample of the stratum at any time. Belongs here: the sizes of the
samples and the prefixes. Does not: what a stratum is (population), or estimates (estimates).
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence

# The shares of the rows to judge, by kind of stratum. Kept rows are most, because the defect rate
# of the set is what a reader of the card asks first.
SHARES: Mapping[str, float] = {"kept": 0.5, "rejected": 0.3, "uncertain": 0.2}


def random_number(seed: int, purpose: str, row_id: str) -> int:
    """A number from 0 to 2**64 - 1 that a row keeps for ever.

    Args:
        seed: the run seed.
        purpose: numbers of different purposes are independent.
        row_id: the row's id.
    """
    text = f"review {purpose}\x1f{seed}\x1f{row_id}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def sample_sizes(
    populations: Mapping[str, int], kinds: Mapping[str, str], rows: int
) -> dict[str, int]:
    """How many rows to judge in each stratum.

    Each kind gets its share, and the strata of a kind get equal parts. What a small stratum can't
    use goes to the others, first of its kind.

    Args:
        populations: the number of rows, by stratum.
        kinds: a key of `SHARES`, by stratum.
        rows: to judge in all.
    """
    wanted = dict.fromkeys(populations, 0)
    for kind, share in SHARES.items():
        strata = {name: populations[name] for name in populations if kinds[name] == kind}
        wanted |= _equal_parts(strata, round(rows * share))
    left = min(rows, sum(populations.values())) - sum(wanted.values())
    if left > 0:
        unused = {name: populations[name] - wanted[name] for name in populations}
        for name, more in _equal_parts(unused, left).items():
            wanted[name] += more
    return wanted


def _equal_parts(limits: Mapping[str, int], total: int) -> dict[str, int]:
    """Equal parts of a total, none above its limit; the smallest limits are served first."""
    parts: dict[str, int] = {}
    for done, name in enumerate(sorted(limits, key=lambda one: (limits[one], one))):
        parts[name] = min(limits[name], -(-total // (len(limits) - done)))
        total -= parts[name]
    return parts


def sample_of(row_ids: Sequence[str], size: int, judged: Collection[str], seed: int) -> list[str]:
    """The sample of one stratum, in the order of the rows' random numbers.

    The sample has `size` rows at least, if the stratum has so many. It reaches to the last judged
    row, so that judged rows stay in it when the stratum grows; new rows with smaller numbers join
    it. It never holds more than `size` rows that nobody has judged: a stratum that grew a lot gets
    a shorter prefix, and judged rows behind it count in no estimate.

    Args:
        row_ids: of the stratum.
        size: as `sample_sizes` gives it.
        judged: ids of judged rows, of any stratum.
        seed: the run seed.
    """
    judged = set(judged)
    ordered = sorted(row_ids, key=lambda row_id: random_number(seed, "sample", row_id))
    last = max((place for place, row_id in enumerate(ordered, 1) if row_id in judged), default=0)
    prefix: list[str] = []
    unjudged = 0
    for row_id in ordered[: max(size, last)]:
        unjudged += row_id not in judged
        if unjudged > size:
            break
        prefix.append(row_id)
    return prefix
