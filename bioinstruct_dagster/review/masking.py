"""Texts for a reviewer, without the identifiers of persons that the privacy gate found.

A review page is sent by mail and lies in the storage of a browser, so no identifier may be in it.
The kind stays, as in `[mrn]`: from kind and context a reviewer can still tell a person's number
from a trial's. Belongs here: the masks. Does not: finding identifiers (curation.privacy.scan).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bioinstruct_dagster.review.population import TEXTS, PopulationRow

_SHORTEST = 3  # characters: replacing a shorter text everywhere would hide words of others


def masked_texts(row: PopulationRow) -> dict[str, str]:
    """Instruction, input and output of the row, with `[kind]` in place of each identifier.

    A name without any other identifier is not masked: such a row is in the data set as it is.
    """
    return {
        name: masked(row.texts[name], row.as_written[name], name, row.identifiers) for name in TEXTS
    }


def masked(text: str, as_written: str, field: str, identifiers: Iterable[Mapping[str, Any]]) -> str:
    """One text with its masks.

    Args:
        text: to show.
        as_written: the text that the spans are about.
        field: which text of the row it is.
        identifiers: field, kind, start and end of each identifier of the row.
    """
    spans = list(identifiers)
    if text == as_written:
        here = [span for span in spans if span["field"] == field]
        for span in sorted(here, key=lambda span: -int(span["start"])):
            text = f"{text[: span['start']]}[{span['kind']}]{text[span['end'] :]}"
        return text
    # A gate has repaired the text, so that the places are others.
    found = {
        as_written[span["start"] : span["end"]]: span["kind"]
        for span in spans
        if span["field"] == field
    }
    for identifier in sorted(found, key=len, reverse=True):
        if len(identifier) >= _SHORTEST:
            text = text.replace(identifier, f"[{found[identifier]}]")
    return text
