"""Predictions on the held-out rows: the loss of the true output, and the model's own answer.

Belongs here: running a model over items. Does not: the scores over all items
(evaluation.statistics.intervals).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import IGNORED, Example, encode_all

TASK = "held_out"
ANSWER_TOKENS = 96  # the longest answer; 95 % of the published outputs are below 90 words
BATCH = 32
MAX_LENGTH = 768
LOGIT_POSITIONS = 4_096  # rows x width of a forward whose logits are kept


def predict(
    model: Any,
    base: LoadedBaseModel,
    rows: Sequence[Mapping[str, Any]],
    subject: str,
    log: Callable[[str], None],
) -> list[dict[str, Any]]:
    """One item per row that fits, in the order of the rows.

    It holds the prediction, its ROUGE-L F1, the output's nll (nats) and its number of tokens.
    """
    from rouge_score.rouge_scorer import RougeScorer

    examples, dropped = encode_all(rows, base.tokenizer, MAX_LENGTH)
    if dropped:
        log(f"{subject}: {dropped} rows are longer than {MAX_LENGTH} tokens and are not scored")
    row_of = {row["row_id"]: row for row in rows}
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    items: dict[str, dict[str, Any]] = {}
    # Neighbours of like length waste the least on padding.
    ordered = sorted(examples, key=lambda example: example.length)
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        losses = _losses(model, base, batch)
        answers = _answers(model, base, batch)
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
        log(f"{subject}: {len(items)} of {len(ordered)} items scored")
    return [items[row["row_id"]] for row in rows if row["row_id"] in items]


def _losses(model: Any, base: LoadedBaseModel, batch: Sequence[Example]) -> list[tuple[float, int]]:
    """(sum of -log p in nats, tokens) of each example's output."""
    import torch

    # The logits of one forward are rows x width x vocabulary floats: 2 GB at 128,000 entries.
    rows = max(1, LOGIT_POSITIONS // max(example.length for example in batch))
    if len(batch) > rows:
        parts = [batch[start : start + rows] for start in range(0, len(batch), rows)]
        return [loss for part in parts for loss in _losses(model, base, part)]

    width = max(example.length for example in batch)
    pad = base.tokenizer.pad_token_id
    ids = torch.tensor([e.input_ids + [pad] * (width - e.length) for e in batch])  # (batch, width)
    labels = torch.tensor([e.labels + [IGNORED] * (width - e.length) for e in batch])
    mask = torch.tensor([[1] * e.length + [0] * (width - e.length) for e in batch])
    with torch.inference_mode():
        logits = model(
            input_ids=ids.to(base.device), attention_mask=mask.to(base.device), use_cache=False
        ).logits  # (batch, width, vocabulary)
        shifted = labels[:, 1:].to(base.device)
        nll = torch.nn.functional.cross_entropy(
            logits[:, :-1].transpose(1, 2).float(), shifted, ignore_index=IGNORED, reduction="none"
        ).sum(dim=1)
    counts = (shifted != IGNORED).sum(dim=1)
    return [(float(total), int(count)) for total, count in zip(nll, counts, strict=True)]


def _answers(model: Any, base: LoadedBaseModel, batch: Sequence[Example]) -> list[str]:
    """The greedy answer to each example's prompt."""
    import torch

    width = max(example.prompt_tokens for example in batch)
    pad = base.tokenizer.pad_token_id
    # Padded on the left, so that every answer starts at the same place.
    ids = torch.tensor(
        [[pad] * (width - e.prompt_tokens) + e.input_ids[: e.prompt_tokens] for e in batch]
    )
    mask = torch.tensor([[0] * (width - e.prompt_tokens) + [1] * e.prompt_tokens for e in batch])
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids.to(base.device),
            attention_mask=mask.to(base.device),
            max_new_tokens=ANSWER_TOKENS,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=pad,
        )
    answers = base.tokenizer.batch_decode(output[:, width:], skip_special_tokens=True)
    return [answer.replace("\0", "").strip() for answer in answers]
