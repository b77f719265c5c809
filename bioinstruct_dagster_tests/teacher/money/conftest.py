"""Fixtures of the tests of money."""

import pytest

from bioinstruct_dagster.teacher.flow import retries
from bioinstruct_dagster.teacher.money import settling
from bioinstruct_dagster.teacher.wire import client
from bioinstruct_dagster_tests.teacher.money.ledger_watch import Watch


@pytest.fixture
def watch(store, monkeypatch):
    """A watch that knows the budgets of all accounts."""
    budgets = []
    for account in (settling.Account, settling.BatchAccount):
        begin = account.__init__

        def noting(self, billing, budget, *more, begin=begin) -> None:
            budgets.append(budget)
            begin(self, billing, budget, *more)

        monkeypatch.setattr(account, "__init__", noting)
    return Watch(store, budgets)


@pytest.fixture
def no_waits(monkeypatch):
    """The client gives up soon, and sends again soon."""
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(retries, "LONGEST_SECONDS", 0.02)
