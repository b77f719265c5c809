"""The settings of what is given to others.

Belongs here: what a user decides about a published data set or adapter. Does not: how it is sent.
"""

import re

from pydantic import field_validator

from bioinstruct_dagster.settings.fields import SettingsGroup, setting

_IDENTIFIER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.+-]*[A-Za-z0-9+])?")


class PublishingSettings(SettingsGroup):
    """Publishing."""

    dataset_licence: str = setting(
        "",
        "BIOINSTRUCT_DATASET_LICENCE",
        "The licence that you give to your data set. It stands on the card, in `croissant.json` "
        "and on the cards of adapters. It changes no terms of the teacher's provider.",
        unit="identifier of SPDX or of the Hugging Face hub, such as `cc-by-4.0`",
        empty="no licence is chosen, and the card says so",
    )
    verb_model: str = setting(
        "auto",
        "BIOINSTRUCT_VERB_MODEL",
        "A spaCy model that reads root verbs and objects for the data set's figures. `auto` means "
        "en_core_web_sm where it is installed (extra `names`), `off` means word lists.",
        unit="`auto`, `off`, model name or folder",
    )

    @field_validator("dataset_licence")
    @classmethod
    def _check_identifier(cls, value: str) -> str:
        if value and not _IDENTIFIER.fullmatch(value):
            raise ValueError(
                "must be one identifier of SPDX or of the hub, such as cc-by-4.0 or MIT; for a "
                "licence of your own, write other"
            )
        return value
