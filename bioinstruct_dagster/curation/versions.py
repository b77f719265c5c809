"""The version of a gate: a hash of what determines its verdicts besides the rows.

That is its code, the word lists and the versions of the libraries that the code uses, and its
settings. This module finds all but the settings: a gate names the class or function that checks
rows, and every definition that it refers to is followed, through the modules of the gate and those
that gates share. A change of a comment, a docstring or the formatting re-checks nothing, nor does a
change of code that the gate does not use. No number is raised by hand.

Belongs here: which code, word lists and libraries count. Does not: reading source (source_code),
settings and evaluation items (the gate adds them), or the rows that a new version leaves to check
(verdicts).
"""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from bioinstruct_dagster.curation.source_code import (
    PACKAGE,
    Definition,
    Reference,
    module_source,
)
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.store.gate_order import GATE_ORDER

# The modules in which references are followed. What other modules give a gate counts as values,
# such as settings and evaluation items, or is stored under keys of its own, such as replies.
FOLLOWED = (
    *(f"curation.{gate}" for gate in GATE_ORDER),
    "curation.gates",
    "curation.tokens",
    "curation.word_lists",
    "signs",
)
# Libraries that carry rows, read settings or start workers: no verdict depends on their version.
# spaCy counts only where a model is set, so the privacy gate adds it.
CARRIERS = frozenset({"duckdb", "pyarrow", "pydantic", "ray", "spacy", "threadpoolctl", "yaml"})
# Libraries whose package has another name than what is imported.
PACKAGES = {"sklearn": "scikit-learn"}


class CodeVersion(NamedTuple):
    """Of some definitions and all that they refer to.

    Attributes:
        code: hash of their syntax.
        libraries: versions of the libraries that they call, by the name that is imported.
        words: hashes of the word lists that they use, by file.
    """

    code: str
    libraries: dict[str, str]
    words: dict[str, str]


@cache
def code_version(
    *definitions: str, without: frozenset[str] = frozenset(), package: Path = PACKAGE
) -> CodeVersion:
    """The code behind some definitions, and the libraries and word lists that it uses.

    Args:
        definitions: where to begin, such as `curation.privacy.gate.PrivacyGate`.
        without: definitions that have a version of their own and are left out.
        package: the folder of the package's source.

    Raises:
        SourceCodeError: there is no such definition.
    """
    reached = reached_definitions(*definitions, without=without, package=package)
    texts = [[*name, definition.text] for name, definition in sorted(reached.items())]
    libraries = {name for one in reached.values() for name in one.libraries}
    counted = sorted(libraries - CARRIERS - sys.stdlib_module_names)
    words = sorted({path for one in reached.values() for path in one.words})
    return CodeVersion(
        code=sha256_of(texts),
        libraries={name: library_version(name) for name in counted},
        words={path.relative_to(package).as_posix(): _words_sha256(path) for path in words},
    )


@cache
def code_sha256(*definitions: str, without: frozenset[str] = frozenset()) -> str:
    """Hash of the code behind some definitions, and the libraries and word lists that it uses."""
    return sha256_of(code_version(*definitions, without=without))


def reached_definitions(
    *definitions: str, without: frozenset[str] = frozenset(), package: Path = PACKAGE
) -> dict[Reference, Definition]:
    """The definitions, and all that they refer to in the modules that are followed."""
    waiting = [_reference(definition) for definition in definitions]
    left_out = {_reference(definition) for definition in without}
    found: dict[Reference, Definition] = {}
    while waiting:
        here = waiting.pop()
        if here in found or here in left_out or not _is_followed(here.module):
            continue
        found[here] = module_source(package, here.module).definition(here.name)
        waiting += found[here].references
    return found


@cache
def library_version(name: str) -> str:
    """The installed version of a library, by the name that is imported; empty without it."""
    try:
        return version(PACKAGES.get(name, name))
    except PackageNotFoundError:
        return ""


@cache
def _words_sha256(path: Path) -> str:
    """Hash of a file's words; what the file tells its readers about them is left out."""
    import yaml

    lists = yaml.load(path.read_text("utf-8"), yaml.BaseLoader)  # noqa: S506 - makes texts alone
    return sha256_of({name: one["words"] for name, one in lists.items()})


def _reference(definition: str) -> Reference:
    module, _, name = definition.rpartition(".")
    return Reference(module, name)


def _is_followed(module: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in FOLLOWED)
