"""Predictions on the held-out rows: the loss of the true output, and the model's answer.

Belongs here: running a model over items. Does not: the scores over all items
(evaluation.statistics.intervals).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bioinstruct_dagster.evaluation.engine.progress import ScoringProgress
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import IGNORED_LABEL, Example, encode_rows

TASK = "held_out"
ANSWER_TOKENS = 96  # of the longest answer; 95 % of the published outputs have below 90 words
BATCH_ROWS = 32
MAX_LENGTH = 768
_LOSS_SHARE = 0.3  # of the work on an item; its answer is the rest. For the time left only.
LOGIT_POSITIONS = 4_096  # the most positions (rows x width) of one forward pass for the loss


def predict(
    model: Any,
    base: LoadedBaseModel,
    rows: Sequence[Mapping[str, Any]],
    subject: str,
    log: Callable[[str], None],
) -> list[dict[str, Any]]:
    """One item for each row that can be scored, in the order of the rows.

    A row can be scored if it has an output and fits into MAX_LENGTH tokens and the model's context.
    The log says how many can't, and how far the scoring has come. An item holds the prediction, its
    ROUGE-L F1, and the negative log-likelihood (nats) and number of tokens of the row's output.
    """
    from rouge_score.rouge_scorer import RougeScorer

    encoded = encode_rows(rows, base, MAX_LENGTH)
    examples, limit = encoded.examples, min(MAX_LENGTH, base.context)
    actions = Counter(row.action for row in encoded.left_out)
    if dropped := actions["left_out"]:
        log(f"{subject}: {dropped} rows are longer than {limit} tokens and are not scored")
    if empty := actions["no_output"]:
        log(f"{subject}: {empty} rows have no output and are not scored")
    row_of = {row["row_id"]: row for row in rows}
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    items: dict[str, dict[str, Any]] = {}
    # Batches of rows with similar length need the least padding.
    ordered = sorted(examples, key=lambda example: example.length)
    progress = ScoringProgress(subject, len(ordered), _work(ordered), log)
    done = 0
    for start in range(0, len(ordered), BATCH_ROWS):
        batch = ordered[start : start + BATCH_ROWS]
        tell = partial(_tell, progress, start, done, _work(batch))
        losses = _losses(model, base, batch, partial(tell, 0.0))
        answers = _answers(model, base, batch, tell)
        for example, (nll, tokens), answer in zip(batch, losses, answers, strict=True):
            row = row_of[example.row_id]
            items[example.row_id] = {
                "task": TASK,
                "subject": subject,
                "row_id": example.row_id,
                "category": row["category"],
                "prediction": answer,
                "rouge_l": scorer.score(row["output"], answer)["rougeL"].fmeasure,
                "nll": nll,
                "output_tokens": tokens,
            }
        done += _work(batch)
        progress.come_to(len(items), done)
    return [items[row["row_id"]] for row in rows if row["row_id"] in items]


def _tell(progress: ScoringProgress, items: int, done: int, work: int, share: float) -> None:
    """Report a part of the work on a batch, after the items and the work before it."""
    progress.come_to(items, done + share * work)


def _work(examples: Sequence[Example]) -> int:
    """The work on these examples, in tokens that the model computes."""
    return sum(example.length + ANSWER_TOKENS for example in examples)


def _losses(
    model: Any, base: LoadedBaseModel, batch: Sequence[Example], tell: Callable[[], None]
) -> list[tuple[float, int]]:
    """For each example, the sum of -log p (nats) over the output's tokens, and their number."""
    import torch

    # The logits of one forward pass are rows x width x vocabulary floats. At a vocabulary of
    # 128,000 that is 2 GB, so a large batch is split.
    rows = max(1, LOGIT_POSITIONS // max(example.length for example in batch))
    if len(batch) > rows:
        parts = [batch[start : start + rows] for start in range(0, len(batch), rows)]
        return [loss for part in parts for loss in _losses(model, base, part, tell)]

    width = max(example.length for example in batch)
    pad = base.tokenizer.pad_token_id
    ids = torch.tensor(
        [[*e.input_ids] + [pad] * (width - e.length) for e in batch]
    )  # (batch, width)
    labels = torch.tensor([e.labels + [IGNORED_LABEL] * (width - e.length) for e in batch])
    mask = torch.tensor([[1] * e.length + [0] * (width - e.length) for e in batch])
    with torch.inference_mode():
        logits = model(
            input_ids=ids.to(base.device), attention_mask=mask.to(base.device), use_cache=False
        ).logits  # (batch, width, vocabulary)
        shifted = labels[:, 1:].to(base.device)
        nll = torch.nn.functional.cross_entropy(
            logits[:, :-1].transpose(1, 2).float(),
            shifted,
            ignore_index=IGNORED_LABEL,
            reduction="none",
        ).sum(dim=1)
    counts = (shifted != IGNORED_LABEL).sum(dim=1)
    tell()
    return [(float(total), int(count)) for total, count in zip(nll, counts, strict=True)]


def _answers(
    model: Any, base: LoadedBaseModel, batch: Sequence[Example], tell: Callable[[float], None]
) -> list[str]:
    """The greedily decoded answer to each example's prompt. `tell` gets the part that is done."""
    import torch

    def told(ids: Any, _: Any, **_more: Any) -> Any:
        """Called by transformers after each token. It stops no answer."""
        tell(_LOSS_SHARE + (1 - _LOSS_SHARE) * (ids.shape[1] - width) / ANSWER_TOKENS)
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)

    width = max(example.prompt_tokens for example in batch)
    pad = base.tokenizer.pad_token_id
    # Prompts are padded on the left, so that all answers start at the same position.
    ids = torch.tensor(
        [[pad] * (width - e.prompt_tokens) + [*e.input_ids[: e.prompt_tokens]] for e in batch]
    )
    mask = torch.tensor([[0] * (width - e.prompt_tokens) + [1] * e.prompt_tokens for e in batch])
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids.to(base.device),
            attention_mask=mask.to(base.device),
            max_new_tokens=min(ANSWER_TOKENS, base.context - width),
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=pad,
            # The ends of trained rows among them: an adapter that has learned to end its answers
            # must be stopped there.
            eos_token_id=list(base.prompt.stop_ids),
            stopping_criteria=[told],
        )
    answers = base.tokenizer.batch_decode(output[:, width:], skip_special_tokens=True)
    return [answer.replace("\0", "").strip() for answer in answers]
