"""Tasks, items and results for the tests of metrics."""

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

SHOWN = {
    "choice": {"input": "{question}\n\n{options}", "prior": "{options}"},
    "spans": {"input": "{question}"},
    "text": {"input": "{question}"},
}


def task_of(scoring, name="trial"):
    fields = {"question": "question"}
    if scoring["kind"] == "choice":
        fields["gold"] = "gold"
        if "labels" not in scoring:
            fields["options"] = "options"
    elif scoring["kind"] == "spans":
        fields["spans"] = {scoring["labels"][0]: "spans"}
    else:
        fields["answer"] = "answer"
    return EvaluationTask.model_validate(
        {
            "name": name,
            "version": 1,
            "what": "A trial.",
            "category": "question_answering",
            "source": {"files": ["x.jsonl"], "licence": "MIT", "credentialed": False},
            "fields": fields,
            "prompt": {"instruction": "Answer.", **SHOWN[scoring["kind"]]},
            "scoring": scoring,
        }
    )


def item(number, **values):
    return EvaluationItem(task="trial", id=f"item-{number}", question="What is it?", **values)


def result(number, measure, **values):
    return ItemResult(
        key="", task="trial", item_id=f"item-{number}", subject="base", measure=measure, **values
    )


def by_item(*results):
    found = {}
    for each in results:
        found.setdefault(each.item_id, []).append(each)
    return found


def by_name(measured):
    return {each.metric: each for each in measured}
