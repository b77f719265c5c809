"""The earlier text that a row is most similar to, so that a reviewer can see a repetition.

Every row is shown with such a text, kept or rejected, because a box beside rejected rows only would
tell the reviewer what the filter decided. Belongs here: finding and reading that text. Does not:
the filter's own rule (curation.novelty.rule).
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bioinstruct_dagster.review.masking import masked_texts
from bioinstruct_dagster.review.population import PopulationRow, population_rows
from bioinstruct_dagster.review.sampling import random_number
from bioinstruct_dagster.store.database import Store

# Rows that a row is compared with at most, drawn by their random numbers: a page needs no exact
# nearest row, and comparing 200 rows with 20,000 takes a few seconds of one core.
MOST_COMPARED = 20_000
_SHOWN_CHARACTERS = 400
KEPT = "select row_id, ordinal, instruction from deduplicated_instructions order by ordinal"
SEEDS = "select seed_id, instruction, input from seed_tasks"


@dataclass(frozen=True)
class Neighbour:
    """A text beside a row.

    Attributes:
        what: a seed task, an earlier row, or words of an evaluation item.
        text: shortened; without identifiers.
    """

    what: str
    text: str


def neighbours(store: Store, rows: Mapping[str, PopulationRow], seed: int) -> dict[str, Neighbour]:
    """The text beside each row, by the row's id. The first row of a set may have none.

    Of a row that the novelty gate rejected, it is the text that the gate names. Of a row that the
    contamination gate rejected, it is the words that the row shares with the evaluation item: the
    item itself may not be passed on. Of any other row, it is the most similar instruction of a seed
    or an earlier kept row, by rapidfuzz's ratio of sorted words.
    """
    found: dict[str, Neighbour] = {}
    named: dict[str, str] = {}
    for row_id, row in rows.items():
        if row.gate == "contamination":
            found[row_id] = _shared_words(row)
        elif row.gate == "novelty" and (near := row.evidence.get("nearest_id")):
            named[row_id] = near
    seeds = {row["seed_id"]: row for row in store.rows(SEEDS)}
    others = [row for row_id, row in rows.items() if row_id not in found and row_id not in named]
    named |= _most_similar(store, seeds, others, seed)
    earlier = population_rows(store, set(named.values()) - seeds.keys())
    for row_id, near in named.items():
        if near in seeds:
            found[row_id] = Neighbour("a seed task", _shown(seeds[near]))
        elif near in earlier:
            found[row_id] = Neighbour("an earlier row", _shown(masked_texts(earlier[near])))
    return found


def _shared_words(row: PopulationRow) -> Neighbour:
    item = f"{row.evidence.get('task', 'a task')}, item {row.evidence.get('item', 'unknown')}"
    return Neighbour(f"words shared with {item}", _short(str(row.evidence.get("text", ""))))


def _most_similar(
    store: Store,
    seeds: Mapping[str, Mapping[str, str]],
    rows: Iterable[PopulationRow],
    seed: int,
) -> dict[str, str]:
    """The id of the most similar seed or earlier kept row, for each of these rows."""
    from rapidfuzz import fuzz, process, utils

    kept = store.rows(KEPT)
    if len(kept) > MOST_COMPARED:
        kept.sort(key=lambda row: random_number(seed, "neighbour", row["row_id"]))
        kept = sorted(kept[:MOST_COMPARED], key=lambda row: row["ordinal"])
    names = [*seeds, *(row["row_id"] for row in kept)]
    ready = [utils.default_process(row["instruction"]) for row in (*seeds.values(), *kept)]
    ordinals = [row["ordinal"] for row in kept]
    found = {}
    for row in rows:
        earlier = len(seeds) + bisect_left(ordinals, row.ordinal)
        best = process.extractOne(
            utils.default_process(row.as_written["instruction"]),
            ready[:earlier],
            scorer=fuzz.token_sort_ratio,
        )
        if best is not None:
            found[row.row_id] = names[best[2]]
    return found


def _shown(texts: Mapping[str, str]) -> str:
    parts = [texts["instruction"], texts["input"]]
    return _short("\n".join(part for part in parts if part))


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
