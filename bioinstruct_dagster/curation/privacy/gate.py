"""The privacy gate: no row may hold an identifier of a person.

Belongs here: the findings about identifiers, and the redaction of a row's texts. Does not: finding
identifiers (scan). A finding records the kind and the span of an identifier, never its text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from bioinstruct_dagster.curation.gates import TEXT_FIELDS, Decision, Finding, GateResult, RowTexts
from bioinstruct_dagster.curation.privacy.entities.confirmed import pieces_to_read
from bioinstruct_dagster.curation.privacy.entities.language_model import (
    OFF,
    chosen_model,
    entity_spans,
    model_state,
)
from bioinstruct_dagster.curation.privacy.kinds import KINDS, Span
from bioinstruct_dagster.curation.privacy.reader.weights import weights_sha256
from bioinstruct_dagster.curation.privacy.scan import ScanResult, scan
from bioinstruct_dagster.curation.versions import code_version, library_version
from bioinstruct_dagster.store.fingerprints import sha256_of

# Rules of rows that identify nobody; such rows are flagged and kept.
DOUBTFUL_RULES = ("placeholder_person", "possible_date", "possible_identifier")
PrivacyAction = Literal["reject", "redact", "flag", "off"]

# Libraries that affect the findings, although only the code of Presidio imports them.
PRESIDIO_LIBRARIES = ("phonenumbers",)

_VERDICTS: Mapping[str, Decision] = {"reject": "reject", "redact": "repair", "flag": "flag"}


class PrivacyGate:
    """The gate for the identifiers of HIPAA's Safe Harbor rule.

    A name without any other identifier counts as a placeholder, and the row is flagged. A name
    beside another identifier identifies a person.

    Args:
        action: what the gate does about identifiers.
        model: a spaCy model that finds further names and places: its name or folder, "auto" for
            en_core_web_sm if it is installed, "off" for none.

    Raises:
        PrivacyModelError: the model is not installed.
    """

    name = "privacy"

    def __init__(self, action: PrivacyAction = "reject", model: str = OFF) -> None:
        self._action = action
        self._model = chosen_model(model)
        self._model_state = model_state(self._model)
        self._code = code_version("curation.privacy.gate.PrivacyGate")
        indirect = {name: library_version(name) for name in PRESIDIO_LIBRARIES}
        made_of = [self._code, indirect, weights_sha256(), action, self._model_state]
        self.version = _short_hash(made_of)
        self._versions = {kind: _short_hash([kind, *made_of]) for kind in (*KINDS, *DOUBTFUL_RULES)}

        self._without_identifier = GateResult((Finding("no_identifier", self.version, "keep"),))

    @property
    def made_of(self) -> dict[str, Any]:
        """The code, its libraries and word lists, and the settings."""
        return {
            **self._code._asdict(),
            "action": self._action,
            "model": self._model_state,
            "presidio": library_version("presidio_analyzer"),
            "reader": weights_sha256()[:12],
        }

    def check(self, tasks: Sequence[RowTexts]) -> list[GateResult]:
        """A result per task, in their order."""
        if self._action == "off":
            return [GateResult((Finding("off", self.version, "keep"),)) for _ in tasks]
        results: Iterable[ScanResult] = map(scan, tasks)
        if self._model:
            results = self._with_entities(tasks, list(results))
        return [self._result(task, result) for task, result in zip(tasks, results, strict=True)]

    def _result(self, task: RowTexts, result: ScanResult) -> GateResult:
        if any(result.found):
            findings = tuple(self._findings(result.found, _VERDICTS[self._action]))
            return GateResult(findings, self._repairs(task, result.found))
        if any(result.placeholders):
            evidence = {"found": _places(result.placeholders)}
            kinds = {span.kind for spans in result.placeholders for span in spans}
            rule = (
                "placeholder_person"
                if "name" in kinds
                else "possible_date"
                if kinds == {"date"}
                else "possible_identifier"
            )
            return GateResult((Finding(rule, self._versions[rule], "flag", None, evidence),))
        return self._without_identifier

    def _findings(self, found: Sequence[Sequence[Span]], verdict: Decision) -> Iterator[Finding]:
        for kind in KINDS:
            spans = [[span for span in of_field if span.kind == kind] for of_field in found]
            if any(spans):
                score = max(span.score for of_field in spans for span in of_field)
                yield Finding(kind, self._versions[kind], verdict, score, {"found": _places(spans)})

    def _repairs(self, task: RowTexts, found: Sequence[Sequence[Span]]) -> dict[str, str]:
        if self._action != "redact":
            return {}
        return {
            name: redact(text, spans)
            for name, text, spans in zip(TEXT_FIELDS, task, found, strict=True)
            if spans
        }

    def _with_entities(
        self, tasks: Sequence[RowTexts], results: Sequence[ScanResult]
    ) -> list[ScanResult]:
        """The results after the model has read the parts of the texts that may hold more names."""
        pieces = [
            (row, place, begin, text[begin:end])
            for row, (task, result) in enumerate(zip(tasks, results, strict=True))
            for place, text in enumerate(task)
            for begin, end in pieces_to_read(text, whole=any(result.found))
        ]
        seen: dict[int, tuple[list[Span], ...]] = {}
        spans_of_pieces = entity_spans(self._model, (piece[-1] for piece in pieces))
        for (row, place, begin, _), spans in zip(pieces, spans_of_pieces, strict=True):
            if spans:
                of_row = seen.setdefault(row, ([], [], []))
                of_row[place].extend(
                    span._replace(start=begin + span.start, end=begin + span.end) for span in spans
                )
        return [
            scan(task, seen[row]) if row in seen else result
            for row, (task, result) in enumerate(zip(tasks, results, strict=True))
        ]


def redact(text: str, spans: Sequence[Span]) -> str:
    """The text with `<KIND>` in place of each span; spans are sorted and do not overlap."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], f"<{span.kind.upper()}>"]
        end = span.end
    return "".join((*parts, text[end:]))


def _places(spans: Sequence[Sequence[Span]]) -> list[dict[str, Any]]:
    """Kind, field and span of each identifier, without its text."""
    return [
        {"kind": span.kind, "field": name, "start": span.start, "end": span.end}
        for name, of_field in zip(TEXT_FIELDS, spans, strict=True)
        for span in of_field
    ]


def _short_hash(value: Any) -> str:
    return sha256_of(value)[:12]
