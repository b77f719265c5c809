"""The documents of a data set as they are published: with address, date and version.

These facts are not known before. Only the published copy gets them, so the folder on the disk stays
as `hf_dataset` made it. Belongs here: filling them in. Does not: the documents themselves
(dataset.card), or which files go to the hub (dataset_files).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bioinstruct_dagster.publishing.hub.repository import DEFAULT_BRANCH, HubRepository

_TITLE = re.compile(r"^# .+\n", re.MULTILINE)
_LOCAL_LOADING = re.compile(
    r'load_dataset\("path/to/this/folder"\)(?:  # or the id of the set on the hub)?'
)
_TOLD_TO_AUTHORS = "Add the authors and the address of the set when you publish it."
_ENTRY_OF_SET = re.compile(r"(@misc\{dataset_[0-9a-f]+,\n  title = \{[^}]*\},)")
_FILE_OBJECT = "cr:FileObject"


@dataclass(frozen=True)
class Release:
    """What a publication is called.

    Attributes:
        version: three numbers with points, as Croissant recommends.
        published: the day.
    """

    version: str
    published: date

    @classmethod
    def of_day(cls, day: date, version: str = "") -> "Release":
        """A release with this version; without one, the day is the version: 2026.11.30."""
        return cls(version or f"{day.year}.{day.month}.{day.day}", day)


def earlier_release(croissant: bytes | None, fingerprint: str, version: str) -> Release | None:
    """The release that the repository holds already, if it is of the same rows.

    Then date and version stay, so that the same set pushed again makes no commit.

    Args:
        croissant: the repository's croissant.json; None if it has none.
        fingerprint: of the rows to publish.
        version: that the user chose; empty if none.
    """
    if croissant is None:
        return None
    try:
        document = json.loads(croissant)
        release = Release(
            str(document["version"]), date.fromisoformat(str(document["datePublished"])[:10])
        )
        of_these_rows = fingerprint in document["description"]
    except (ValueError, KeyError, TypeError):  # somebody else's document
        return None
    return release if of_these_rows and version in {"", release.version} else None


def published_card(card: str, to: HubRepository, release: Release) -> str:
    """The card with the address, the day and the version."""
    source = f'"{to.id}"'
    if to.branch != DEFAULT_BRANCH:
        source += f', revision="{to.branch}"'
    told = f"Version {release.version}, published on {release.published.isoformat()}: {to.page}\n"
    card = _TITLE.sub(lambda found: f"{found[0]}\n{told}", card, count=1)
    card = _LOCAL_LOADING.sub(lambda _: f"load_dataset({source})", card)
    return with_address(card.replace(_TOLD_TO_AUTHORS, "The entry names no authors."), to, release)


def with_address(bibtex: str, to: HubRepository, release: Release) -> str:
    """A text whose BibTeX entry of the set has the address and the version."""
    added = f"\n  url   = {{{to.page}}},\n  version = {{{release.version}}},"
    return _ENTRY_OF_SET.sub(lambda found: found[1] + added, bibtex)


def published_croissant(
    document: Mapping[str, Any], to: HubRepository, release: Release
) -> dict[str, Any]:
    """The Croissant description with address, day and version, and files that others can reach."""
    filled = dict(document) | {
        "url": to.page,
        "version": release.version,
        "datePublished": release.published.isoformat(),
        "distribution": [_reachable(one, to) for one in document.get("distribution", [])],
    }
    if "citeAs" in filled:
        filled["citeAs"] = with_address(str(filled["citeAs"]), to, release)
    return filled


def _reachable(one: Mapping[str, Any], to: HubRepository) -> dict[str, Any]:
    if one.get("@type") != _FILE_OBJECT:
        return dict(one)
    return {**one, "contentUrl": to.file_address(str(one["contentUrl"]))}
