"""The queue: its order by base model, and experiments that come back."""

import threading
from dataclasses import replace

import pytest

from bioinstruct_dagster.training.study.queue import StudyQueue


@pytest.fixture
def spec_of(training_spec):
    """A function that makes the specification of an experiment `base|recipe`."""

    def make(name):
        steps = 1 + ord(name[0])  # another base model for another first letter
        base = training_spec.base.model_copy(update={"pretraining_steps": steps})
        return replace(training_spec, experiment=name, base=base)

    return make


def drained(queue):
    """What one worker gets, in order."""
    taken, previous = [], None
    while spec := queue.take(previous):
        taken.append(spec.experiment)
        queue.done()
        previous = spec
    return taken


def test_one_worker_gets_the_experiments_of_a_base_model_in_a_row(spec_of):
    queue = StudyQueue([spec_of(name) for name in ("a|1", "b|1", "a|2", "b|2", "a|3")])
    assert drained(queue) == ["a|1", "a|2", "a|3", "b|1", "b|2"]


def test_two_workers_begin_with_two_base_models(spec_of):
    queue = StudyQueue([spec_of(name) for name in ("a|1", "a|2", "a|3", "b|1")])
    assert [queue.take().experiment, queue.take().experiment] == ["a|1", "b|1"]


def test_an_idle_worker_helps_with_a_base_model_that_another_one_holds(spec_of):
    queue = StudyQueue([spec_of(name) for name in ("a|1", "a|2", "b|1")])
    first, second = queue.take(), queue.take()
    queue.done()
    assert (first.experiment, second.experiment) == ("a|1", "b|1")
    assert queue.take(second).experiment == "a|2"


def test_an_experiment_that_comes_back_goes_to_a_worker_that_waits(spec_of):
    queue = StudyQueue([spec_of("a|1")])
    spec = queue.take()
    got = []
    waiting = threading.Thread(target=lambda: got.append(queue.take()))
    waiting.start()
    assert not got  # the queue is empty, but not over
    queue.give_back(spec)
    waiting.join(30)
    assert got == [spec]


def test_a_closed_queue_gives_nothing(spec_of):
    queue = StudyQueue([spec_of("a|1"), spec_of("a|2")])
    queue.take()
    queue.close()
    assert queue.take() is None
