"""Parts of the cards of models: licences and names for the hub, and what an adapter is in words.

Belongs here: what the cards of adapters and of merged models share. Does not: the cards themselves
(training.card, models.commands), or the card of the data set (dataset.card).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.markdown import one_line
from bioinstruct_dagster.settings import PROJECT_ROOT

# Licences that the hub knows, by the names that the experiment file uses for them.
_KNOWN = {
    "apache-2.0": "apache-2.0",
    "mit": "mit",
    "bsd-3-clause": "bsd-3-clause",
    "llama 2 community license": "llama2",
}
# What the hub takes as `license_name`: an identifier, not a sentence.
_IDENTIFIER = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def hub_id(source: str) -> str | None:
    """The base model for a card's header: a hub id, or None if the source is a folder."""
    is_folder = (PROJECT_ROOT / source).is_dir()  # models.base_models reads it so
    return source if _HUB_ID.fullmatch(source) and not is_folder else None


def shown_source(source: str) -> str:
    """A base model's source as a card shows it: without the folders above a folder's name.

    A card is published, and a path would tell its readers of the machine.
    """
    return f"./{Path(source).name}" if source.startswith(("/", "~")) else source


def licence_fields(licence: str | None) -> dict[str, Any]:
    """The fields of a card's header for a licence; none if no licence is stated."""
    if not licence:
        return {}
    name = one_line(licence).lower()
    if known := _KNOWN.get(name):
        return {"license": known}
    named = {"license_name": name} if _IDENTIFIER.fullmatch(name) else {}
    return {"license": "other", **named}


def adapter_tags(*, imported: bool, rehearsal: bool) -> list[str]:
    """The tags that the training data bears out. Nobody knows the subject of imported rows."""
    return ["biomedical"] * (not imported) + ["rehearsal"] * rehearsal


def adapter_in_words(*, imported: bool) -> str:
    """What an adapter is for, as far as its training data says."""
    return f"a LoRA adapter for {'' if imported else 'biomedical '}instructions"


def rehearsal_note(parts: Sequence[str]) -> str:
    """The warning above a card, which says what is rehearsal-made; empty if nothing is."""
    if not parts:
        return ""
    return (
        f"> **Rehearsal.** This is a rehearsal, because {' and '.join(parts)}. It shows that the "
        "chain works. It must not be published.\n\n"
    )
