"""The data set card: the text of `README.md` in the data set folder.

Belongs here: contents, provenance and limits as Markdown. Does not: writing the folder
(dataset.build), or the card of an adapter (training.card).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from bioinstruct_dagster.dataset.sources import ImportedSource, imported_sets
from bioinstruct_dagster.dataset.splits import SPLITS, SplitBy

_PAPER = (
    "Tran H, Yang Z, Yao Z, Yu H. BioInstruct: instruction tuning of large language models for "
    "biomedical natural language processing. JAMIA, 2024. arXiv:2310.19975"
)
_REHEARSAL = """\
> **Rehearsal.** This set was made with the embedded rehearsal teacher, which replays recorded
> completions. It shows that the chain works; it is not a product of a language model asked for this
> run, and must not be published or used to train a model for any other purpose.

"""
_REHEARSED_LABELS = """\
> **Rehearsal.** The categories of these rows are recorded labels, which were replayed. They show
> that the chain works; they are not a product of a language model asked for this run.

"""
_GENERATED_LIMITS = (
    "Outputs are a language model's and were not reviewed by clinicians. They may be wrong. Not "
    "for clinical use. Check the teacher's terms before you publish or train on them.\n"
)
_IMPORTED_LIMITS = (
    "The outputs are those of the imported set. Nobody reviewed them when the set was imported. "
    "They may be wrong. Not for clinical use. Check the license of the imported set before you "
    "publish or train on it.\n"
)
_EXAMPLE_CHARACTERS = 300
# Stages of the funnel that say nothing about imported rows.
_GENERATION_STAGES = frozenset({"seed_tasks", "completions"})


@dataclass(frozen=True)
class Card:
    """The facts on the card that the rows themselves do not hold."""

    teacher: str
    template: str
    seeds_fingerprint: str
    funnel: Sequence[Mapping[str, Any]] = field(default=())
    gates: Mapping[str, str] = field(default_factory=dict)  # a description of each gate, by name
    rehearsal: bool = False
    split_by: SplitBy = "instruction"


def render_card(
    card: Card, rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, int], fingerprint: str
) -> str:
    """The text of README.md, with the YAML header that `datasets` and the hub read."""
    imported = imported_sets(rows)
    generated = len(rows) - sum(imported.values())
    only_imported = bool(imported) and not generated
    header = _header(card, rows, sizes, fingerprint, imported)
    categories = Counter(row["category"] for row in rows)
    funnel = [
        stage
        for stage in card.funnel
        if not (only_imported and stage["stage"] in _GENERATION_STAGES)
    ]
    title = _one_line(header["pretty_name"])
    sections = [
        f"---\n{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}---\n\n# {title}\n\n",
        (_REHEARSED_LABELS if only_imported else _REHEARSAL) if card.rehearsal else "",
        _introduction(len(rows), generated, imported),
        _section("Provenance", _provenance(card, rows, fingerprint, imported)),
        _section(f"Splits, by hash of the {card.split_by.replace('_', ' ')}", dict(sizes)),
        _section(
            "Categories",
            {name: f"{n} ({n / len(rows):.1%})" for name, n in categories.most_common()},
        ),
        _section("Gates", card.gates) if card.gates else "",
        "## Funnel\n\n| stage | outcome | rows |\n| --- | --- | --- |\n"
        + "".join(f"| {f['stage']} | {f['outcome']} | {f['rows']} |\n" for f in funnel),
        (
            "\n## Fields\n\n`row_id`, `instruction`, `input` (empty where the task needs none), "
            "`output`, `category`, `labelled_by`, `source`, `completion_id` "
            + (
                "(empty: the rows were imported)"
                if only_imported
                else "(the stored reply the row came in)"
            )
            + ", `rehearsal`.\n\n"
        ),
        "## Limits\n\n" + (_GENERATED_LIMITS if not only_imported else _IMPORTED_LIMITS),
        _example(rows),
    ]
    return "".join(sections)


def _header(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    fingerprint: str,
    imported: Mapping[ImportedSource, int],
) -> dict[str, Any]:
    only_imported = sum(imported.values()) == len(rows) > 0
    name = "BioInstruct rebuild"
    if only_imported:
        name = "Imported instruction set " + ", ".join(source.name for source in imported)
    header: dict[str, Any] = {"pretty_name": name + (" (rehearsal)" if card.rehearsal else "")}
    if not only_imported:
        header["language"] = ["en"]
    # Nobody knows the subject and the tasks of a set that a user imports.
    tags, tasks = ["instruction-tuning"], ["text-generation"]
    if not only_imported:
        tags = ["biology", "medical", *tags]
        tasks += ["question-answering", "summarization"]
    return header | {
        "task_categories": tasks,
        "size_categories": [_size_category(len(rows))],
        "tags": tags + ["synthetic"] * (not only_imported) + ["rehearsal"] * card.rehearsal,
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


def _introduction(rows: int, generated: int, imported: Mapping[ImportedSource, int]) -> str:
    sets = "; ".join(_described(source) for source in imported)
    if imported and not generated:
        return f"{rows} rows, imported from {sets}.\n\n"
    method = (
        f"rows of biomedical instructions, made by the method of BioInstruct ({_PAPER}): an "
        "independent rebuild, not the authors' data."
    )
    if imported:
        return f"{generated} {method} {rows - generated} more were imported from {sets}.\n\n"
    return f"{rows} {method}\n\n"


def _provenance(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    fingerprint: str,
    imported: Mapping[ImportedSource, int],
) -> dict[str, str]:
    labellers = Counter(row["labelled_by"] for row in rows)
    generated = len(rows) - sum(imported.values())
    facts: dict[str, str] = {}
    if generated or not imported:
        facts |= {
            "teacher": card.teacher,
            "prompt template": card.template,
            "seed tasks (sha256)": card.seeds_fingerprint,
        }
    sources = Counter(row["source"] for row in rows if not row["source"].startswith("import:"))
    named = [f"{name} ({n})" for name, n in sources.most_common()]
    named += [f"{_described(source)} ({n})" for source, n in imported.items()]
    return facts | {
        "content (sha256)": fingerprint,
        ("sources" if generated or not imported else "imported from"): ", ".join(named),
        "labelled by": ", ".join(f"{name} ({n})" for name, n in labellers.most_common()),
    }


def _described(source: ImportedSource) -> str:
    """An imported set in words, with its hash or split."""
    name = _code(source.name)
    if source.sha256:
        return f"the file {name} (sha256 begins with {source.sha256})"
    if source.split:
        return f"the data set {name}, split {_code(source.split)}"
    return f"the set {name}"


def _code(text: str) -> str:
    """A text as code on one line, which no character of it can end."""
    ticks = "`" * (_longest_run(text) + 1)
    space = " " if "`" in text else ""
    return f"{ticks}{space}{_one_line(text)}{space}{ticks}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _longest_run(text: str) -> int:
    """The length of the longest run of backticks in a text."""
    return max(map(len, re.findall("`+", text)), default=0)


def _section(title: str, facts: Mapping[str, Any]) -> str:
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
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"\n## Example\n\n{fence}\n{text}\n{fence}\n"


def _size_category(rows: int) -> str:
    """The hub's name for a data set of this many rows."""
    bounds = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for bound, name in bounds.items() if rows < bound), "1M<n<10M")
