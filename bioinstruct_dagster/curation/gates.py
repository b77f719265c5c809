"""What a gate is: it checks a row's texts and says keep, reject, repair or flag, and why.

Belongs here: the types that all gates share. Does not: any rule, the order of the gates
(store.gate_order), their versions (curation.versions), or how verdicts are stored
(curation.verdicts).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, Self

Decision = Literal["keep", "reject", "repair", "flag"]
FIELDS = ("instruction", "input", "output")


class RowTexts(NamedTuple):
    """The texts of a row, as the teacher wrote them."""

    instruction: str
    input: str
    output: str

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """The texts of a row that has more than these."""
        return cls(row["instruction"], row["input"], row["output"])


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of a row: a row of the table `verdicts`.

    Attributes:
        rule: its id; where no rule of the gate had anything to say, the gate's word for that.
        version: of the rule, or of the whole gate where no rule had anything to say.
        verdict: `reject` drops the row, `repair` keeps it with another text, `flag` keeps it and
            shows it, `keep` has nothing against it.
        score: the rule's measure, where it has one.
        evidence: what was seen, as JSON values; never text that a row must not repeat.
    """

    rule: str
    version: str
    verdict: Decision
    score: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate says of one row: at least one finding, and the texts that it puts right."""

    findings: tuple[Finding, ...]
    repairs: Mapping[str, str] = field(default_factory=dict)  # new text by field

    @property
    def rejected(self) -> bool:
        """Whether any rule of the gate drops the row."""
        return any(finding.verdict == "reject" for finding in self.findings)


class Gate(Protocol):
    """A gate that checks each row by itself.

    `version` changes whenever a verdict could: it covers code, libraries, data and settings (see
    curation.versions). Rows that have a verdict of the same version are not checked again.
    """

    name: str
    version: str

    @property
    def made_of(self) -> Mapping[str, Any]:
        """What determines this version: code, settings, data; as JSON values, for the record."""

    def check(self, tasks: Sequence[RowTexts]) -> list[GateResult]:
        """A result per task, in their order."""
