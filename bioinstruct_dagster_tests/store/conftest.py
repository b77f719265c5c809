"""Fixtures of the store's tests: seed rows and completions to write."""

from collections.abc import Callable
from typing import Any

import pytest

from bioinstruct_dagster.store.database import Store


@pytest.fixture
def seed_row() -> Callable[[int], dict[str, Any]]:
    """Rows of `seed_tasks`."""

    def row(ordinal: int) -> dict[str, Any]:
        texts = ("source_family", "instruction", "input", "output")
        return {
            "seed_id": f"seed-{ordinal:04d}",
            "ordinal": ordinal,
            "category": "other",
            **{name: f"{name} {ordinal}" for name in texts},
        }

    return row


@pytest.fixture
def seed_ids() -> Callable[[Store], list[str]]:
    """The ids in `seed_tasks`, in order."""
    statement = "select seed_id from seed_tasks order by ordinal"
    return lambda store: [row["seed_id"] for row in store.rows(statement)]


@pytest.fixture
def completion() -> Callable[..., dict[str, Any]]:
    """Completions as the teacher's client journals them."""

    def make(number: int, **changed: Any) -> dict[str, Any]:
        return {
            "completion_id": f"{number:064x}",
            "purpose": "generation",
            "teacher": "rehearsal",
            "rehearsal": True,
            "model_asked": "m",
            "model_answered": "m-1",
            "parameters": {"temperature": 1.0, "seed": number},
            "messages": [{"role": "user", "content": f"Write {number} tasks."}],
            "template_id": "t/1",
            "template_sha256": "0" * 64,
            "reply_format": "json_schema",
            "draw": 0,
            "service": "online",
            "run_seed": 42,
            "request_number": number,
            "seed_ids": ["a", "b", "c"],
            "content": f"reply {number}",
            "refusal": None,
            "finish_reason": "stop",
            "request_id": f"req_{number}",
            "system_fingerprint": None,
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "usd": 0.5,
            "requested_at": "2026-11-20T08:00:00+00:00",
            "completed_at": "2026-11-20T08:00:01+00:00",
            **changed,
        }

    return make
