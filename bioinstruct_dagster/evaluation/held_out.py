"""The task `held_out`: the test split of the data set that the adapters were trained on.

Its prompts are those of training. Its metrics are the loss of the true outputs, and what compares
an answer with its output. Belongs here: its items and requests. Does not: other tasks
(eval_sets.task, evaluation.tasks.asking).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import TextScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask, ItemFields, TaskPrompt, TaskSource
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest, OptionRequest
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK
from bioinstruct_dagster.models.base_models import TokenizingBase
from bioinstruct_dagster.models.prompts import RowTokenizer

ANSWER_TOKENS = 96  # of the longest answer; 95 % of the published outputs have below 90 words
MAX_LENGTH = 1_024  # tokens of prompt and output; a longer row is not scored
SPLIT = "test"

HELD_OUT = EvaluationTask(
    name=OWN_TASK,
    version=1,
    what="The test split of the data set: instructions that the adapters were not trained on.",
    category="generation",
    source=TaskSource(files=("*.parquet",), licence="that of the data set", credentialed=False),
    fields=ItemFields(question="instruction", context="input", answer="output"),
    prompt=TaskPrompt(instruction="The row's own instruction.", input="{question}"),
    scoring=TextScoring(kind="text", max_new_tokens=ANSWER_TOKENS),
)


def held_out_items(rows: Sequence[Mapping[str, Any]]) -> list[EvaluationItem]:
    """The rows of the test split that have an output, as items."""
    return [
        EvaluationItem(
            task=OWN_TASK,
            id=row["row_id"],
            question=row["instruction"],
            answers=(row["output"],),
            context=(row["input"],) if row["input"] else (),
        )
        for row in rows
        if row["output"].strip()
    ]


def held_out_requests(
    items: Sequence[EvaluationItem], base: TokenizingBase
) -> list[tuple[OptionRequest, AnswerRequest] | None]:
    """For each item the request for the loss of its output, and that for an answer.

    The tokens are those of training: the output ends with the end token. An item whose prompt and
    output are longer than MAX_LENGTH, or than the model's context, is None.
    """
    encoder = RowTokenizer(base.tokenizer, base.prompt)
    prompts = encoder.prompts([(item.question, "".join(item.context)) for item in items])
    outputs = encoder.responses([item.answers[0] for item in items])
    limit = min(MAX_LENGTH, base.context)
    found: list[tuple[OptionRequest, AnswerRequest] | None] = []
    for prompt, output in zip(prompts, outputs, strict=True):
        reference = (*output, base.prompt.end_id)
        if len(prompt) + len(reference) > limit:
            found.append(None)
            continue
        ids = tuple(prompt)
        room = min(ANSWER_TOKENS, base.context - len(ids))
        found.append((OptionRequest("", ids, (reference,)), AnswerRequest("", ids, room)))
    return found
