"""The privacy gate: no row may hold an identifier of a person.

Belongs here: the findings about identifiers, and the redaction of a row's texts. Does not: finding
identifiers (scan). A finding records the kind and the span of an identifier, never its text.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from bioinstruct_dagster.curation.gates import TEXT_FIELDS, Decision, Finding, GateResult, RowTexts
from bioinstruct_dagster.curation.privacy.kinds import KINDS, Span
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.scan import NO_ENTITIES, Entities, ScanResult, scan
from bioinstruct_dagster.curation.versions import code_version, library_version
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.fingerprints import sha256_of

PrivacyAction = Literal["reject", "redact", "flag", "off"]

# Libraries that affect the findings, although only the code of Presidio imports them.
PRESIDIO_LIBRARIES = ("phonenumbers",)

_VERDICTS: Mapping[str, Decision] = {"reject": "reject", "redact": "repair", "flag": "flag"}
# The labels of spaCy's models for persons and places, and the kind of each.
_ENTITIES = {
    "PERSON": "name", "PER": "name", "GPE": "location", "LOC": "location", "FAC": "location",
}  # fmt: skip


class PrivacyModelError(StatedError):
    """The language model for names and places can't be used; the message says why."""


class PrivacyGate:
    """The gate for the identifiers of HIPAA's Safe Harbor rule.

    A name without any other identifier counts as a placeholder, and the row is flagged. A name
    beside another identifier identifies a person.

    Args:
        action: what the gate does about identifiers.
        model: name or folder of a spaCy model that finds further names and places; empty for none.
    """

    name = "privacy"

    def __init__(self, action: PrivacyAction = "reject", model: str = "") -> None:
        self._action = action
        self._model = model
        self._code = code_version("curation.privacy.gate.PrivacyGate")
        indirect = {name: library_version(name) for name in PRESIDIO_LIBRARIES}
        made_of = [self._code, indirect, action, model, _model_state(model)]
        self.version = _short_hash(made_of)
        self._versions = {
            kind: _short_hash([kind, *made_of]) for kind in (*KINDS, "placeholder_person")
        }

    @property
    def made_of(self) -> dict[str, Any]:
        """The code, its libraries and word lists, and the settings."""
        return {
            **self._code._asdict(),
            "action": self._action,
            "model": self._model,
            "presidio": library_version("presidio_analyzer"),
        }

    def check(self, tasks: Sequence[RowTexts]) -> list[GateResult]:
        """A result per task, in their order."""
        if self._action == "off":
            return [GateResult((Finding("off", self.version, "keep"),)) for _ in tasks]
        return [
            self._result(task, scan(task, entities))
            for task, entities in zip(tasks, self._entities(tasks), strict=True)
        ]

    def _result(self, task: RowTexts, result: ScanResult) -> GateResult:
        if any(result.found):
            findings = tuple(self._findings(result.found, _VERDICTS[self._action]))
            return GateResult(findings, self._repairs(task, result.found))
        if any(result.placeholders):
            evidence = {"found": _places(result.placeholders)}
            rule = "placeholder_person"
            return GateResult((Finding(rule, self._versions[rule], "flag", None, evidence),))
        return GateResult((Finding("no_identifier", self.version, "keep"),))

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

    def _entities(self, tasks: Sequence[RowTexts]) -> Iterator[Entities]:
        if not self._model:
            yield from (NO_ENTITIES for _ in tasks)
            return
        texts = (text for task in tasks for text in task)
        documents = _language_model(self._model).pipe(texts, batch_size=64)
        for _ in tasks:
            yield tuple(_entity_spans(next(documents)) for _ in TEXT_FIELDS)


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


def _entity_spans(document: Any) -> list[Span]:
    return [
        Span(_ENTITIES[entity.label_], entity.start_char, entity.end_char, 0.65)
        for entity in document.ents
        if entity.label_ in _ENTITIES
        and not (_ENTITIES[entity.label_] == "location" and is_large(entity.text))
    ]


@cache
def _language_model(model: str) -> Any:
    import spacy

    try:
        return spacy.load(model, exclude=["lemmatizer", "parser", "textcat"])
    except (OSError, ValueError, ImportError) as error:
        raise PrivacyModelError(
            f"BIOINSTRUCT_PRIVACY_MODEL: spaCy can't load {model!r} ({type(error).__name__})."
            " Set it to the name of an installed spaCy model or to the folder of one, or leave it"
            " empty to use patterns alone."
        ) from None


def _model_state(model: str) -> str:
    """A text that changes with the model's files or version; the model is not loaded."""
    if not model:
        return ""
    folder = Path(model)
    if (folder / "meta.json").is_file():
        sizes = [
            f"{file.relative_to(folder)} {file.stat().st_size}"
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        ]
        content = "\n".join((folder.joinpath("meta.json").read_text("utf-8"), *sizes))
        return _short_hash(content) + version("spacy")
    try:
        return f"{version(model)} {version('spacy')}"
    except (PackageNotFoundError, ValueError):
        raise PrivacyModelError(
            f"BIOINSTRUCT_PRIVACY_MODEL: {model!r} is neither the name of an installed spaCy model"
            " nor a folder with a meta.json. Install the model, name another one, or leave the"
            " setting empty to use patterns alone."
        ) from None


def _short_hash(value: Any) -> str:
    return sha256_of(value)[:12]
