"""The options of an item: its own, or those of its task."""

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.item import EvaluationItem, options_of
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, LABELS, TEXT, tasks_folder


def test_options_are_the_items_own_or_those_of_the_task(tmp_path):
    catalogue = read_tasks(tasks_folder(tmp_path, own=CHOICE, labels=LABELS, text=TEXT))
    item = EvaluationItem("own", "1", "Sees?", options=("iris", "retina"))
    bare = EvaluationItem("labels", "1", "Is it?")
    assert options_of(catalogue.task("own"), item) == ("iris", "retina")
    assert options_of(catalogue.task("labels"), bare) == ("yes", "no")
    assert options_of(catalogue.task("text"), bare) == ()
