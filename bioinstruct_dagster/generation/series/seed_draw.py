"""Which seeds a request shows.

The draw is a function of (run seed, request number, seed ids) alone, so that any request can be
rebuilt. It takes the seeds with the smallest keyed hash (rendezvous hashing) rather than the
numbers of a generator's stream: every set of seeds is equally likely, and adding, removing or
editing one seed changes only the requests that show it. The completions of all others stay paid
for.
"""

import hashlib
from collections.abc import Sequence

from bioinstruct_dagster.seeds.tasks import SEEDS_PER_PROMPT, SeedTask


def draw_seeds(
    seeds: Sequence[SeedTask], run_seed: int, request_number: int, count: int = SEEDS_PER_PROMPT
) -> list[SeedTask]:
    """Draw `count` different seeds at random, in random order, for one request."""

    def place(seed: SeedTask) -> bytes:
        key = f"{run_seed}\0{request_number}\0{seed.id}"
        return hashlib.blake2b(key.encode("utf-8"), digest_size=16).digest()

    return sorted(seeds, key=place)[:count]


def sampling_seed(run_seed: int, request_number: int) -> int:
    """The `seed` sent to the teacher: distinct by request, and below 2**31 as servers expect."""
    return (run_seed * 1_000_003 + request_number) % 2**31
