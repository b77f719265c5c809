"""A small data set with a licence in a test's store and folder, by no rehearsal unless asked.

Belongs here: what the tests of publishing share. Does not: what they assert.
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.dataset.build import BuiltDataset, build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.dataset.placing import place

LICENCE = "cc-by-4.0"
ROWS = 30


def made_rows(count: int = ROWS, **changed: Any) -> list[dict[str, Any]]:
    """Rows of a teacher."""
    return [
        {
            "row_id": f"row-{number:05d}",
            "instruction": f"Name organ {number} of the body, and what it does.",
            "input": f"Case {number}." if number % 2 else "",
            "output": f"Organ {number} keeps its owner alive.",
            "category": "question_answering",
            "labelled_by": "teacher:some-model",
            "source": "completion",
            "completion_id": f"completion-{number // 5}",
            "rehearsal": False,
        }
        | changed
        for number in range(count)
    ]


def licensed(settings: Settings) -> Settings:
    """Settings with a licence of the data set."""
    return settings.changed(dataset_licence=LICENCE)


def made_dataset(
    store: Store,
    settings: Settings,
    rows: list[dict[str, Any]] | None = None,
    licence: str = LICENCE,
) -> BuiltDataset:
    """The data set in store and folder, with this licence on its card."""
    rows = made_rows() if rows is None else rows
    place(store, settings, rows)
    card = Card("a teacher", "test/1", "none", licence=licence)
    return build_dataset(rows, settings.store.data_dir / "hf_dataset", card)


def rejected_by_review(store: Store, row_id: str) -> None:
    """A review by which this row leaves the data set."""
    seen = dict.fromkeys(("wrongly_rejected", "needs_adjudication", "rehearsal"), False)
    said = {"row_id": row_id, "item_id": f"row-{row_id}-12345678", "decision": "reject"}
    store.replace({"review_results": [said | seen | {"reviewers": ["AB"], "excluded": True}]})


def by_path(files: Any) -> Mapping[str, Any]:
    """The content of staged files, by path."""
    return {one.path: one.content for one in files}
