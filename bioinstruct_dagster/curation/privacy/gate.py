"""Privacy: no row carries what identifies a person.

Belongs here: the gate, i.e. what is done about identifiers that were found, and how a row's texts
are redacted. Does not: how they are found (scan). What is written down is the kind and the place of
an identifier, never its text.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from bioinstruct_dagster.curation.gates import TEXT_FIELDS, Decision, Finding, GateResult, RowTexts
from bioinstruct_dagster.curation.privacy.kinds import KINDS, Span
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.scan import NOTHING, Entities, Scan, scan
from bioinstruct_dagster.curation.versions import code_version, library_version
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.fingerprints import sha256_of

PrivacyAction = Literal["reject", "redact", "flag", "off"]

# Libraries that decide what is found, though only presidio's own code imports them.
CALLED_BY_PRESIDIO = ("phonenumbers",)

_VERDICTS: Mapping[str, Decision] = {"reject": "reject", "redact": "repair", "flag": "flag"}
# What spaCy's models call persons and places.
_ENTITIES = {
    "PERSON": "name", "PER": "name", "GPE": "location", "LOC": "location", "FAC": "location",
}  # fmt: skip


class PrivacyModelError(StatedError):
    """The language model for names and places can't be used."""


class PrivacyGate:
    """The gate for the identifiers of HIPAA's Safe Harbor rule.

    A name alone is a placeholder, which is flagged; a name beside another identifier identifies.
    With `model`, a spaCy model's name or folder, its names and places are used too.
    """

    name = "privacy"

    def __init__(self, action: PrivacyAction = "reject", model: str = "") -> None:
        self._action = action
        self._model = model
        self._code = code_version("curation.privacy.gate.PrivacyGate")
        indirect = {name: library_version(name) for name in CALLED_BY_PRESIDIO}
        made_of = [self._code, indirect, action, model, _content_of(model)]
        self.version = _short(made_of)
        self._versions = {kind: _short([kind, *made_of]) for kind in (*KINDS, "placeholder_person")}

    @property
    def made_of(self) -> dict[str, Any]:
        """The settings, and what recognises identifiers; and the code."""
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

    def _result(self, task: RowTexts, result: Scan) -> GateResult:
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
            name: redacted(text, spans)
            for name, text, spans in zip(TEXT_FIELDS, task, found, strict=True)
            if spans
        }

    def _entities(self, tasks: Sequence[RowTexts]) -> Iterator[Entities]:
        if not self._model:
            yield from (NOTHING for _ in tasks)
            return
        texts = (text for task in tasks for text in task)
        documents = _loaded(self._model).pipe(texts, batch_size=64)
        for _ in tasks:
            yield tuple(_spans(next(documents)) for _ in TEXT_FIELDS)


def redacted(text: str, spans: Sequence[Span]) -> str:
    """The text with `<KIND>` in the place of each span; the spans are in order and apart."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], f"<{span.kind.upper()}>"]
        end = span.end
    return "".join((*parts, text[end:]))


def _places(spans: Sequence[Sequence[Span]]) -> list[dict[str, Any]]:
    """Kind and span, and nothing of the text."""
    return [
        {"kind": span.kind, "field": name, "start": span.start, "end": span.end}
        for name, of_field in zip(TEXT_FIELDS, spans, strict=True)
        for span in of_field
    ]


def _spans(document: Any) -> list[Span]:
    return [
        Span(_ENTITIES[entity.label_], entity.start_char, entity.end_char, 0.65)
        for entity in document.ents
        if entity.label_ in _ENTITIES
        and not (_ENTITIES[entity.label_] == "location" and is_large(entity.text))
    ]


@cache
def _loaded(model: str) -> Any:
    import spacy

    try:
        return spacy.load(model, exclude=["lemmatizer", "parser", "textcat"])
    except (OSError, ValueError, ImportError) as error:
        raise PrivacyModelError(
            f"The privacy model {model!r} can't be loaded by spaCy ({type(error).__name__})."
            " Give the name of an installed spaCy model or the folder of one, or none for patterns"
            " alone."
        ) from None


def _content_of(model: str) -> str:
    """What tells one state of the model from another, without loading it."""
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
        return _short(content) + version("spacy")
    try:
        return f"{version(model)} {version('spacy')}"
    except (PackageNotFoundError, ValueError):
        raise PrivacyModelError(
            f"The privacy model {model!r} is neither the name of an installed spaCy model nor"
            " a folder with a meta.json. Install it, give another, or give none for patterns alone."
        ) from None


def _short(value: Any) -> str:
    return sha256_of(value)[:12]
