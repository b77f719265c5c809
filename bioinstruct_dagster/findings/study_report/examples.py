"""The section of examples: for each task five items with prompt, reference and both answers.

Belongs here: what is shown of an item. Does not: which items may be shown
(study_report.example_items).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bioinstruct_dagster.eval_sets.items import EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK
from bioinstruct_dagster.evaluation.tasks.prompting import input_of, passage_of
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.study_report.blocks import (
    Block,
    ModelAnswer,
    NumberSource,
    ReportExamples,
    ReportNote,
    ReportSection,
    ReportText,
    ShownExample,
)
from bioinstruct_dagster.findings.study_report.example_items import (
    ChosenExamples,
    chosen_examples,
    predictions_of,
)
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.models.experiments.names import Experiment, partition_key

MOST_CHARACTERS, MOST_OF_ANSWER = 1_400, 700
_SUBJECTS = {"base": "base model", "adapter": "adapter"}
Answers = Mapping[tuple[str, str, str], Mapping[str, Any]]


def examples_section(sources: ReportSources) -> ReportSection:
    """What models were asked, and what they answered."""
    return ReportSection("examples", "Examples", list(_blocks(sources)))


def _blocks(sources: ReportSources) -> Iterator[Block]:
    if not sources.headlines:
        yield ReportNote("No examples: no adapter is scored.", "missing")
        return
    headline = sources.headlines[0]
    experiment = (headline.base_model, headline.recipes[0])
    predictions = predictions_of(sources.store, experiment)
    answers: Answers = {(row["task"], row["item_id"], row["subject"]): row for row in predictions}
    chosen = chosen_examples(
        sources.store, sources.settings, sources.tasks, experiment, predictions
    )
    yield ReportText(
        f"The adapter is {partition_key(experiment)}. A hash of the item's identifier draws the "
        "items, so none is chosen for its answers. The prompt template of the base model frames "
        "the prompts, and long texts are shortened in their middle. Items are shown only if they "
        "may be passed on. The privacy gate does not read the answers of models."
    )
    for one in chosen:
        if not one.items:
            yield ReportNote(f"{one.task.name}: {one.told}", "withheld")
            continue
        yield ReportExamples(
            one.task.name,
            f"{one.task.what} {one.told}{_repeated(sources, experiment, one.task)}",
            [_example(one.task, item, answers) for item in one.items],
            _source(experiment, one),
        )


def _repeated(sources: ReportSources, experiment: Experiment, task: EvaluationTask) -> str:
    """How many items of a task training rows repeat; empty if none."""
    count = max(
        (
            row["items_trained_on"]
            for row in sources.tables["leaderboard"]
            if (row["base_model"], row["recipe"]) == experiment and row["task"] == task.name
        ),
        default=0,
    )
    return f" But training rows repeat {number_of(count, 'item')} of the task." if count else ""


def _source(experiment: Experiment, one: ChosenExamples) -> NumberSource:
    ids = ", ".join("'" + item.id.replace("'", "''") + "'" for item in one.items)
    return NumberSource.of(f"""
        select item_id, subject, prediction, chosen, metric, value
        from eval_predictions
        where base_model = '{experiment[0]}' and recipe = '{experiment[1]}'
            and task = '{one.task.name}' and item_id in ({ids})
        order by item_id, subject desc
        """)


def _example(task: EvaluationTask, item: EvaluationItem, answers: Answers) -> ShownExample:
    if task.name == OWN_TASK:
        instruction, prompt = item.question, "\n\n".join(item.context)
    else:
        instruction = task.prompt.instruction
        prompt = input_of(task, item, options_of(task, item), passage_of(task, item))
    return ShownExample(
        item.id,
        shortened(instruction.strip(), MOST_CHARACTERS),
        shortened(prompt.strip(), MOST_CHARACTERS),
        shortened(_reference(task, item), MOST_OF_ANSWER),
        [
            _answer(task, who, answers[key])
            for subject, who in _SUBJECTS.items()
            if (key := (task.name, item.id, subject)) in answers
        ],
    )


def _reference(task: EvaluationTask, item: EvaluationItem) -> str:
    if item.gold is not None:
        return options_of(task, item)[item.gold]
    if item.spans:
        return "\n".join(f"{label}: {text}" for label, text in item.spans)
    return item.answers[0] if item.answers else "no span"


def _answer(task: EvaluationTask, who: str, row: Mapping[str, Any]) -> ModelAnswer:
    parts = []
    if row["chosen"] is not None:
        parts.append(f"Likeliest option: {row['chosen']}")
    if row["prediction"].strip():
        wrote = "Written answer: " if parts else ""
        parts.append(f"{wrote}{row['prediction'].strip()}")
    value = "" if row["value"] is None else f"{row['metric'].replace('_', ' ')} {row['value']:.2f}"
    orders = getattr(task.scoring, "orders", 1)
    if value and orders > 1:
        value += f", mean over {orders} orders of the options"
    text = "\n".join(parts) or "No written answer: it is empty, or none was asked for."
    return ModelAnswer(who, shortened(text, MOST_OF_ANSWER), value)


def shortened(text: str, most: int) -> str:
    """A text of at most about so many characters: a longer one lacks its middle."""
    if len(text) <= most:
        return text
    half = most // 2
    left = len(text) - 2 * half
    return f"{text[:half]} […{left:,} characters…] {text[-half:]}"
