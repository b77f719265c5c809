"""The last line of a run: in its log, and last on the command line."""

import subprocess
import sys

import dagster as dg
import pytest

from bioinstruct_dagster.automation import executors
from bioinstruct_dagster.automation.run_endings import RunEnding
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.settings import PROJECT_ROOT


@dg.asset
def rows() -> dg.MaterializeResult[None]:
    """An asset with the metadata of ours."""
    return dg.MaterializeResult(
        metadata={
            "summary": dg.MetadataValue.md("**12 rows**, 2 new.\n\n![figure](data:image/png)"),
            "dagster/row_count": 12,
            "path": dg.MetadataValue.path("/data/rows"),
        }
    )


@dg.asset(deps=["rows"])
def broken() -> None:
    """An asset that fails."""
    raise ValueError("it can't be made")


@dg.asset_check(asset="rows")
def warns() -> dg.AssetCheckResult:
    """A check that warns."""
    return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.WARN)


def last_line(*names):
    """What the events of a run of these assets end with."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [rows, broken, warns],
            selection=dg.AssetSelection.assets(*names),
            instance=instance,
            raise_on_error=False,
        )
    ending = RunEnding()
    for event in result.all_events:
        ending.note(event)
    return ending.line()


def test_the_line_says_what_came_out_and_where_to_look():
    line = last_line("rows")
    assert line.startswith("Came out: rows 12 rows. 12 rows, 2 new.")
    assert "Checks that warn: rows/warns." in line
    assert "Look at: /data/rows" in line
    assert "\n" not in line


def test_a_sentence_over_several_lines_is_whole_and_without_marks():
    sentence = (
        "1,195 rows (+2 since the last run): 1,195 **kept** of the published rows of `a` set."
    )
    shown = summary(sentence, lambda _: "![figure](<data:image/svg+xml,x>)")
    assert "\\\n" in shown
    ending = RunEnding()
    ending._note_asset(
        dg.AssetMaterialization("rows", metadata={"summary": dg.MetadataValue.md(shown)})
    )
    plain = sentence.replace("**", "").replace("`", "")
    assert ending.line() == (
        f"Came out: rows done. {plain} Look at: the assets' pages, "
        "python -m bioinstruct_dagster.report"
    )


def test_after_a_failure_it_says_what_is_kept():
    line = last_line("rows", "broken")
    assert line.startswith("Failed: broken. Its message is above. Kept: rows 12 rows.")


def test_a_run_without_results_says_so():
    assert RunEnding().line() == "Nothing new came out of this run."


def test_partitions_are_counted_and_few_are_named():
    ending = RunEnding()
    for number in range(5):
        ending._note_asset(
            dg.AssetMaterialization(
                "scores", partition=f"tiny|{number}", metadata={"dagster/row_count": 10}
            )
        )
    assert "scores 50 rows (tiny|0, tiny|1, tiny|2 and 2 more)" in ending.line()


def test_on_the_command_line_it_is_printed_last_and_is_in_the_run_s_log(environment, monkeypatch):
    command = [sys.executable, "-m", "dagster", "asset", "materialize", "-m", "bioinstruct_dagster"]
    done = subprocess.run(
        [*command, "--select", "key:seed_tasks"],
        env=environment, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Came out: seed_tasks 80 rows.")
    monkeypatch.setenv("DAGSTER_HOME", environment["DAGSTER_HOME"])
    with dg.DagsterInstance.get() as instance:
        [run] = instance.get_runs()
        *_, before_last, _ = [record.message for record in instance.all_logs(run.run_id)]
    assert before_last == last  # and Dagster's own word of success ends the log


INTERRUPTED = """
import os
import signal

import dagster as dg

from bioinstruct_dagster.automation import executors


@dg.op
def stops():
    os.kill(os.getpid(), signal.SIGINT)


@dg.job(executor_def=executors.in_process)
def stopped():
    stops()
"""


def test_after_ctrl_c_the_last_line_says_what_is_kept_and_how_to_go_on(environment, tmp_path):
    (tmp_path / "stopped.py").write_text(INTERRUPTED, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "job", "execute", "-f", "stopped.py", "-j", "stopped"],
        env=environment | {"PYTHONPATH": str(PROJECT_ROOT)}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert last == "Cancelled. To go on, start the same command again."


def test_a_cancelled_run_repeats_the_words_of_its_step():
    ending = RunEnding()
    ending._note_asset(dg.AssetMaterialization("adapters", partition="tiny|all"))
    assert ending.cancelled("Cancelled. 1 adapter is trained and kept.") == (
        "Cancelled. 1 adapter is trained and kept. Kept: adapters done (tiny|all). "
        "To go on, start the same command again."
    )


@pytest.mark.parametrize("name", ["in_process", "multiprocess"])
def test_the_executors_have_dagster_s_names_and_configuration(name):
    ours, theirs = getattr(executors, name), getattr(dg, f"{name}_executor")
    assert ours.name == theirs.name
    assert ours.config_schema.config_type.key == theirs.config_schema.config_type.key
    assert ours.get_requirements({}) == theirs.get_requirements({})
