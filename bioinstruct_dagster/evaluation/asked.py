"""The questions of an evaluation as requests to a model: made once, and put to every subject.

Belongs here: which request belongs to which question, and the row of its result. Does not: making a
request from an item (evaluation.tasks.asking, evaluation.held_out), or running a model
(evaluation.engine).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.engine.requests import (
    AnswerRequest,
    AnswerResult,
    OptionRequest,
    OptionResult,
)
from bioinstruct_dagster.evaluation.held_out import held_out_requests
from bioinstruct_dagster.evaluation.questions import Questions
from bioinstruct_dagster.evaluation.tasks.asking import requests_of
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult, Measure
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK, Question, item_key
from bioinstruct_dagster.models.base_models import TokenizingBase


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a request. All subjects share it, so it is tokenised only once.

    Attributes:
        question: what is measured.
        key: of the question, without the subject.
        request: with this key; None if the question does not fit into the model's context.
        permutation: of the options shown, as in ItemResult.
        tokens_lost: of the passage.
    """

    question: Question
    key: str
    request: OptionRequest | AnswerRequest | None
    permutation: tuple[int, ...] = ()
    tokens_lost: int = 0

    def result(self, subject: str, found: OptionResult | AnswerResult | None) -> ItemResult:
        """The row of a subject's result; None stands for a question that could not be asked."""
        task, item_id, measure, order = self.question
        row = ItemResult(
            key=item_key(self.key, subject),
            task=task,
            item_id=item_id,
            subject=subject,
            measure=measure,
            order=order,
            permutation=self.permutation,
            tokens_lost=self.tokens_lost,
            asked=found is not None,
        )
        if isinstance(found, AnswerResult):
            return replace(
                row, answer=found.text, answer_tokens=found.tokens, ended=found.ended
            )
        if found is not None and isinstance(self.request, OptionRequest):
            tokens = tuple(len(ids) for ids in self.request.option_ids)
            return replace(
                row,
                log_likelihoods=self._own_order(found.log_likelihoods),
                option_tokens=self._own_order(tokens),
            )
        return replace(row, ended=False)

    def _own_order(self, shown: Sequence[Number]) -> tuple[Number, ...]:
        """Values of the options shown, in the item's own order."""
        if not self.permutation:
            return tuple(shown)
        own = dict(zip(self.permutation, shown, strict=True))
        return tuple(own[place] for place in range(len(shown)))
