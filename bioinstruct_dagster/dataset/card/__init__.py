"""The documents beside the data: the card, the Croissant description and the data sheet."""

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.render import render_card

__all__ = ["Card", "render_card"]
