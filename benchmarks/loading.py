"""`python -m benchmarks.loading`: the cost of loading the definitions, relative to Dagster's.

It runs `import dagster` and `import bioinstruct_dagster.definitions` in turn, each in its own
process, and compares their CPU-seconds pair by pair. The exit status is 1 if the median ratio is
above the limit. Both write bytecode, as they do for a user, so that no process compiles modules.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

PAIRS, RATIO_LIMIT = 9, 1.5
DAGSTER_ALONE, WITH_PROJECT = "import dagster", "import bioinstruct_dagster.definitions"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Returns 1 if the ratio is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how many pairs to compare")
    options = parser.parse_args(arguments)
    for statement in (DAGSTER_ALONE, WITH_PROJECT):
        cpu_seconds_of(statement)  # compiles the modules that have no bytecode yet
    pairs = [
        (cpu_seconds_of(DAGSTER_ALONE), cpu_seconds_of(WITH_PROJECT)) for _ in range(options.pairs)
    ]
    ratios = sorted(ours / dagster for dagster, ours in pairs)
    ratio = median(ratios)
    print(
        f"{len(pairs)} pairs, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}\n"
        f"{DAGSTER_ALONE}: {median(dagster for dagster, _ in pairs):.2f} CPU-seconds (median)\n"
        f"{WITH_PROJECT}: {median(ours for _, ours in pairs):.2f} CPU-seconds (median)\n"
        f"ratio: {ratio:.2f} (median; {ratios[0]:.2f} to {ratios[-1]:.2f}), at most {RATIO_LIMIT}"
    )
    return int(ratio > RATIO_LIMIT)


def cpu_seconds_of(statement: str) -> float:
    """The CPU-seconds, user and system, of a Python process that runs the statement."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen([sys.executable, "-c", statement], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{statement!r} failed.")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
