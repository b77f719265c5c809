"""`datasheet.md`: a data sheet in the order of Gebru et al. (2021), answered from measurements.

A question that only people can answer is marked, and nothing is invented for it. Belongs here: the
questions, in our words, and their answers. Does not: the figures themselves, which the card shows
(card.render).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.parts import dollars, percent
from bioinstruct_dagster.dataset.card.render import is_english, set_name
from bioinstruct_dagster.dataset.card.sections.origin import rehearsal_notes
from bioinstruct_dagster.dataset.card.statistics import TextStatistics
from bioinstruct_dagster.dataset.origins import RowOrigins, origins_of
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.markdown import code, one_line

OPEN = "**[to be answered by the people who publish this set]**"
_HEAD = """\
# Data sheet: {name}

The questions follow "Datasheets for Datasets" (Gebru et al., Communications of the ACM, 2021), in \
our words. Answers come from measurements. {open} questions are left to people, and marked. Tables \
are on the card (`README.md`).

"""


def render_datasheet(
    card: Card,
    rows: Sequence[Mapping[str, Any]],
    sizes: Mapping[str, int],
    fingerprint: str,
    measured: TextStatistics | None,
) -> str:
    """The data sheet as Markdown.

    Args:
        card: what the rows do not hold.
        rows: of all splits.
        sizes: the number of rows by split.
        fingerprint: of the content.
        measured: on the rows; None if there are none.
    """
    origins = origins_of(rows)
    sections: dict[str, dict[str, str]] = {
        "Motivation": {
            "For what purpose was the set made?": OPEN,
            "Who made it, and for whom?": OPEN,
            "Who paid for it?": OPEN + _cost(card),
        },
        "Composition": _composition(card, sizes, origins, measured),
        "Collection": _collection(card, origins),
        "Preprocessing and labels": _preprocessing(card, rows),
        "Uses": {
            "What has the set been used for?": OPEN,
            "What should it not be used for?": "Clinical decisions: its outputs may be wrong."
            + (" A rehearsal must not be published or used at all." if origins.replayed else ""),
        },
        "Distribution": {
            "Under which licence is it given away?": f"{code(card.licence)}."
            if card.licence
            else f"No licence has been chosen yet. {OPEN}",
            "Do terms of others hold?": _terms(origins),
            "When and where is it given away?": OPEN,
        },
        "Maintenance": {
            "Who maintains it, and how can they be reached?": OPEN,
            "How can an error be reported, and a row be removed?": OPEN,
            "Will it be updated?": f"{OPEN} A version is identified by the sha256 of its content: "
            f"`{fingerprint}`. A row keeps its `row_id` and its split in later versions.",
        },
    }
    texts = [
        f"## {title}\n\n" + "".join(f"### {asked}\n\n{said}\n\n" for asked, said in answers.items())
        for title, answers in sections.items()
    ]
    left = sum(OPEN in said for answers in sections.values() for said in answers.values())
    head = _HEAD.format(name=one_line(set_name(origins)), open=left) + rehearsal_notes(origins)
    return (head + "".join(texts)).rstrip("\n") + "\n"


def _cost(card: Card) -> str:
    paid = [one.usd for one in card.stored.requests if not one.rehearsal and one.usd is not None]
    return f" The replies of teachers cost {dollars(sum(paid))}." if paid else ""


def _composition(
    card: Card,
    sizes: Mapping[str, int],
    origins: RowOrigins,
    measured: TextStatistics | None,
) -> dict[str, str]:
    present = [f"{name} {sizes[name]:,}" for name in SPLITS if sizes.get(name)]
    splits = ", ".join(present) or "none"
    without = percent(measured.shares["empty_input"]) if measured else "none"
    language = (
        "English, as far as the quality gate can tell."
        if is_english(card, origins)
        else "Not known for all rows."
    )
    return {
        "What is a row?": "An instruction, an input, which may be empty, and an output.",
        "How many rows are there, and where do they come from?": f"{origins.sentence()}.",
        "Is it a sample of a larger set?": "It holds the rows that passed all gates. The card "
        "shows how many raw rows there were, and why others were rejected.",
        "Is anything missing?": f"{without} of the rows have no input.",
        "In which language are the texts?": language,
        "Are there recommended splits?": f"Yes, by hash of the {card.split_by.replace('_', ' ')}: "
        f"{splits}.",
        "Are there known errors?": _errors(card),
        "Does it depend on anything outside?": "No. All texts are in the files.",
        "Does it hold data about people?": _people(card),
    }


def _errors(card: Card) -> str:
    told = " ".join(one_line(line) for line in card.marked)
    reviewed = "People reviewed a sample; the card says what they found." if card.review else (
        "No person reviewed the rows, so the share of wrong outputs is not known."
    )  # fmt: skip
    return f"{told} {reviewed}".strip()


def _people(card: Card) -> str:
    gate = card.stored.privacy
    if not gate.settings or gate.action == "off":
        return "Not known: the rows were not checked for identifiers of persons."
    return (
        f"A gate read {number_of(gate.checked, 'raw row')} for identifiers of persons and rejected "
        f"{gate.rejected_rows:,}. It may have missed some, so a kept row may hold one."
    )


def _collection(card: Card, origins: RowOrigins) -> dict[str, str]:
    asked = [one for one in card.stored.requests if one.purpose == "generation"]
    found = {}
    if origins.generated or origins.replayed:
        seeds = number_of(card.stored.seeds, "seed task")
        found["How were the rows collected?"] = (
            f"Each request showed a few of {seeds} to the teacher and asked for new tasks. Who "
            f"answered: {one_line(card.teacher)}. The card shows the prompt."
        )
        found["Who wrote the seed tasks, and from which sources?"] = OPEN
    if origins.from_import:
        sets = "; ".join(source.in_words() for source in origins.imported)
        found["Where do imported rows come from?"] = f"{sets}. How they were made: {OPEN}"
    days = sorted({day.date().isoformat() for one in asked for day in (one.first, one.last)})
    if days:
        found["When were they collected?"] = (
            f"On {days[0]}." if len(days) == 1 else f"From {days[0]} to {days[-1]}."
        )
    found["Did an ethics board look at it, and did persons concerned agree?"] = OPEN
    return found


def _preprocessing(card: Card, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    gates = "; ".join(card.gates) or "none is known"
    labelled = Counter(row["labelled_by"] for row in rows).most_common()
    named = ", ".join(f"{name} ({count:,})" for name, count in labelled) or "nobody"
    return {
        "How were rows filtered or changed?": f"By these gates, in this order: {gates}.",
        "Were the raw rows kept?": "Yes, in the store of the people who made the set: every reply, "
        "every raw row, and why it was rejected. They are not part of this folder.",
        "Who labelled the rows?": f"Categories by {named}.",
        "Is the software available?": "It is bioinstruct-dagster"
        + (f" {card.version}." if card.version else "."),
    }


def _terms(origins: RowOrigins) -> str:
    told = []
    if origins.generated:
        told.append("The terms of the teacher's provider hold for generated rows.")
    if origins.from_import:
        told.append("The licence of the imported set holds for imported rows.")
    return " ".join(told) or "None is known."
