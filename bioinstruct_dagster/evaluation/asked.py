"""The questions of an evaluation as requests to a model: made once, and put to every subject.

Belongs here: which request belongs to which question, and the row of its result. Does not: making a
request from an item (evaluation.tasks.asking, evaluation.held_out), or running a model
(evaluation.engine).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bioinstruct_dagster.eval_sets.items import EvaluationItem
from bioinstruct_dagster.evaluation.engine.requests import (
    AnswerRequest,
    AnswerResult,
    OptionRequest,
    OptionResult,
)
from bioinstruct_dagster.evaluation.held_out import held_out_requests
from bioinstruct_dagster.evaluation.questions import Questions
from bioinstruct_dagster.evaluation.tasks.asking import (
    UNKNOWN_OPTION,
    ItemRequests,
    requests_of_items,
)
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK, ItemQuestion, item_key
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

    question: ItemQuestion
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
            return replace(row, answer=found.text, answer_tokens=found.tokens, ended=found.ended)
        if found is not None and isinstance(self.request, OptionRequest):
            tokens = tuple(map(len, self.request.option_ids))
            return replace(row, log_likelihoods=found.log_likelihoods, option_tokens=tokens)
        return replace(row, ended=False)


def ask_all(
    questions: Questions,
    places: Sequence[int],
    base: TokenizingBase,
    seed: int,
    log: Callable[[str], None],
) -> dict[int, Asked]:
    """The questions at these places as requests.

    Args:
        questions: all of them.
        places: among the keys of all questions.
        base: gives the tokenizer, the prompt template and the context.
        seed: of the orders of options.
        log: takes a line for each task with shortened items, and for each reason not to ask items.
    """
    every = list(questions.keys.items())
    wanted = {every[place][0]: place for place in places}
    found: dict[int, Asked] = {}
    for one in questions.tasks:
        names = {question.item_id for question in wanted if question.task == one.task.name}
        items = [item for item in one.items if item.id in names]
        of_items: list[ItemRequests] = []
        if one.task.name == OWN_TASK:
            made = _own_requests(items, base)
        else:
            of_items = requests_of_items(one.task, items, base, seed=seed)
            made = _requests(of_items)
        asked = {each.question: each for each in made}
        shortened, unasked = set(), set()
        for question, place in wanted.items():
            if question.task != one.task.name:
                continue
            each = asked.get(question, Asked(question, "", None))
            key = questions.keys[question]
            request = replace(each.request, key=key) if each.request else None
            found[place] = replace(each, key=key, request=request)
            if each.tokens_lost:
                shortened.add(question.item_id)
            if request is None:
                unasked.add(question.item_id)
        if shortened:
            log(f"{one.task.name}: the passages of {len(shortened)} items are shortened to fit")
        unknown = {each.item_id for each in of_items if each.unaskable == UNKNOWN_OPTION}
        if unknown:
            log(f"{one.task.name}: {len(unknown)} items are not answered: {UNKNOWN_OPTION}")
        if too_long := len(unasked - unknown):
            log(f"{one.task.name}: {too_long} items do not fit into the context: not answered")
    return found


def _requests(of_items: Iterable[ItemRequests]) -> Iterator[Asked]:
    """The requests of a task of the catalogue."""
    for made in of_items:
        for options in made.options:
            question = ItemQuestion(made.task, made.item_id, options.measure, options.order)
            yield Asked(question, "", options.request, options.permutation, options.tokens_lost)
        if made.answer:
            question = ItemQuestion(made.task, made.item_id, "answer", 0)
            yield Asked(question, "", made.answer.request, (), made.answer.tokens_lost)


def _own_requests(items: Sequence[EvaluationItem], base: TokenizingBase) -> Iterator[Asked]:
    """The requests of the own test split."""
    for item, made in zip(items, held_out_requests(items, base), strict=True):
        if made:
            yield Asked(ItemQuestion(OWN_TASK, item.id, "reference", 0), "", made[0])
            yield Asked(ItemQuestion(OWN_TASK, item.id, "answer", 0), "", made[1])
