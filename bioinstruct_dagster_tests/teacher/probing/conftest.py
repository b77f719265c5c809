"""The fixtures of tests of probing."""

import pytest


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries wait for hundredths of a second."""
    monkeypatch.setattr("bioinstruct_dagster.teacher.flow.retries.FIRST_SECONDS", 0.01)
