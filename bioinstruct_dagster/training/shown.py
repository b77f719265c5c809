"""What a person sees of a trained adapter: one sentence.

Belongs here: the numbers that matter, in words. Does not: the adapter's card (training.card), or
Dagster's metadata (training.assets).
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.figures.values import signed

# A key of the metadata. The unit has no slash, because the page would break the line behind it.
VALIDATION_LOSS = "validation loss (nats a token)"


def training_sentence(result: Mapping[str, Any], before: Any) -> str:
    """The sentence of an adapter's summary.

    Args:
        result: of the training, as its result file holds it.
        before: the lowest validation loss of the last materialization; None if there was none.
    """
    losses = [float(loss) for _, loss in result["validation_losses"]]
    if losses:
        since = ""
        if isinstance(before, float):
            moved = round(min(losses) - before, 3)
            since = f" ({signed(moved) if moved else 'no change'} since the last run)"
        said = f"Lowest validation loss: {min(losses):.3f} nats/token{since}."
    else:
        said = (
            f"Training loss: {result['first_loss']:.3f} to {result['last_loss']:.3f} nats/token. "
            "There is no validation split."
        )
    seconds = result["train_seconds"]
    took = f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"  # noqa: PLR2004
    return (
        f"{said} {result['train_rows']:,} rows, {result['steps']:,} updates, {took} on "
        f"{result['device']}."
    )
