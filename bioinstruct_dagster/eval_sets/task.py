"""One evaluation task as its YAML file declares it.

The name of the file is the name of the task. docs/evaluation.md shows a complete example.

Belongs here: the fields of the file and what they may hold. Does not: reading the folder of files
(catalogue), paths into an item (field_paths), or how answers are scored (scoring).
"""

import re
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.eval_sets.field_paths import FieldPath
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring, Scoring, SpanScoring, TextScoring
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import Identifier, NonEmptyText, StrictModel, text_of_form
from bioinstruct_dagster.yaml_lines import Place

QUESTION, CONTEXT, OPTIONS = "{question}", "{context}", "{options}"
PLACEHOLDERS = (QUESTION, CONTEXT, OPTIONS)
_PLACEHOLDER = re.compile(r"\{\w+\}")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_BRACKETS = re.compile(r"\[(?:!.|[^!])[^\]]*\]")  # a set of characters in a pattern
_LAST_PLACE = 1_000

_Faults = list[tuple[Place, str]]


class ChoiceField(StrictModel):
    """An answer that is one of the options, by its letter or its place.

    Attributes:
        letter: the path to the letter.
        index: the path to the number.
        first: the number of the first option.
    """

    letter: FieldPath | None = None
    index: FieldPath | None = None
    first: Annotated[int, Field(ge=0, le=1)] = 0

    @pydantic.model_validator(mode="after")
    def _check_one_field(self) -> "ChoiceField":
        if (self.letter is None) == (self.index is None):
            raise ValueError("must have either `letter` or `index`; give one of them")
        return self


class ClusterField(StrictModel):
    """What items share, as the beginning of a field.

    Attributes:
        field: the path to the field, such as an identifier.
        until: the sign that ends the beginning, such as `_` in `3708949_1`.
    """

    field: FieldPath
    until: Annotated[str, Field(min_length=1)]


class SpanListField(StrictModel):
    """Right spans as a list of objects, each with a text and a label.

    Attributes:
        each: the path to the objects; it ends with `[]`.
        text: the path to the text, inside an object.
        label: the path to the label, inside an object.
    """

    each: FieldPath
    text: FieldPath
    label: FieldPath


class ItemFields(StrictModel):
    """Which fields of a row are the question, the answer and so on.

    Attributes:
        id: the identifier of an item. If a row has none, file and line identify it.
        question: the text that the model is asked about.
        answer: the answer in words, or the option that is right.
        options: the choices: one field with a list or an object, or a list of fields.
        context: passages that come with the question.
        gold: the right option: one of the scoring's `labels`, an option's text, or an option by its
            letter or place. Not needed if `answer` names the option.
        spans: by label, the path to the right spans with this label.
        span_list: the right spans, if they are a list of objects.
        cluster: what items share, such as a passage or a trial. Items that share a value form a
            cluster. A path may lead to several values.
    """

    id: FieldPath = "id?"
    question: FieldPath
    answer: FieldPath | ChoiceField | None = None
    options: FieldPath | tuple[FieldPath, ...] | None = None
    context: FieldPath | None = None
    gold: FieldPath | ChoiceField | None = None
    spans: dict[str, FieldPath] = Field(default_factory=dict)
    span_list: SpanListField | None = None
    cluster: FieldPath | ClusterField | None = None

    @property
    def right_option(self) -> FieldPath | ChoiceField | None:
        """The field that says which option is right."""
        return self.gold or (self.answer if isinstance(self.answer, ChoiceField) else None)

    @pydantic.model_validator(mode="after")
    def _check_options(self) -> "ItemFields":
        FieldFaultsError.refuse(
            ((name,), "picks an option, but the task has no `options`; add them")
            for name in ("answer", "gold")
            if isinstance(getattr(self, name), ChoiceField) and self.options is None
        )
        return self


class HubSource(StrictModel):
    """A data set of the Hugging Face hub, pinned to a commit.

    Attributes:
        id: `owner/name`.
        revision: the commit. A branch's or tag's name would let the items change unseen.
        config: of the data set; None if it has one alone.
        split: whose items are evaluated.
        fields: of the hub's rows, if they differ from those of the files.
    """

    id: Annotated[
        str, text_of_form(r"[\w.-]+/[\w.-]+", "is no data set of the hub, such as owner/name")
    ]
    revision: Annotated[
        str,
        text_of_form(
            "[0-9a-f]{40}", "is no commit; give its 40 digits, so that items can't change"
        ),
    ]
    config: NonEmptyText | None = None
    split: NonEmptyText
    fields: ItemFields | None = None


class TaskSource(StrictModel):
    """Where the items come from.

    Attributes:
        files: patterns relative to the evaluation folder. They name evaluation files alone: a
            training split exists to be trained on.
        format: of the files; by default, the ending of a name says it.
        rows: where a .json file keeps its items; by default, the file is the list of items.
        where: which items are scored: by path, the values that an item may have there. All items
            count for decontamination.
        hub: the data set that is used if no file is at hand.
        licence: of the data.
        credentialed: whether one must apply for the data.
        redistributable: whether the licence lets everyone pass items on. Only then a report shows
            some of them.
    """

    files: tuple[str, ...] = Field(min_length=1)
    format: Literal["jsonl", "json", "csv", "parquet"] | None = None
    rows: FieldPath | None = None
    where: dict[FieldPath, tuple[str, ...]] = Field(default_factory=dict)
    hub: HubSource | None = None
    licence: NonEmptyText
    credentialed: bool
    redistributable: bool = False

    @pydantic.field_validator("files")
    @classmethod
    def _check_patterns(cls, files: tuple[str, ...]) -> tuple[str, ...]:
        FieldFaultsError.refuse(
            ((at,), f"{pattern!r} {fault}")
            for at, pattern in enumerate(files)
            if (fault := _pattern_fault(pattern))
        )
        return files


class TaskPrompt(StrictModel):
    """What the model is asked. The base model's prompt template frames both texts.

    A paragraph of `input` that holds `{context}` is left out if an item has no passage.

    Attributes:
        instruction: the same for all items.
        input: the template of the input, with `{question}` and, as needed, `{context}` and
            `{options}`.
        prior: the input without the item's question and passages. The log-likelihood of an option
            after this prompt is what its words are worth by themselves.
        passage: which text is cut in its middle if a prompt does not fit into the model's context.
            The other texts are never cut.
    """

    instruction: NonEmptyText
    input: NonEmptyText
    prior: NonEmptyText | None = None
    passage: Literal["context", "question"] = "context"

    @pydantic.model_validator(mode="after")
    def _check_placeholders(self) -> "TaskPrompt":
        faults: _Faults = []
        for name, text, known in (
            ("instruction", self.instruction, ()),
            ("input", self.input, PLACEHOLDERS),
            ("prior", self.prior or "", (OPTIONS,)),
        ):
            for found in dict.fromkeys(_PLACEHOLDER.findall(text)):
                if found not in known:
                    allowed = f"use {', '.join(known)}" if known else "it has no placeholders"
                    faults.append(((name,), f"holds {found}, which is not known here; {allowed}"))
                elif text.count(found) > 1:
                    faults.append(((name,), f"holds {found} more than once; write it once"))
        if QUESTION not in self.input:
            faults.append((("input",), f"must hold {QUESTION}; write it where the question goes"))
        FieldFaultsError.refuse(faults)
        return self


class TaskFile(StrictModel):
    """The content of a task's file.

    Attributes:
        version: raise it if the same items would be asked or scored in another way.
        place: of the task in reports; tasks without a place follow by name.
        what: what the task is.
        category: of the averages.
        origin: of the nine tasks that the paper names: `recalled` from memory or `confirmed` by the
            paper's text. `own`: none of the nine.
        stands_in_for: the task of which this one is the substitute.
        source: of the items.
        fields: of a row.
        prompt: what the model is asked.
        scoring: how answers are scored.
        fixture: the file of small original items for the embedded model, in `fixtures/`.
    """

    version: Annotated[int, Field(ge=1)]
    place: Annotated[int, Field(ge=1, le=_LAST_PLACE)] = _LAST_PLACE
    what: NonEmptyText
    category: Literal["question_answering", "extraction", "generation"]
    origin: Literal["recalled", "confirmed", "own"] = "own"
    stands_in_for: Identifier | None = None
    source: TaskSource
    fields: ItemFields
    prompt: TaskPrompt
    scoring: Scoring
    fixture: NonEmptyText | None = None

    @pydantic.model_validator(mode="after")
    def _check_scoring(self) -> "TaskFile":
        faults: _Faults = []
        hub = self.source.hub
        for place, fields in (
            (("fields",), self.fields),
            (("source", "hub", "fields"), hub.fields if hub else None),
        ):
            if fields is not None:
                faults += [((*place, *at), said) for at, said in _scoring_faults(self, fields)]
        faults += _prompt_faults(self.prompt, self.scoring)
        if self.stands_in_for and self.origin != "own":
            message = "a substitute is none of the paper's tasks; write own"
            faults.append((("origin",), message))
        if self.fixture and Path(self.fixture).name != self.fixture:
            faults.append((("fixture",), "must be a file's name without a folder"))
        FieldFaultsError.refuse(faults)
        return self


class EvaluationTask(TaskFile):
    """A task with its name, which is that of its file without the ending."""

    name: Identifier


def _scoring_faults(task: TaskFile, fields: ItemFields) -> _Faults:
    """What is missing in the fields for the scoring."""
    scoring, faults = task.scoring, _Faults()
    if isinstance(scoring, ChoiceScoring):
        if fields.right_option is None:
            faults.append((("gold",), "missing; add the field that says which option is right"))
        if (fields.options is None) == (not scoring.labels):
            message = "give either the items' own `options`, or `labels` in `scoring`"
            faults.append((("options",), message))
    elif isinstance(scoring, SpanScoring):
        if bool(fields.spans) == (fields.span_list is not None):
            message = "give the right spans, either in `spans` or in `span_list`"
            faults.append((("spans",), message))
        known = set(scoring.labels)
        faults += [
            (("spans", label), f"is no label of `scoring` ({', '.join(scoring.labels)})")
            for label in fields.spans
            if label not in known
        ]
    elif not isinstance(fields.answer, str):
        faults.append((("answer",), "must be the path to the reference text"))
    return faults


def _prompt_faults(
    prompt: TaskPrompt, scoring: ChoiceScoring | SpanScoring | TextScoring
) -> _Faults:
    faults = _Faults()
    place = ("prompt", "input")
    if not isinstance(scoring, ChoiceScoring):
        if OPTIONS in prompt.input:
            faults.append((place, f"holds {OPTIONS}, but the task has no options; remove it"))
        if prompt.prior is not None:
            faults.append((("prompt", "prior"), "is for a choice among options alone; remove it"))
        return faults
    if prompt.prior is None:
        message = "missing; write the input without the item's question"
        faults.append((("prompt", "prior"), message))
    if OPTIONS not in prompt.input:
        if scoring.options == "letters":
            faults.append((place, f"must hold {OPTIONS}, because the answer is a letter"))
        elif scoring.orders > 1:
            message = f"must be 1, because the prompt does not show {OPTIONS}"
            faults.append((("scoring", "orders"), message))
    return faults


def _pattern_fault(pattern: str) -> str:
    """Why a pattern can match no file of the evaluation folder; empty if it can match one."""
    parts = Path(pattern).parts
    faults = {
        "must be relative to the evaluation folder, without ..": (
            not parts or Path(pattern).is_absolute() or ".." in parts
        ),
        "begins with ~, which is not read as the home folder; name a file of the evaluation "
        "folder": pattern.startswith("~"),
        "holds a control character; remove it": _CONTROL_CHARACTER.search(pattern),
        "has blanks around it; remove them": pattern != pattern.strip(),
        "matches folders only; name the files in them, as in **/*.jsonl": (
            pattern.endswith("/") or parts[-1:] == ("**",)
        ),
        "has ** beside other characters; write *, or ** between two /, as in **/*.jsonl": any(
            "**" in part and part != "**" for part in parts
        ),
        "has a [ without its ]; close it, or write [[] for the character [": any(
            "[" in _BRACKETS.sub("", part) for part in parts
        ),
    }
    return next((fault for fault, applies in faults.items() if applies), "")
