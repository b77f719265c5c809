"""A cancelled step says what it leaves, in an error of the class by which Dagster tells it."""

import os
import signal
import time

import dagster as dg
import pytest

from bioinstruct_dagster.models.partitions import ExperimentStep

WORDS = "Cancelled. 2 adapters are trained and kept."


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_step_says_what_it_leaves(number):
    @dg.op(out=dg.Out(dg.Nothing))
    def train(context: dg.OpExecutionContext):
        with ExperimentStep(context, None, None, None, None).told_if_cancelled(lambda: WORDS):
            os.kill(os.getpid(), number)
            time.sleep(60)
        yield dg.Output(None)

    @dg.job
    def study():
        train()

    with dg.DagsterInstance.ephemeral() as instance:
        with pytest.raises(dg.DagsterExecutionInterruptedError, match=WORDS):
            study.execute_in_process(instance=instance)
        (run,) = instance.get_runs()
        entries = instance.all_logs(run.run_id)
    failures = [e.dagster_event for e in entries if e.is_dagster_event]
    assert [
        WORDS in event.step_failure_data.error.message
        for event in failures
        if event.is_step_failure
    ] == [True]


def test_the_words_are_logged_when_dagster_closes_the_step(capfd):
    @dg.op(out=dg.Out(dg.Nothing))
    def train(context: dg.OpExecutionContext):
        def steps():
            with ExperimentStep(context, None, None, None, None).told_if_cancelled(lambda: WORDS):
                yield

        made = steps()
        next(made)
        made.close()
        yield dg.Output(None)

    @dg.job
    def study():
        train()

    assert study.execute_in_process().success
    assert WORDS in capfd.readouterr().err
