"""Concurrent steps: assets of one run in several processes, and partitions in two runs."""

import subprocess
import sys

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.conftest import store_of

# Two assets that nothing orders, each with a transaction that takes its time while the other wants
# to write, and with reads in between.
TWO_WRITERS = """
import time
import dagster as dg
from bioinstruct_dagster.settings import load_settings
from bioinstruct_dagster.store.database import Store, insert

STORE = Store(load_settings().store.path, timeout=60)

def write(table, row):
    for number in range(5):
        with STORE.write() as connection:
            connection.execute(f"delete from {table}")
            insert(connection, table, [row])
            time.sleep(0.2)
        assert STORE.rows(f"select count(*) as n from {table}")[0]["n"] == 1

@dg.asset
def first():
    write("seed_tasks", dict(seed_id="s", ordinal=0, category="other", source_family="f",
                             instruction="i", input="", output="o"))

@dg.asset
def second():
    write("completion_outcomes", dict(completion_id="c", outcome="parsed", tasks=1,
                                       dropped=0, detail=""))

defs = dg.Definitions([first, second], executor=dg.multiprocess_executor)
"""


def materialize(environment, *options):
    """Start `dagster asset materialize` in its own process."""
    return subprocess.Popen(
        [sys.executable, "-m", "dagster", "asset", "materialize", *options],
        env=environment,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_assets_of_one_run_write_at_once_and_both_succeed(environment, tmp_path):
    module = tmp_path / "two_writers.py"
    module.write_text(TWO_WRITERS, "utf-8")
    run = materialize(environment, "-f", str(module), "--select", "*")
    _, errors = run.communicate()
    assert run.returncode == 0, errors[-3000:]
    store = store_of(environment)
    for table in ("seed_tasks", "completion_outcomes"):
        assert store.rows(f"select count(*) as n from {table}") == [{"n": 1}]


@pytest.mark.slow
def test_two_runs_at_once_build_the_base_model_once(environment):
    project = ("-m", "bioinstruct_dagster", "--select")
    first = materialize(environment, *project, "+key:hf_dataset")
    _, said = first.communicate()
    assert first.returncode == 0, said[-3000:]
    recipes = ("all", "information_extraction")
    runs = [
        materialize(
            environment, *project, "key:lora_adapter", "--partition", f"rehearsal-llama|{r}"
        )
        for r in recipes
    ]
    errors = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], errors
    rows = store_of(environment).rows("select recipe, base_fingerprint from lora_adapter")
    assert {row["recipe"] for row in rows} == set(recipes)
    assert len({row["base_fingerprint"] for row in rows}) == 1
    built = sum("pre-training the embedded base model: step 1 of" in text for text in errors)
    assert built == 1
