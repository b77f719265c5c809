"""Where a row of the data set comes from: a completion, or an imported set.

A row's source is `completion`, or `import:` with the name of the set: of a file with the beginning
of its sha256, or of a data set on the hub with its split. Earlier versions of the project stored
the path of a file. The files of the data set hold a source without the name of a file.

Belongs here: reading a source, its public form without any folder, and its words. Does not:
counting origins (origins), the text of the card (card), or importing (generation).
"""

import re
from dataclasses import dataclass

from bioinstruct_dagster.markdown import code

IMPORT = "import:"
_NAMELESS = re.compile(r"import(?:@(?P<hash>[0-9a-f]{12}))?")
_HASH = re.compile(r"(?P<name>.+)@(?P<hash>[0-9a-f]{12})", re.DOTALL)
_FILE_SUFFIXES = (".json", ".jsonl", ".csv", ".parquet", ".tsv", ".gz", ".zip")
# Two names and a slash, such as `owner/name`; then perhaps a split.
_HUB = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<split>[\w.\[\]:%+-]+))?")


@dataclass(frozen=True)
class ImportedSource:
    """An imported set: the name of a file or a data set on the hub.

    Attributes:
        name: without any folder; empty if the files of a data set are read, which hold none.
        sha256: the first 12 hex digits of a file's content, if the source holds them.
        split: of a data set on the hub, if the source holds it.
    """

    name: str
    sha256: str | None = None
    split: str | None = None

    def __str__(self) -> str:
        suffix = self.sha256 or self.split
        return f"{IMPORT}{self.name}" + (f"@{suffix}" if suffix else "")

    def in_words(self) -> str:
        """The set in words, with its hash or split. The name is code that can't break a line."""
        begins = f" (sha256 begins with {self.sha256})" if self.sha256 else ""
        if not self.name:
            return f"a file{begins}"
        name = code(self.name)
        if self.sha256:
            return f"the file {name}{begins}"
        if self.split:
            return f"the data set {name}, split {code(self.split)}"
        return f"the set {name}"


def imported_source(source: str) -> ImportedSource | None:
    """The imported set that a row's source names; None for a completion."""
    if nameless := _NAMELESS.fullmatch(source):
        return ImportedSource("", sha256=nameless["hash"])
    if not source.startswith(IMPORT):
        return None
    named = source.removeprefix(IMPORT)
    if found := _HASH.fullmatch(named):
        return ImportedSource(_file_name(found["name"]), sha256=found["hash"])
    hub = _HUB.fullmatch(named)
    if hub and not hub["name"].startswith(".") and not hub["name"].endswith(_FILE_SUFFIXES):
        return ImportedSource(hub["name"], split=hub["split"])
    return ImportedSource(_file_name(named))


def content_source(source: str) -> str:
    """The source as the data set's files hold it: of a file, its hash without its name.

    So a file that is moved or renamed gives the same bytes. The card names it.
    """
    imported = imported_source(source)
    if imported is None:
        return source
    if imported.sha256:
        return f"import@{imported.sha256}"
    return str(imported) if _HUB.fullmatch(imported.name) else "import"


def _file_name(path: str) -> str:
    """The last part of a path of any system."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path
