"""`python -m benchmarks.loading`: the cost of loading the definitions, relative to Dagster's.

It runs `import dagster` and `import bioinstruct_dagster.definitions` in turn, each in its own
process, and compares their CPU-seconds pair by pair: of the whole process, which a user waits for,
and of the import alone. The exit status is 1 if the median ratio of the processes is above the
limit. Both write bytecode, as they do for a user, so that no process compiles modules.
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
    print(
        f"{len(pairs)} pairs, Python {platform.python_version()}, {os.cpu_count()} cores, load "
        f"{os.getloadavg()[0]:.1f}; medians"
    )
    ratio = 0.0
    for number, what in enumerate(("process", "import alone")):
        ratios = sorted(ours[number] / dagster[number] for dagster, ours in pairs)
        dagster, ours = (median(pair[one][number] for pair in pairs) for one in (0, 1))
        print(
            f"{what}: {dagster:.2f} CPU-seconds for `{DAGSTER_ALONE}`, {ours:.2f} for "
            f"`{WITH_PROJECT}`; ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
        if number == 0:
            ratio = median(ratios)
    print(f"The ratio of the processes may be at most {RATIO_LIMIT}.")
    return int(ratio > RATIO_LIMIT)


def cpu_seconds_of(statement: str) -> tuple[float, float]:
    """The CPU-seconds, user and system, of a Python process, and until the statement has ended."""
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    measured = f"{statement}\nimport time; print(time.process_time())"
    command = [sys.executable, "-c", measured]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    printed = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{statement!r} failed.")
    return usage.ru_utime + usage.ru_stime, float(printed)


if __name__ == "__main__":
    sys.exit(main())
