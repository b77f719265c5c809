"""The data set card: the text of `README.md` in the data set folder.

Each statement about the rows is counted from the rows, so that a mixed set is called mixed. Belongs
here: contents, provenance and limits as Markdown. Does not: writing the folder (dataset.build),
counting origins (dataset.origins), or the card of an adapter (training.card).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from bioinstruct_dagster.dataset.origins import RowOrigins, origins_of
from bioinstruct_dagster.dataset.splits import SPLITS, SplitBy
from bioinstruct_dagster.markdown import longest_run, one_line

_PAPER = (
    "Tran H, Yang Z, Yao Z, Yu H. BioInstruct: instruction tuning of large language models for "
    "biomedical natural language processing. JAMIA, 2024. arXiv:2310.19975"
)
_METHOD = (
    f"rows of biomedical instructions, made by the method of BioInstruct ({_PAPER}): an "
    "independent rebuild, not the authors' data"
)
_REPLAYED = (
    "rows that the rehearsal teacher replayed. They are recorded completions, and no language "
    "model wrote them for this set"
)
_REHEARSAL = """\
> **Rehearsal.** {rows} of this set {were} made with the rehearsal teacher, which replays recorded
> completions. They show that the chain works. They must not be published or used to train a model
> for any other purpose.

"""
_REHEARSED_LABELS = """\
> **Recorded labels.** The categories of {rows} are recorded labels, which the rehearsal teacher
> replayed. No language model was asked for them.

"""
_GENERATED_LIMITS = (
    "The outputs of the generated rows are a language model's and were not reviewed by clinicians. "
    "They may be wrong. Not for clinical use. Check the teacher's terms before you publish or "
    "train on them.\n"
)
_REPLAYED_LIMITS = (
    "The outputs of the replayed rows are recorded and were not reviewed by clinicians. They may "
    "be wrong. Not for clinical use.\n"
)
_IMPORTED_LIMITS = (
    "The outputs of the imported rows are those of the imported set. Nobody reviewed them when the "
    "set was imported. They may be wrong. Not for clinical use. Check the license of the imported "
    "set before you publish or train on it.\n"
)
_EXAMPLE_CHARACTERS = 300
# Stages of the funnel that say nothing about imported rows.
_GENERATION_STAGES = frozenset({"seed_tasks", "completions"})


@dataclass(frozen=True)
class Card:
    """The facts on the card that the rows themselves do not hold.

    Attributes:
        teacher: who answered the requests behind the rows, with the number of rows of each.
        template: the prompt templates of these requests.
        seeds_fingerprint: the sha256 of the seed tasks.
        funnel: the rows of the view `funnel` up to the labels.
        gates: a description of each gate, by name.
        split_by: the rule of the splits.
        other_language: the number of rows that are not English, as far as the quality gate can
            tell; None if it was not asked.
        marked: a sentence for each kind of mark that gates left on rows of the set.
    """

    teacher: str
    template: str
    seeds_fingerprint: str
    funnel: Sequence[Mapping[str, Any]] = field(default=())
    gates: Mapping[str, str] = field(default_factory=dict)
    split_by: SplitBy = "instruction"
    other_language: int | None = None
    marked: Sequence[str] = field(default=())


def render_card(
    card: Card, rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, int], fingerprint: str
) -> str:
    """The text of README.md, with the YAML header that `datasets` and the hub read."""
    origins = origins_of(rows)
    header = _header(card, rows, sizes, fingerprint, origins)
    categories = Counter(row["category"] for row in rows)
    funnel = [
        stage
        for stage in card.funnel
        if not (origins.only_imported and stage["stage"] in _GENERATION_STAGES)
    ]
    splits = {split: sizes.get(split, 0) for split in SPLITS}
    title = one_line(header["pretty_name"])
    sections = [
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---\n\n# {title}\n\n",
        _rehearsal(origins),
        _introduction(origins),
        _section("Provenance", _provenance(card, rows, fingerprint, origins)),
        _section(f"Splits, by hash of the {card.split_by.replace('_', ' ')}", splits),
        _section(
            "Categories",
            {name: f"{n} ({n / len(rows):.1%})" for name, n in categories.most_common()},
        ),
        _section("Gates", card.gates) if card.gates else "",
        "## Funnel\n\n| stage | outcome | rows |\n| --- | --- | --- |\n"
        + "".join(f"| {f['stage']} | {f['outcome']} | {f['rows']} |\n" for f in funnel),
        _fields(origins),
        "## Limits\n\n" + _limits(origins, card.marked),
        _example(rows),
    ]
    return "".join(sections)


def _header(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    fingerprint: str,
    origins: RowOrigins,
) -> dict[str, Any]:
    header: dict[str, Any] = {"pretty_name": _name(origins)}
    if not origins.from_import and origins.total and card.other_language == 0:
        header["language"] = ["en"]
    # Nobody knows the subject and the tasks of a set that a user imports.
    tags, tasks = ["instruction-tuning"], ["text-generation"]
    if not origins.only_imported:
        tags = ["biology", "medical", *tags, "synthetic"]
        asked = {row["category"] for row in rows if row["source"] == "completion"}
        tasks += ["question-answering"] * ("question_answering" in asked)
    return header | {
        "task_categories": tasks,
        "size_categories": [_size_category(len(rows))],
        "tags": tags + ["rehearsal"] * bool(origins.replayed),
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*-{fingerprint[:16]}.parquet"}
                    for split in SPLITS
                    if sizes.get(split)  # a pattern without files can't be loaded
                ],
            }
        ],
    }


def _name(origins: RowOrigins) -> str:
    """The name of the set, by where its rows come from."""
    imported = ", ".join(source.name or "a file" for source in origins.imported)
    if origins.only_imported:
        return f"Imported instruction set {imported}"
    name = f"BioInstruct rebuild, mixed with {imported}" if imported else "BioInstruct rebuild"
    if not origins.replayed:
        return name
    return f"{name} ({'rehearsal' if origins.replayed == origins.total else 'partly rehearsal'})"


def _rehearsal(origins: RowOrigins) -> str:
    """What of the set is a rehearsal, with counts; empty if nothing is."""
    note = ""
    if origins.replayed:
        were = "was" if origins.replayed == 1 else "were"
        rows = _of_all(origins.replayed, origins.total)
        note += _REHEARSAL.format(rows=rows[0].upper() + rows[1:], were=were)
    if origins.recorded_labels:
        note += _REHEARSED_LABELS.format(rows=_of_all(origins.recorded_labels, origins.total))
    return note


def _of_all(count: int, total: int) -> str:
    """So many of all rows, as it stands within a sentence."""
    if count < total:
        return f"{count:,} of {total:,} rows"
    return "the only row" if total == 1 else f"all {total:,} rows"


def _introduction(origins: RowOrigins) -> str:
    """How many rows come from where. A set of several origins is called mixed."""
    sets = "; ".join(
        source.in_words() + (f" ({n:,} rows)" if len(origins.imported) > 1 else "")
        for source, n in origins.imported.items()
    )
    parts = [
        (origins.generated, f"{origins.generated:,} {_METHOD}"),
        (origins.replayed, f"{origins.replayed:,} {_REPLAYED}"),
        (origins.from_import, f"{origins.from_import:,} rows, imported from {sets}"),
    ]
    present = [text for count, text in parts if count]
    if len(present) > 1:
        listed = "".join(f"- {text}.\n" for text in present)
        return f"A mixed set of {origins.total:,} rows:\n\n{listed}\n"
    return f"{present[0] if present else 'No rows'}.\n\n"


def _provenance(
    card: Card, rows: Sequence[Mapping[str, Any]], fingerprint: str, origins: RowOrigins
) -> dict[str, str]:
    labellers = Counter(row["labelled_by"] for row in rows)
    facts: dict[str, str] = {}
    if not origins.only_imported:
        facts |= {
            "teacher": card.teacher,
            "prompt template": card.template,
            "seed tasks (sha256)": card.seeds_fingerprint,
        }
        if card.other_language:
            facts["rows that are not English, by the quality gate"] = f"{card.other_language:,}"
    completions = origins.generated + origins.replayed
    named = [f"completion ({completions})"] * bool(completions)
    named += [f"{source.in_words()} ({n})" for source, n in origins.imported.items()]
    return facts | {
        "content (sha256)": fingerprint,
        ("imported from" if origins.only_imported else "sources"): ", ".join(named) or "none",
        "labelled by": ", ".join(f"{name} ({n})" for name, n in labellers.most_common()) or "none",
    }


def _fields(origins: RowOrigins) -> str:
    completion = "the stored reply the row came in"
    rehearsal = "whether the rehearsal teacher replayed the row"
    if origins.only_imported:
        completion, rehearsal = "empty: the rows were imported", "false: the rows were imported"
    elif origins.from_import:
        completion += "; empty if the row was imported"
    return (
        "\n## Fields\n\n`row_id`, `instruction`, `input` (empty where the task needs none), "
        f"`output`, `category`, `labelled_by`, `source`, `completion_id` ({completion}), "
        f"`rehearsal` ({rehearsal}).\n\n"
    )


def _limits(origins: RowOrigins, marked: Sequence[str]) -> str:
    limits = [
        (origins.generated, _GENERATED_LIMITS),
        (origins.replayed, _REPLAYED_LIMITS),
        (origins.from_import, _IMPORTED_LIMITS),
    ]
    told = "\n".join(text for count, text in limits if count) or "There are no rows.\n"
    return told + ("\n" + "".join(f"- {line}\n" for line in marked) if marked else "")


def _section(title: str, facts: Mapping[Any, Any]) -> str:
    return (
        f"## {title}\n\n" + "".join(f"- {name}: {value}\n" for name, value in facts.items()) + "\n"
    )


def _example(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    row = rows[0]
    lines = [
        f"{name}: {row[name]}"[:_EXAMPLE_CHARACTERS] for name in ("instruction", "input", "output")
    ]
    text = "\n".join(lines)
    # Longer than any run of backticks in the text, so that the text can't close the fence.
    fence = "`" * max(3, longest_run(text) + 1)
    return f"\n## Example\n\n{fence}\n{text}\n{fence}\n"


def _size_category(rows: int) -> str:
    """The hub's name for a data set of this many rows."""
    bounds = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for bound, name in bounds.items() if rows < bound), "1M<n<10M")
