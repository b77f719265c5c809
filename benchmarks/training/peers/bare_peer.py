"""The limit: a loop that does nothing but what an update needs, over rows without padding.

It has no checkpoint, log, metric, validation or resumption. The rows of an update are laid end to
end into passes, each row attends to itself, and logits are computed only where a response token
is predicted.
"""

import random

import segments
import torch
from measured import Job, Marks, Trained, lora_model, run


def bare(job: Job) -> Trained:
    """Passes of at most `tokens_per_pass` tokens, filled in the order of the rows."""
    model = lora_model(job, segments.register())
    model.train()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        weights, lr=job.options["learning_rate"], weight_decay=0.0, fused=True
    )
    rows = job.read(job.rows)
    random.Random(1).shuffle(rows)  # noqa: S311
    marks = Marks()
    for at in range(0, len(rows), job.rows_per_update):
        update = rows[at : at + job.rows_per_update]
        count = sum(len(row["input_ids"]) - row["prompt_tokens"] for row in update)
        for part in _passes(update, int(job.options["tokens_per_pass"])):
            loss = _loss(model, part, job.device) / count
            loss.backward()
            tokens = sum(len(row["input_ids"]) for row in part)
            marks.saw(tokens, tokens)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        marks.update_ended()
    return Trained(model, marks)


def _passes(rows: list[dict], most: int) -> list[list[dict]]:
    passes: list[list[dict]] = [[]]
    room = most
    for row in rows:
        if passes[-1] and len(row["input_ids"]) > room:
            passes.append([])
            room = most
        passes[-1].append(row)
        room -= len(row["input_ids"])
    return passes


def _loss(model: torch.nn.Module, rows: list[dict], device: str) -> torch.Tensor:
    """The sum of the losses of the response tokens of one pass."""
    ids, places, predicts, bounds = [], [], [], [0]
    for row in rows:
        start, length = bounds[-1], len(row["input_ids"])
        ids += row["input_ids"]
        places += range(length)
        predicts += range(start + row["prompt_tokens"] - 1, start + length - 1)
        bounds.append(start + length)
    given = torch.tensor(ids, device=device)
    where = torch.tensor(predicts, device=device)
    logits = model(
        input_ids=given[None],
        position_ids=torch.tensor([places], device=device),
        cu_seq_lens_q=torch.tensor(bounds, dtype=torch.int32, device=device),
        use_cache=False,
        logits_to_keep=where,
    ).logits[0]
    return torch.nn.functional.cross_entropy(logits.float(), given[where + 1], reduction="sum")


if __name__ == "__main__":
    run({"bare": bare}, ("torch", "transformers", "peft"))
