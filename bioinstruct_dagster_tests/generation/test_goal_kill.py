"""A round towards a goal that is killed: the result of the next round, and what it pays again."""

import time

from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.generation.pursuits import Pursuit
from bioinstruct_dagster_tests.generation.writer import Writer

GOAL, IN_FLIGHT, KILLS = 150, 8, (5, 12, 12)  # answers between one kill and the next

ROUND = """
import sys
from pathlib import Path
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.series.series import Series
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.generation.pursuits import Pursuit

path, url, goal, concurrency = sys.argv[1:]
controls = read_controls(INPUTS / "controls.yaml")
seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
series = Series(seeds, "openai", "gpt-4.1-mini", 42, 5, controls_sha256=controls.sha256)
Pursuit(Store(Path(path)), url, series, controls, int(concurrency)).round(int(goal))
"""


def wait_for(writer, answers, process):
    deadline = time.monotonic() + 120
    while sum(writer.asked.values()) < answers:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_after_kills_the_set_is_unchanged_and_little_is_paid_again(
    serve, series_of, start_python, tmp_path
):
    controls = read_controls(INPUTS / "controls.yaml")
    series = series_of(teacher="openai", model="gpt-4.1-mini", controls_sha256=controls.sha256)
    writer = Writer(delay=0.1)
    url = serve(writer).url
    store = Store(tmp_path / "killed" / "s.duckdb", timeout=60)
    store.replace({})
    answers = 0
    for more in KILLS:
        answers = sum(writer.asked.values()) + more
        process = start_python(ROUND, store.path, url, GOAL, IN_FLIGHT)
        wait_for(writer, answers, process)
        process.kill()
        process.wait()
    done = Pursuit(store, url, series, controls, IN_FLIGHT).round(GOAL)
    paid_again = sum(writer.asked.values()) - len(writer.asked)
    # A reply frees its place before it is on disk, so a slow disk leaves some more than IN_FLIGHT
    # without one. Each of them was reserved, and counts as spent.
    [presumed] = store.rows("select count(*) as n from presumed_spend")
    assert paid_again <= presumed["n"] <= 2 * IN_FLIGHT * len(KILLS)
    [counts] = store.rows(
        "select count(*) as n, count(distinct completion_id) as ids from completions"
    )
    assert counts["n"] == counts["ids"]

    calm = Store(tmp_path / "calm" / "s.duckdb")
    calm.replace({})
    whole = Pursuit(calm, serve(Writer()).url, series, controls, IN_FLIGHT).round(GOAL)
    assert done.numbers == whole.numbers
    assert [row["instruction"] for row in done.rows] == [row["instruction"] for row in whole.rows]
    assert done.feed.kept == whole.feed.kept == len(done.kept)
