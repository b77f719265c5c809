"""`python -m benchmarks.loading`: what loading the definitions costs beside Dagster itself.

Starts `import dagster` and `import bioinstruct_dagster.definitions` in turn, each in a process of
its own, and compares their CPU-seconds pair by pair. Exits with 1 if the median ratio is too high.
"""

import argparse
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

PAIRS, MOST = 9, 1.5
ALONE, WITH_PROJECT = "import dagster", "import bioinstruct_dagster.definitions"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if the ratio is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how many pairs to compare")
    options = parser.parse_args(arguments)
    for statement in (ALONE, WITH_PROJECT):
        cpu_seconds_of(statement)  # compiles what was never imported
    pairs = [(cpu_seconds_of(ALONE), cpu_seconds_of(WITH_PROJECT)) for _ in range(options.pairs)]
    ratios = sorted(ours / dagster for dagster, ours in pairs)
    ratio = median(ratios)
    print(
        f"{len(pairs)} pairs, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}\n"
        f"{ALONE}: {median(dagster for dagster, _ in pairs):.2f} CPU-seconds (median)\n"
        f"{WITH_PROJECT}: {median(ours for _, ours in pairs):.2f} CPU-seconds (median)\n"
        f"ratio: {ratio:.2f} (median; {ratios[0]:.2f} to {ratios[-1]:.2f}), at most {MOST}"
    )
    return int(ratio > MOST)


def cpu_seconds_of(statement: str) -> float:
    """User and system seconds of a Python process that runs the statement."""
    process = subprocess.Popen([sys.executable, "-c", statement])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{statement!r} failed.")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(main())
