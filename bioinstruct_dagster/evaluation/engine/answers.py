"""Greedily decoded answers of several subjects, in batches whose rows are refilled as they end.

In a batch of transformers' `generate`, the row with the longest answer decides when all rows end.
Here the place of an ended row goes to the next request, whichever subject it asks.

An answer does not depend on the batch: what a row computes differs by rounding alone, and a tie
that rounding could decide is rare in float32. Settings of a model's generation_config, such as a
penalty for repetition, are left out: each token is the one with the greatest logit.

Belongs here: which request is in which place of the batch, and when an answer ends. Does not: keys
and values (evaluation.engine.slots), adapters (evaluation.engine.subjects).
"""

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bioinstruct_dagster.evaluation.engine.plain_answers import plain_batch
from bioinstruct_dagster.evaluation.engine.progress import Tell
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest, AnswerResult
from bioinstruct_dagster.evaluation.engine.slots import Slots, carries
from bioinstruct_dagster.evaluation.engine.subjects import Subjects
from bioinstruct_dagster.evaluation.engine.vllm_answers import answers_by_vllm
from bioinstruct_dagster.models.base_models import LoadedBaseModel

if TYPE_CHECKING:
    import torch

ROWS_ON_CPU = 32
MOST_ROWS = 256
_PREFILL_TOKENS = 4_096  # rows x width of one pass over prompts
_MEMORY_SHARE = 0.6  # of what a GPU has free; the rest is for the passes
# A subject with requests for so many batches is asked by itself: its rows share one product.
_BATCHES_OF_A_SUBJECT = 2
# A batch that is this much smaller is computed as a smaller one.
_SHRINK = 0.75


@dataclass
class _Row:
    """A request under way."""

    subject: str
    request: AnswerRequest
    limit: int
    tokens: list[int] = field(default_factory=list)

    @property
    def position(self) -> int:
        """Where the last token is, whose successor is computed next."""
        return len(self.request.prompt_ids) + len(self.tokens) - 1

    @property
    def done(self) -> int:
        """The tokens of prompt and answer that are computed."""
        return len(self.request.prompt_ids) + len(self.tokens) if self.tokens else 0

    @property
    def most(self) -> int:
        """The tokens of the prompt and of the longest answer."""
        return len(self.request.prompt_ids) + self.limit


def answers(
    subjects: Subjects,
    base: LoadedBaseModel,
    work: Mapping[str, Sequence[AnswerRequest]],
    *,
    rows: int | None = None,
    vllm: bool = False,
    tell: Tell = lambda _finished, _work: None,
    log: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[str, AnswerResult]]:
    """The answers of all requests, as they end.

    Args:
        subjects: open; those of `work` among them.
        base: their base model.
        work: the requests to each subject.
        rows: of a batch; None: as many as memory allows (`rows_that_fit`). If a GPU's memory does
            not suffice, the batch is halved.
        vllm: vLLM computes the answers, or the call fails. It rounds otherwise, so one comparison
            must not mix answers with it and without it.
        tell: is called after each forward pass.
        log: takes one line.

    Yields:
        Subject and result.

    Raises:
        ValueError: a prompt is empty, or leaves no room for an answer in the model's context.
        KeyError: a subject is not open.
        VllmError: with `vllm`, it can't answer.
    """
    import torch

    if vllm:
        yield from answers_by_vllm(subjects, base, work, tell=tell, log=log)
        return
    asked = [
        _Row(subject, request, _limit(request, base))
        for subject, requests in work.items()
        for request in requests
    ]
    if not asked:
        return
    total, finished, done = len(asked), 0, 0
    mean = sum(row.most for row in asked) / total
    longest = max(row.most for row in asked)
    rows = min(total, rows or rows_that_fit(base, longest))
    queue = deque(_in_order(asked, rows))
    with subjects.alone(queue[0].subject) as model:
        slots_work = carries(model, queue[0].request.prompt_ids, base.device)
    if not slots_work:
        log(
            "this architecture keeps its state in another form than keys and values of each token; "
            "answers are computed in batches that end with their longest answer"
        )
    while queue:
        batch = _Batch(subjects, base, queue, rows, longest)
        passes = batch.passes() if slots_work else batch.plain()
        try:
            for ended in passes:
                finished += len(ended)
                done += sum(row.most for row in ended)  # also of an answer that ended early
                tell(finished, (done + batch.under_way) / mean)
                for row in ended:
                    yield row.subject, AnswerResult.of(row.request.key, row.tokens, base)
        except torch.OutOfMemoryError:
            if rows == 1:
                raise
            queue.extendleft(reversed(batch.unfinished))
            rows = max(1, rows // 2)
            log(f"the GPU's memory does not suffice: batches have {rows} rows now")
        del batch, passes


def _in_order(asked: Sequence[_Row], rows: int) -> list[_Row]:
    """The longest first: memory that does not suffice is found at once, and the last rows of a
    batch end early.

    Subject by subject, if each has requests for some batches. Else those of all subjects together,
    because rows of similar length waste no computation on padding.
    """
    longest_first = sorted(asked, key=lambda row: row.most, reverse=True)
    counts = Counter(row.subject for row in asked)
    if min(counts.values()) < _BATCHES_OF_A_SUBJECT * rows:
        return longest_first
    places = {subject: place for place, subject in enumerate(counts)}
    return sorted(longest_first, key=lambda row: places[row.subject])


def rows_that_fit(base: LoadedBaseModel, longest: int) -> int:
    """How many rows of a batch the memory allows.

    Args:
        base: in memory.
        longest: the tokens of the longest row, prompt and answer.
    """
    import torch

    if base.device == "cpu":
        return ROWS_ON_CPU
    config = base.model.config.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    bytes_each = base.model.get_input_embeddings().weight.element_size()
    row = 2 * config.num_hidden_layers * heads * width * longest * bytes_each
    free, _ = torch.cuda.mem_get_info()
    return max(1, min(MOST_ROWS, int(free * _MEMORY_SHARE / row)))


class _Batch:
    """The places of a batch, and the rows in them."""

    def __init__(
        self,
        subjects: Subjects,
        base: LoadedBaseModel,
        queue: deque[_Row],
        rows: int,
        longest: int,
    ) -> None:
        self._subjects, self._base, self._queue = subjects, base, queue
        self._order = {name: at for at, name in enumerate(subjects.names)}
        self._slots = Slots(rows, longest, base.device)
        self._rows: list[_Row | None] = [None] * rows
        self._owners = [queue[0].subject] * rows  # the subject of a place, also of a free one
        self._stops = frozenset(base.prompt.stop_ids)
        self._lengths: deque[int] = deque(maxlen=64)  # of the answers that ended last

    @property
    def unfinished(self) -> list[_Row]:
        """The rows under way, as they were before their first token."""
        for row in self._active:
            row.tokens.clear()
        return self._active

    @property
    def under_way(self) -> int:
        """The tokens of unfinished rows that are computed."""
        return sum(row.done for row in self._active)

    @property
    def _active(self) -> list[_Row]:
        return [row for row in self._rows if row is not None]

    def passes(self) -> Iterator[list[_Row]]:
        """Compute all requests of the queue; after each forward pass, the rows that ended."""
        while self._queue or self._active:
            free = [place for place, row in enumerate(self._rows) if row is None]
            if self._queue and len(free) >= self._worth_a_pass():
                yield from self._fill(free)
                continue
            if not self._queue and len(self._active) <= _SHRINK * len(self._rows):
                self._shrink()
            yield self._step()

    def plain(self) -> Iterator[list[_Row]]:
        """The same in batches without refill, for a model that can't compute with slots."""
        while self._queue:
            taken = [self._queue.popleft()]
            limit = taken[0].limit  # one for all, because no row ends before the others
            while self._queue and len(taken) < len(self._rows) and self._queue[0].limit == limit:
                taken.append(self._queue.popleft())
            self._rows[: len(taken)] = taken
            with self._subjects.mixed([row.subject for row in taken]) as model:
                found = plain_batch(
                    model,
                    [row.request.prompt_ids for row in taken],
                    limit,
                    self._base,
                )
            for row, tokens in zip(taken, found, strict=True):
                row.tokens = tokens
            self._rows = [None] * len(self._rows)
            yield taken

    def _worth_a_pass(self) -> int:
        """How many free places a pass over new prompts needs.

        A pass takes about as long as a step, however few rows it has. For R places and answers of L
        tokens, waiting for k free places leaves k / 2 of them idle, which costs k / 2R of a step
        for each of the L / R steps of an answer, and shares the pass by k: the sum is least for k
        near R / sqrt(L).
        """
        if not self._active:
            return 1
        known = self._lengths or [row.limit for row in self._active]
        length = sum(known) / len(known)
        places = len(self._rows)
        return min(len(self._queue), max(1, int(places / math.sqrt(length))))

    def _fill(self, free: Sequence[int]) -> Iterator[list[_Row]]:
        """Read the next prompts into free places."""
        taken = [(place, self._queue.popleft()) for place in free[: len(self._queue)]]
        for place, row in taken:
            self._rows[place], self._owners[place] = row, row.subject
        # Prompts of similar length go together, for little padding, and within a pass those of a
        # subject lie side by side.
        taken.sort(key=lambda one: len(one[1].request.prompt_ids), reverse=True)
        while taken:
            width = len(taken[0][1].request.prompt_ids)
            count = max(1, _PREFILL_TOKENS // width)
            part, taken = taken[:count], taken[count:]
            yield self._filled(sorted(part, key=lambda one: self._order[one[1].subject]))

    def _filled(self, part: Sequence[tuple[int, _Row]]) -> list[_Row]:
        import torch

        places, rows = zip(*part, strict=True)
        with torch.inference_mode(), self._subjects.mixed([row.subject for row in rows]) as model:
            logits = self._slots.fill(model, places, [row.request.prompt_ids for row in rows])
        return self._take(places, logits)

    def _step(self) -> list[_Row]:
        import torch

        tokens = [row.tokens[-1] if row else 0 for row in self._rows]
        positions = [row.position if row else 0 for row in self._rows]
        with torch.inference_mode(), self._subjects.mixed(self._owners) as model:
            logits = self._slots.step(model, tokens, positions)
        return self._take(range(len(self._rows)), logits)

    def _take(self, places: Sequence[int], logits: "torch.Tensor") -> list[_Row]:
        """Give each row its next token, and take out the rows that ended."""
        ended = []
        for place, token in zip(places, logits.argmax(-1).tolist(), strict=True):
            row = self._rows[place]
            if row is None:
                continue
            row.tokens.append(token)
            if token in self._stops or len(row.tokens) == row.limit:
                self._rows[place] = None
                self._lengths.append(len(row.tokens))
                ended.append(row)
        return ended

    def _shrink(self) -> None:
        """Leave out the free places, and put the rows of a subject side by side."""
        kept = sorted(
            (place for place, row in enumerate(self._rows) if row is not None),
            key=lambda place: self._order[self._owners[place]],
        )
        self._slots.keep(kept, 1 + max(row.position for row in self._active))
        self._rows = [self._rows[place] for place in kept]
        self._owners = [self._owners[place] for place in kept]


def _limit(request: AnswerRequest, base: LoadedBaseModel) -> int:
    room = base.context - len(request.prompt_ids)
    if not request.prompt_ids or room < 1 or request.max_new_tokens < 1:
        raise ValueError(
            f"the request {request.key} has {len(request.prompt_ids)} tokens and wants "
            f"{request.max_new_tokens} more; the base model's context has {base.context}"
        )
    return min(request.max_new_tokens, room)
