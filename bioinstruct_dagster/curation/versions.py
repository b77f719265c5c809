"""The version of a gate: a hash of what determines its verdicts besides the rows.

The hash covers the gate's code, the word lists and library versions that this code uses, and the
gate's settings. This module computes all of it except the settings. A gate names the class or
function that checks rows. Each name in its code is followed to the definition behind it, within the
gate's modules and the modules that gates share. A changed comment, docstring or format changes no
version; neither does code that the gate does not use. Nobody raises a number by hand.

Belongs here: which code, word lists and libraries count. Does not: reading source (source_code),
settings and evaluation items (each gate adds its own), or finding the rows to check again
(verdicts).
"""

import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from bioinstruct_dagster.curation.source_code import (
    PACKAGE_FOLDER,
    Definition,
    Reference,
    module_source,
)
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.store.gate_order import GATE_ORDER

# The modules in which references are followed. Other modules give a gate values that it adds to its
# version (settings, evaluation items), or replies that are stored under keys of their own.
FOLLOWED_MODULES = (
    *(f"curation.{gate}" for gate in GATE_ORDER),
    "curation.gates",
    "curation.tokens",
    "curation.word_lists",
    "sign_beginnings",
    "sign_clauses",
    "signs",
)
# Libraries that carry rows, read settings or start workers: no verdict depends on their versions.
# spaCy counts only if a model is set; then the privacy gate adds its version.
UNCOUNTED_LIBRARIES = frozenset(
    {"duckdb", "pyarrow", "pydantic", "ray", "spacy", "threadpoolctl", "yaml"}
)
# Libraries that are installed under another name than the one that is imported.
DISTRIBUTION_NAMES = {"sklearn": "scikit-learn"}


class CodeVersion(NamedTuple):
    """The version of some definitions and of all code that they refer to.

    Attributes:
        code: the hash of their syntax.
        libraries: the versions of the libraries that they call, by imported name.
        words: the hashes of the word lists that they use, by file.
    """

    code: str
    libraries: dict[str, str]
    words: dict[str, str]


@cache
def code_version(
    *definitions: str, without: frozenset[str] = frozenset(), package: Path = PACKAGE_FOLDER
) -> CodeVersion:
    """The version of some definitions: their code, and the libraries and word lists that it uses.

    Args:
        definitions: the first definitions, such as `curation.privacy.gate.PrivacyGate`.
        without: definitions to leave out, because they have versions of their own.
        package: the folder of the package's source.

    Raises:
        SourceCodeError: a definition does not exist.
    """
    reached = reached_definitions(*definitions, without=without, package=package)
    texts = [[*name, definition.text] for name, definition in sorted(reached.items())]
    libraries = {name for one in reached.values() for name in one.libraries}
    counted_libraries = sorted(libraries - UNCOUNTED_LIBRARIES - sys.stdlib_module_names)
    words = sorted({path for one in reached.values() for path in one.words})
    return CodeVersion(
        code=sha256_of(texts),
        libraries={name: library_version(name) for name in counted_libraries},
        words={path.relative_to(package).as_posix(): _words_sha256(path) for path in words},
    )


@cache
def code_sha256(*definitions: str, without: frozenset[str] = frozenset()) -> str:
    """The hash of what `code_version` returns."""
    return sha256_of(code_version(*definitions, without=without))


def reached_definitions(
    *definitions: str, without: frozenset[str] = frozenset(), package: Path = PACKAGE_FOLDER
) -> dict[Reference, Definition]:
    """The definitions, and all definitions that they refer to in `FOLLOWED_MODULES`."""
    waiting = [_reference(definition) for definition in definitions]
    left_out = {_reference(definition) for definition in without}
    found: dict[Reference, Definition] = {}
    while waiting:
        reference = waiting.pop()
        if reference in found or reference in left_out or not _is_followed(reference.module):
            continue
        found[reference] = module_source(package, reference.module).definition(reference.name)
        waiting += found[reference].references
    return found


@cache
def library_version(name: str) -> str:
    """The installed version of a library, by imported name; empty if it is not installed."""
    try:
        return version(DISTRIBUTION_NAMES.get(name, name))
    except PackageNotFoundError:
        return ""


@cache
def _words_sha256(path: Path) -> str:
    """The hash of the words in a file, without the texts that explain the lists."""
    import yaml

    # Both loaders make texts alone. The one in C, if PyYAML has it, takes a tenth of the time.
    loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    lists = yaml.load(path.read_text("utf-8"), loader)  # noqa: S506
    return sha256_of({name: one["words"] for name, one in lists.items()})


def _reference(definition: str) -> Reference:
    module, _, name = definition.rpartition(".")
    return Reference(module, name)


def _is_followed(module: str) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in FOLLOWED_MODULES)
