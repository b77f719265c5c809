"""The card of an adapter: the text of the `README.md` beside its weights.

Belongs here: the card's text. Does not: the card of the data set (dataset.card).
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.training.spec import TrainingSpec


def render_card(spec: TrainingSpec, result: Mapping[str, Any]) -> str:
    """The card as Markdown: front matter, result, recipe, and a warning on a rehearsal."""
    note = (
        "> **Rehearsal.** Trained with the embedded base model or on rehearsal data. "
        "It shows that the chain works and must not be published.\n\n"
        if spec.rehearsal
        else ""
    )
    facts = {k: v for k, v in result.items() if k != "losses"}
    header = (
        "---\nlibrary_name: peft\ntags: [lora, biomedical"
        + (", rehearsal" * spec.rehearsal)
        + "]\n---\n\n"
    )
    body = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    recipe = "".join(f"- {name}: {value}\n" for name, value in spec.recipe.model_dump().items())
    return f"{header}# {spec.experiment}\n\n{note}## Result\n\n{body}\n## Recipe\n\n{recipe}"
