"""The terms of a round: from settings and the store to caps, with what counts towards them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import insert
from bioinstruct_dagster.teacher.money.budget import PICODOLLARS, BudgetError
from bioinstruct_dagster.teacher.terms import PurposeCap, Terms, budget_of, terms_of

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def spend(store):
    """Write what was spent: completions, requests without a reply, open batches."""

    def completion(number, **changed):
        return {
            "completion_id": f"{number:064x}", "purpose": "generation", "teacher": "openai",
            "rehearsal": False, "model_asked": "gpt-4.1", "parameters": "{}", "messages": "[]",
            "reply_format": "json_schema", "template_id": "t", "template_sha256": "0", "draw": 0,
            "seed_ids": [], "content": "", "service": "online", "prompt_tokens": 100,
            "completion_tokens": 10, "usd": 0.5, "run_id": "one", "requested_at": NOW,
            "completed_at": NOW, **changed,
        }  # fmt: skip

    def presumed(number, **changed):
        return {
            "reservation_id": f"r{number}", "completion_id": "c", "run_id": "one", "usd": 0.25,
            "tokens": 1_000, "rehearsal": False, "reserved_at": NOW, **changed,
        }  # fmt: skip

    def batch(number, **changed):
        return {
            "batch_key": f"b{number}", "state": "open", "purpose": "generation",
            "teacher": "openai", "endpoint": "e", "model": "gpt-4.1", "requests": 7,
            "answered": 0, "usd": 2.0, "tokens": 70_000, "run_id": "one", "resume": "{}",
            "detail": "", "submitted_at": NOW, **changed,
        }  # fmt: skip

    def write(completions=(), presumptions=(), batches=()):
        with store.write() as connection:
            for table, make, rows in (
                ("completions", completion, completions),
                ("presumed_spend", presumed, presumptions),
                ("batches", batch, batches),
            ):
                insert(connection, table, [make(n, **row) for n, row in enumerate(rows)])

    return write


def spent(store, **terms) -> dict[str, float]:
    """What counts towards each cap, in dollars or tokens."""
    everything = {
        "max_usd": 100.0, "max_tokens": 10**6, "run_max_usd": 100.0, "run_max_tokens": 10**6,
    }  # fmt: skip
    budget = budget_of(Terms(**(terms or everything), run_id="one"), store, "gpt-4.1")
    return {
        cap.setting.removeprefix("BIOINSTRUCT_"): cap.spent
        / (PICODOLLARS if cap.unit == "usd" else 1)
        for cap in budget.caps
    }


def test_without_caps_there_are_none(store):
    assert budget_of(Terms(), store, "no-such-model").caps == []


@pytest.mark.parametrize("name", ["max_usd", "max_tokens", "run_max_usd", "run_max_tokens"])
def test_each_cap_is_known_by_its_setting(store, name):
    terms = Terms(**{name: 5})
    (cap,) = budget_of(terms, store, "gpt-4.1").caps
    assert cap.setting == f"BIOINSTRUCT_{name.upper()}"
    assert cap.limit == (5 * PICODOLLARS if cap.unit == "usd" else 5)
    assert cap.spent == 0


def test_a_cap_of_nothing_is_a_cap(store):
    terms = Terms(max_usd=0.0, max_tokens=0)
    assert [cap.limit for cap in budget_of(terms, store, "gpt-4.1").caps] == [0, 0]


def test_a_cap_without_end_is_none(store):
    assert budget_of(Terms(max_usd=float("inf")), store, "gpt-4.1").caps == []


def test_replies_lost_requests_and_open_batches_all_count(store, spend):
    spend(
        completions=[{}, {"run_id": "two"}, {"run_id": None}],
        presumptions=[{}, {"run_id": "two"}],
        batches=[{}, {"state": "harvested", "run_id": "two"}, {"state": "submitting"}],
    )
    assert spent(store) == {
        "MAX_USD": 3 * 0.5 + 2 * 0.25 + 2 * 2.0,
        "MAX_TOKENS": 3 * 110 + 2 * 1_000 + 2 * 70_000,
        "RUN_MAX_USD": 0.5 + 0.25 + 2 * 2.0,
        "RUN_MAX_TOKENS": 110 + 1_000 + 2 * 70_000,
    }


def test_pretended_dollars_count_in_a_rehearsal_and_never_for_a_paid_teacher(store, spend):
    rehearsed = {"model_asked": "rehearsal-teacher", "rehearsal": True}
    spend(completions=[{}, rehearsed, {**rehearsed, "usd": None}])
    caps = Terms(max_usd=100.0, max_tokens=10**6)
    paid = {cap.unit: cap.spent for cap in budget_of(caps, store, "gpt-4.1").caps}
    assert paid == {"usd": PICODOLLARS // 2, "tokens": 330}
    tried = {cap.unit: cap.spent for cap in budget_of(caps, store, "rehearsal-teacher").caps}
    assert tried["usd"] > PICODOLLARS
    assert tried["tokens"] == 330


def test_a_cap_of_a_purpose_counts_what_the_run_spent_on_it(store, spend):
    spend(
        completions=[{"purpose": "judging"}, {}, {"purpose": "judging", "run_id": "two"}],
        presumptions=[{}, {"run_id": "two"}],  # their purpose is not known, so they may be its
        batches=[{"purpose": "judging"}, {}],
    )
    cap = PurposeCap("judging", "BIOINSTRUCT_JUDGE_MAX_USD", max_usd=9.0, max_tokens=9)
    assert spent(store, purpose_cap=cap) == {
        "JUDGE_MAX_USD": 0.5 + 0.25 + 2.0,
        "JUDGE_MAX_TOKENS": 110 + 1_000 + 70_000,
    }
    assert spent(store, purpose_cap=replace(cap, max_usd=None)).keys() == {"JUDGE_MAX_TOKENS"}


def test_a_completion_is_priced_once_its_price_is_known(store, spend):
    spend(completions=[{"usd": None, "prompt_tokens": 10**6, "completion_tokens": 10**6}])
    assert spent(store, max_usd=100.0) == {"MAX_USD": 10.0}


@pytest.mark.parametrize(
    "unknown",
    [
        {"completions": [{"usd": None, "model_asked": "some-model"}]},
        {"presumptions": [{"usd": None}]},
        {"batches": [{"usd": None}]},
    ],
)
def test_unpriced_spending_allows_token_caps_only(store, spend, unknown):
    spend(**unknown)
    with pytest.raises(BudgetError, match=r"BIOINSTRUCT_MAX_USD .*unknown price"):
        spent(store, max_usd=100.0)
    assert spent(store, max_tokens=10**6)["MAX_TOKENS"] > 0


def test_another_runs_unpriced_spending_allows_a_run_cap(store, spend):
    spend(presumptions=[{"usd": None, "run_id": "two"}])
    assert spent(store, run_max_usd=1.0) == {"RUN_MAX_USD": 0}


def test_a_reply_without_usage_counts_once(store, spend):
    spend(
        completions=[{"usd": None, "prompt_tokens": None, "completion_tokens": None}],
        presumptions=[{"usd": 0.25}],
    )
    assert spent(store, max_usd=100.0, max_tokens=10**6) == {"MAX_USD": 0.25, "MAX_TOKENS": 1_000}


@pytest.mark.parametrize("cap", ["max_usd", "run_max_usd"])
def test_a_dollar_cap_for_an_unpriced_model_names_the_token_cap(store, cap):
    with pytest.raises(BudgetError) as caught:
        budget_of(Terms(**{cap: 1.0}), store, "some-model")
    said = str(caught.value)
    assert f"BIOINSTRUCT_{cap.upper()} is set" in said
    assert f"BIOINSTRUCT_{cap.upper().replace('USD', 'TOKENS')}" in said
    assert "'some-model'" in said
    assert "data/prices.yaml" in said


def test_settings_become_terms_and_a_run_may_change_them():
    settings = Settings.of(
        concurrency=7, rpm=60, tpm=6_000, max_usd=5, max_tokens=6, run_max_usd=3,
        run_max_tokens=4, service="flex",
    )  # fmt: skip
    assert terms_of(settings, "one") == Terms(
        concurrency=7, requests_per_minute=60, tokens_per_minute=6_000, max_usd=5, max_tokens=6,
        run_max_usd=3, run_max_tokens=4, service="flex", run_id="one",
    )  # fmt: skip
    changed = terms_of(settings, run_max_usd=0.0, service=None)
    assert (changed.run_max_usd, changed.service) == (0.0, "flex")
