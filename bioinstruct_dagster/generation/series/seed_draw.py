"""Which seeds a request shows.

The draw depends on the run seed, the request number and the seed ids alone, so that any request can
be rebuilt. It takes the seeds with the smallest keyed hashes (rendezvous hashing), not the numbers
of a random generator. So every set of seeds is equally likely. If a user adds, removes or edits a
seed, only the requests that show it change, and all other completions are used again.

Belongs here: the draw, and the sampling seed of a request. Does not: the request (series), or the
seed file (seeds.tasks).
"""

import hashlib
from collections.abc import Sequence

from bioinstruct_dagster.seeds.tasks import SEEDS_PER_PROMPT, SeedTask


def draw_seeds(
    seeds: Sequence[SeedTask], run_seed: int, request_number: int, count: int = SEEDS_PER_PROMPT
) -> list[SeedTask]:
    """`count` different seeds for one request, in random order."""

    def place(seed: SeedTask) -> bytes:
        key = f"{run_seed}\0{request_number}\0{seed.id}"
        return hashlib.blake2b(key.encode("utf-8"), digest_size=16).digest()

    return sorted(seeds, key=place)[:count]


def sampling_seed(run_seed: int, request_number: int) -> int:
    """The `seed` that the request sends: different for each number, and below 2**31 for servers."""
    return (run_seed * 1_000_003 + request_number) % 2**31
