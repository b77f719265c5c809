"""What a model is asked about an item: token ids for the engine.

The prompt is that of training: the base model's template around the task's instruction and input.
An option follows it with the tokens that a trained row has there, which are those that the model
writes itself. All requests of an item show the same passage, cut in the same way if it is too long.

Belongs here: requests from items. Does not: the words of a prompt (evaluation.tasks.prompting), the
orders of options (evaluation.tasks.permutations), or running a model (evaluation.engine).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bioinstruct_dagster.eval_sets.item import EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.scoring import LETTERS, ChoiceScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest, OptionRequest
from bioinstruct_dagster.evaluation.tasks.item_results import Measure
from bioinstruct_dagster.evaluation.tasks.permutations import shown_order
from bioinstruct_dagster.evaluation.tasks.prompting import input_of, passage_of, prior_input_of
from bioinstruct_dagster.models.base_models import TokenizingBase
from bioinstruct_dagster.models.prompts import RowTokenizer
from bioinstruct_dagster.models.shortening import longest_that_fit

UNKNOWN_OPTION = "an option has no token in the model's vocabulary"  # why an item can't be asked
_ANSWERS_IN_CONTEXT = 2  # an answer gets at most half of the model's context


@dataclass(frozen=True, slots=True)
class AskedOptions:
    """A request for the log-likelihoods of an item's options.

    Attributes:
        measure: after the item's prompt, or after the one without its question.
        order: the number of the order of options, from 0.
        permutation: the place among the item's own options of each option that is shown.
        request: its options stand in the item's own order, whatever order the prompt shows.
        tokens_lost: tokens of the passage that were cut so that the prompt fits.
    """

    measure: Literal["options", "prior"]
    order: int
    permutation: tuple[int, ...]
    request: OptionRequest
    tokens_lost: int


@dataclass(frozen=True, slots=True)
class AskedAnswer:
    """A request for a generated answer; the options are shown in the item's own order."""

    request: AnswerRequest
    tokens_lost: int


@dataclass(frozen=True, slots=True)
class ItemRequests:
    """All that a model is asked about an item.

    Attributes:
        task: its name.
        item_id: within the task.
        options: in the order of orders, the prior last; empty for a task without options.
        answer: the request for a generated answer; None if the item can't be asked.
        unaskable: why the item can't be asked; empty if it can. Such an item is counted.
    """

    task: str
    item_id: str
    options: tuple[AskedOptions, ...] = ()
    answer: AskedAnswer | None = None
    unaskable: str = ""


class _Shown(NamedTuple):
    """A prompt of an item: which measure it serves, and which order of options it shows."""

    item: int
    order: int
    permutation: tuple[int, ...]
    options: tuple[str, ...]


def requests_of_items(
    task: EvaluationTask,
    items: Sequence[EvaluationItem],
    base: TokenizingBase,
    *,
    seed: int,
) -> list[ItemRequests]:
    """What a model is asked about items, in their order.

    Args:
        task: of the items.
        items: as `items_of` gives them.
        base: gives the tokenizer, the prompt template and the context.
        seed: of the orders of options.
    """
    return _Asker(task, items, base, seed).requests()


class _Asker:
    """Makes the requests of a task's items."""

    def __init__(
        self,
        task: EvaluationTask,
        items: Sequence[EvaluationItem],
        base: TokenizingBase,
        seed: int,
    ) -> None:
        self._task, self._items = task, items
        self._tokens = RowTokenizer(base.tokenizer, base.prompt)
        scoring = task.scoring
        self._choice = scoring if isinstance(scoring, ChoiceScoring) else None
        self._new_tokens = max(1, min(scoring.max_new_tokens, base.context // _ANSWERS_IN_CONTEXT))
        orders = self._choice.orders if self._choice else 1
        self._shown = [
            _Shown(number, order, permutation, tuple(options[place] for place in permutation))
            for number, item in enumerate(items)
            for options in [options_of(task, item) if self._choice else ()]
            for order in range(orders)
            for permutation in [shown_order(task, item, order, seed=seed) if options else ()]
        ]
        self._option_ids = self._ids_of_options()
        self._room = [
            base.context - max(self._new_tokens, *map(len, ids), 0)
            for ids in (self._option_ids[number] for number in range(len(items)))
        ]

    def requests(self) -> list[ItemRequests]:
        """One for each item."""
        passages = [passage_of(self._task, item) for item in self._items]
        whole = self._prompts(list(enumerate(passages)))
        too_long = {
            number: passages[number]
            for number, prompts in enumerate(whole)
            if not self._fit(number, prompts)
        }
        # A passage of which not even two words fit is left out, if it stands beside a question.
        shorter = longest_that_fit(
            too_long,
            lambda tried: [
                prompts if self._fit(number, prompts) else None
                for (number, _), prompts in zip(tried, self._prompts(tried), strict=True)
            ],
            may_vanish=self._task.prompt.passage == "context",
        )
        priors = self._priors()
        return [
            self._item_requests(
                number,
                shorter.get(number, whole[number]),
                priors[number],
                lost=len(whole[number][0]) - len(shorter.get(number, whole[number])[0]),
                hopeless=number in too_long and number not in shorter,
            )
            for number in range(len(self._items))
        ]

    def _item_requests(
        self,
        number: int,
        prompts: Sequence[tuple[int, ...]],
        prior: tuple[int, ...],
        *,
        lost: int,
        hopeless: bool,
    ) -> ItemRequests:
        item, option_ids = self._items[number], self._option_ids[number]
        if hopeless or len(prior) > self._room[number]:
            reason = f"the prompt without its passage has more than {self._room[number]} tokens"
            return ItemRequests(self._task.name, item.id, unaskable=reason)
        if not all(option_ids):
            return ItemRequests(self._task.name, item.id, unaskable=UNKNOWN_OPTION)
        asked = [
            AskedOptions(
                "options",
                shown.order,
                shown.permutation,
                OptionRequest(
                    self._key(item, "options", shown.order),
                    prompt,
                    self._following(option_ids, shown.permutation),
                ),
                lost,
            )
            for shown, prompt in zip(self._of_item(number), prompts, strict=True)
            if self._choice
        ]
        if self._choice:
            own = tuple(range(len(option_ids)))
            request = OptionRequest(
                self._key(item, "prior"), prior, self._following(option_ids, own)
            )
            asked.append(AskedOptions("prior", 0, own, request, 0))
        answer = AnswerRequest(self._key(item, "answer"), prompts[0], self._new_tokens)
        return ItemRequests(self._task.name, item.id, tuple(asked), AskedAnswer(answer, lost))

    def _key(self, item: EvaluationItem, measure: Measure, order: int = 0) -> str:
        return f"{self._task.name}/{item.id}/{measure}/{order}"

    def _following(
        self, option_ids: Sequence[tuple[int, ...]], permutation: Sequence[int]
    ) -> tuple[tuple[int, ...], ...]:
        """The tokens of each option in the item's own order.

        A letter belongs to a place, so an option has the letter of the place where it is shown.
        """
        if self._choice is None or self._choice.options == "texts":
            return tuple(option_ids)
        letters: list[tuple[int, ...]] = [()] * len(permutation)
        for place, own in enumerate(permutation):
            letters[own] = option_ids[place]
        return tuple(letters)

    def _of_item(self, number: int) -> list[_Shown]:
        orders = self._choice.orders if self._choice else 1
        return self._shown[number * orders : (number + 1) * orders]

    def _fit(self, number: int, prompts: Sequence[tuple[int, ...]]) -> bool:
        return max(map(len, prompts)) <= self._room[number]

    def _prompts(self, passages: Sequence[tuple[int, str]]) -> list[list[tuple[int, ...]]]:
        """The prompts of items with these passages: by item, one for each order."""
        tasks = [
            (
                self._task.prompt.instruction,
                input_of(self._task, self._items[number], shown.options, passage),
            )
            for number, passage in passages
            for shown in self._of_item(number)
        ]
        encoded = iter(self._tokens.prompts(tasks))
        return [[tuple(next(encoded)) for _ in self._of_item(number)] for number, _ in passages]

    def _priors(self) -> list[tuple[int, ...]]:
        """By item, the prompt without question and passages; empty for a task without options."""
        if self._choice is None:
            return [()] * len(self._items)
        texts = [prior_input_of(self._task, options_of(self._task, item)) for item in self._items]
        distinct = list(dict.fromkeys(texts))
        encoded = self._tokens.prompts([(self._task.prompt.instruction, text) for text in distinct])
        ids = dict(zip(distinct, map(tuple, encoded), strict=True))
        return [ids[text] for text in texts]

    def _ids_of_options(self) -> list[list[tuple[int, ...]]]:
        """By item, the tokens of its options; with letters, those of the places."""
        if self._choice is None:
            return [[] for _ in self._items]
        texts = [
            list(LETTERS[: len(options)])
            if self._choice.options == "letters"
            else [text.strip() for text in options]
            for options in (options_of(self._task, item) for item in self._items)
        ]
        distinct = list(dict.fromkeys(text for one in texts for text in one))
        ids = dict(zip(distinct, map(tuple, self._tokens.responses(distinct)), strict=True))
        return [[ids[text] for text in one] for one in texts]
