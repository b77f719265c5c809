"""The data set card: the text of `README.md` in the data set folder.

Belongs here: contents, provenance and limits as Markdown. Does not: writing the folder
(dataset.build), or the card of an adapter (training.card).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from bioinstruct_dagster.dataset.splits import SPLITS

_PAPER = (
    "Tran H, Yang Z, Yao Z, Yu H. BioInstruct: instruction tuning of large language models for "
    "biomedical natural language processing. JAMIA, 2024. arXiv:2310.19975"
)
_REHEARSAL = """\
> **Rehearsal.** This set was made with the embedded rehearsal teacher, which replays recorded
> completions. It shows that the chain works; it is not a product of a language model asked for this
> run, and must not be published or used to train a model for any other purpose.

"""
_EXAMPLE_CHARACTERS = 300


@dataclass(frozen=True)
class Card:
    """The facts on the card that the rows themselves do not hold."""

    teacher: str
    template: str
    seeds_fingerprint: str
    funnel: Sequence[Mapping[str, Any]] = field(default=())
    gates: Mapping[str, str] = field(default_factory=dict)  # a description of each gate, by name
    rehearsal: bool = False


def render_card(
    card: Card, rows: Sequence[Mapping[str, Any]], sizes: Mapping[str, int], fingerprint: str
) -> str:
    """The text of README.md, with the YAML header that `datasets` and the hub read."""
    header: dict[str, Any] = {
        "pretty_name": "BioInstruct rebuild" + (" (rehearsal)" if card.rehearsal else ""),
        "language": ["en"],
        "task_categories": ["text-generation", "question-answering", "summarization"],
        "size_categories": [_size_category(len(rows))],
        "tags": ["biology", "medical", "instruction-tuning", "synthetic"]
        + ["rehearsal"] * card.rehearsal,
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
    categories = Counter(row["category"] for row in rows)
    labellers = Counter(row["labelled_by"] for row in rows)
    sources = Counter(row["source"] for row in rows)
    sections = [
        f"---\n{yaml.safe_dump(header, sort_keys=False)}---\n\n# {header['pretty_name']}\n\n",
        _REHEARSAL if card.rehearsal else "",
        (
            f"{len(rows)} biomedical instructions, made by the method of BioInstruct ({_PAPER}): "
            "an independent rebuild, not the authors' data.\n\n"
        ),
        _section(
            "Provenance",
            {
                "teacher": card.teacher,
                "prompt template": card.template,
                "seed tasks (sha256)": card.seeds_fingerprint,
                "content (sha256)": fingerprint,
                "sources": ", ".join(f"{name} ({n})" for name, n in sources.most_common()),
                "labelled by": ", ".join(f"{name} ({n})" for name, n in labellers.most_common()),
            },
        ),
        _section("Splits, by hash of the instruction", dict(sizes)),
        _section(
            "Categories",
            {name: f"{n} ({n / len(rows):.1%})" for name, n in categories.most_common()},
        ),
        _section("Gates", card.gates) if card.gates else "",
        "## Funnel\n\n| stage | outcome | rows |\n| --- | --- | --- |\n"
        + "".join(f"| {f['stage']} | {f['outcome']} | {f['rows']} |\n" for f in card.funnel),
        (
            "\n## Fields\n\n`row_id`, `instruction`, `input` (empty where the task needs none), "
            "`output`, `category`, `labelled_by`, `source`, `completion_id` (the stored reply the "
            "row came in), `rehearsal`.\n\n"
        ),
        (
            "## Limits\n\nOutputs are a language model's and were not reviewed by clinicians. They "
            "may be wrong. Not for clinical use. Check the teacher's terms before you publish or "
            "train on them.\n"
        ),
        _example(rows),
    ]
    return "".join(sections)


def _section(title: str, facts: Mapping[str, Any]) -> str:
    return (
        f"## {title}\n\n" + "".join(f"- {name}: {value}\n" for name, value in facts.items()) + "\n"
    )


def _example(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    row = rows[0]
    lines = [f"{name}: {row[name]}" for name in ("instruction", "input", "output")]
    return (
        "\n## Example\n\n```\n"
        + "\n".join(line[:_EXAMPLE_CHARACTERS] for line in lines)
        + "\n```\n"
    )


def _size_category(rows: int) -> str:
    """The hub's name for a data set of this many rows."""
    bounds = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
    return next((name for bound, name in bounds.items() if rows < bound), "1M<n<10M")
