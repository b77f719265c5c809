"""The licence of the data set, the terms of who made its texts, and how to cite it.

Belongs here: the names of licences, and the sections on licence and citation. Does not: the user's
choice (settings.publishing), or licences of models (models.card_text).
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.parts import section
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.markdown import code, one_line

# Licences that the hub knows by these names, with their identifiers of SPDX; None without one.
_KNOWN: Mapping[str, str | None] = {
    "afl-3.0": "AFL-3.0",
    "apache-2.0": "Apache-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "cc-by-2.0": "CC-BY-2.0",
    "cc-by-2.5": "CC-BY-2.5",
    "cc-by-3.0": "CC-BY-3.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "cc-by-nd-4.0": "CC-BY-ND-4.0",
    "cc-by-sa-3.0": "CC-BY-SA-3.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc0-1.0": "CC0-1.0",
    "cdla-permissive-1.0": "CDLA-Permissive-1.0",
    "cdla-permissive-2.0": "CDLA-Permissive-2.0",
    "cdla-sharing-1.0": "CDLA-Sharing-1.0",
    "gpl-3.0": "GPL-3.0-only",
    "mit": "MIT",
    "odbl": "ODbL-1.0",
    "odc-by": "ODC-By-1.0",
    "other": None,
    "pddl": "PDDL-1.0",
    "unlicense": "Unlicense",
}
_BY_SPDX = {spdx.lower(): name for name, spdx in _KNOWN.items() if spdx}
_NOT_CHOSEN = (
    "No licence has been chosen for this set. Without a licence, nobody may copy or change it. The "
    "people who publish it choose one (`BIOINSTRUCT_DATASET_LICENCE`)."
)
_TERMS = (
    "The generated rows are outputs of {teacher}. The terms of use of that model's provider, or "
    "the licence of its weights, say what its outputs may be used for. Some terms forbid training "
    "competing models. A licence of this set can't change such terms. Read them before you publish "
    "the rows or train on them."
)
_IMPORTED = (
    "The imported rows are under the licence of {sets}. It is not known here: read it before you "
    "publish the rows or train on them."
)
_PAPER = """\
@article{tran2024bioinstruct,
  title   = {{BioInstruct}: instruction tuning of large language models for biomedical natural \
language processing},
  author  = {Tran, Hieu and Yang, Zhichao and Yao, Zonghai and Yu, Hong},
  journal = {Journal of the American Medical Informatics Association},
  year    = {2024},
  url     = {https://arxiv.org/abs/2310.19975}
}
"""
_SOFTWARE = """\
@software{bioinstruct_dagster,
  title   = {bioinstruct\\_dagster},
  author  = {{The bioinstruct\\_dagster authors}},%s
  license = {MIT}
}
"""
_SET = """\
@misc{dataset_%s,
  title = {%s},%s
  note  = {%s rows; content sha256 %s}
}
"""


def licence_header(licence: str) -> dict[str, Any]:
    """The header's fields for a licence; none if no licence was chosen."""
    if not licence:
        return {}
    name = hub_name(licence)
    if name:
        return {"license": name}
    return {"license": "other", "license_name": licence.lower()}


def hub_name(licence: str) -> str | None:
    """The hub's name of a licence, by its own or SPDX's name; None if the hub knows none."""
    lowered = licence.lower()
    return lowered if lowered in _KNOWN else _BY_SPDX.get(lowered)


def licence_address(licence: str) -> str:
    """The page of SPDX on a licence, or its name as it was given if SPDX has none."""
    spdx = _KNOWN.get(hub_name(licence) or "")
    return f"https://spdx.org/licenses/{spdx}" if spdx else licence


def licence_section(card: Card, origins: RowOrigins) -> str:
    """What the licence is, and which terms hold besides."""
    chosen = f"Licence of this set: {code(card.licence)}." if card.licence else _NOT_CHOSEN
    terms = _TERMS.format(teacher=one_line(_models(card))) if origins.generated else ""
    sets = "; ".join(source.in_words() for source in origins.imported)
    imported = _IMPORTED.format(sets=sets) if origins.imported else ""
    return section("Licence and terms", chosen, terms, imported)


def _models(card: Card) -> str:
    """The models that wrote generated rows."""
    named = dict.fromkeys(
        one.teacher
        for one in card.stored.requests
        if one.purpose == "generation" and not one.rehearsal
    )
    return " and of ".join(code(name) for name in named) or code(card.teacher)


def bibtex_of_set(card: Card, origins: RowOrigins, name: str, fingerprint: str) -> str:
    """The BibTeX entry of the set, without authors, who are not known here."""
    year = max((one.last.year for one in card.stored.requests), default=None)
    dated = f"\n  year  = {{{year}}}," if year else ""
    # A brace or a backslash in a file's name would break the entry.
    title = "".join(" " if sign in "{}\\" else sign for sign in name)
    return _SET % (fingerprint[:12], title, dated, f"{origins.total:,}", fingerprint)


def software_entry(version: str) -> str:
    """The BibTeX entry of this project; without a version if it is empty."""
    return _SOFTWARE % (f"\n  version = {{{version}}}," if version else "")


def citation_section(card: Card, origins: RowOrigins, name: str, fingerprint: str) -> str:
    """BibTeX for the set, and for method and software as far as the rows rest on them."""
    entries = bibtex_of_set(card, origins, name, fingerprint)
    if origins.generated:
        entries += "\n" + _PAPER
    entries += "\n" + software_entry(card.version)
    told = "Add the authors and the address of the set when you publish it."
    if origins.generated:
        told += " The article describes the method. Its authors did not make this set."
    return section("Citation", told, f"```bibtex\n{entries}```")
