"""The types that all gates share. A gate checks a row's texts: keep, reject, repair or flag.

Belongs here: a row's texts, a finding, a gate's result, the protocol of a gate. Does not: any rule,
the order of the gates (store.gate_order), their versions (curation.versions), or how verdicts are
stored (curation.verdicts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

Decision = Literal["keep", "reject", "repair", "flag"]
TEXT_FIELDS = ("instruction", "input", "output")


class RowTexts(NamedTuple):
    """The three texts of a row, as a teacher or an imported set wrote them."""

    instruction: str
    input: str
    output: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "RowTexts":
        """The texts of a row that may have more columns; its `source` says if it was imported."""
        kind = ImportedTexts if row.get("source", "").startswith("import:") else RowTexts
        return kind(row["instruction"], row["input"], row["output"])

    @property
    def imported(self) -> bool:
        """Whether the row is of an imported set, so that no teacher generated it."""
        return isinstance(self, ImportedTexts)


class ImportedTexts(RowTexts):
    """The three texts of an imported row. As a tuple they equal the same texts of a teacher."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one rule on one row. It becomes a row of the table `verdicts`.

    Attributes:
        rule: the rule's id. If no rule fired, the gate's name for a row without fault.
        version: the rule's version, or the gate's version if no rule fired.
        verdict: `reject` drops the row, `repair` keeps it with a corrected text, `flag` keeps it
            and marks it for readers, `keep` has no objection.
        score: the number that the rule measured, if it measures one.
        evidence: what the rule found, as JSON values; never text that a row must not repeat.
    """

    rule: str
    version: str
    verdict: Decision
    score: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of one gate on one row: at least one finding, and the texts that it corrects."""

    findings: tuple[Finding, ...]
    repairs: Mapping[str, str] = field(default_factory=dict)  # corrected text by field

    @property
    def rejected(self) -> bool:
        """Whether any finding drops the row."""
        return any(finding.verdict == "reject" for finding in self.findings)


class Gate(Protocol):
    """A gate that checks each row by itself.

    `version` changes whenever a verdict could change: it covers code, libraries, data and settings
    (see curation.versions). A row that has a verdict of this version is not checked again.
    """

    name: str
    version: str

    @property
    def made_of(self) -> Mapping[str, Any]:
        """What the version is computed from: code, settings and data, as JSON values."""

    def check(self, rows: Sequence[RowTexts]) -> list[GateResult]:
        """One result per row, in the order of the rows."""
