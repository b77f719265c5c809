"""The budget: what is settled and reserved never passes a cap, in whatever order things happen."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.teacher.money.budget import (
    PICODOLLARS,
    Amount,
    Budget,
    BudgetError,
    Cap,
    picodollars,
)

DOLLARS = st.floats(0, 2.0, allow_nan=False) | st.sampled_from([0.0, 0.1, 1 / 3, 1e-12, 1e-15])
TOKENS = st.integers(0, 500)


@st.composite
def histories(draw):
    """Requests with their most, and what becomes of each: a step is (action, which, share)."""
    mosts = draw(st.lists(st.tuples(DOLLARS, TOKENS), min_size=1, max_size=30))
    steps = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["send", "settle", "release", "presume"]),
                st.integers(0, 29),
                st.floats(0, 1),
            ),
            max_size=120,
        )
    )
    limits = draw(st.tuples(DOLLARS, TOKENS, DOLLARS, TOKENS))
    return mosts, steps, limits


@given(histories())
def test_settled_and_reserved_together_never_pass_a_cap(history):
    mosts, steps, (project_usd, project_tokens, run_usd, run_tokens) = history
    budget = Budget(
        [
            Cap("BIOINSTRUCT_MAX_USD", "usd", int(Fraction(project_usd) * PICODOLLARS)),
            Cap("BIOINSTRUCT_MAX_TOKENS", "tokens", project_tokens),
            Cap("BIOINSTRUCT_RUN_MAX_USD", "usd", int(Fraction(run_usd) * PICODOLLARS)),
            Cap("BIOINSTRUCT_RUN_MAX_TOKENS", "tokens", run_tokens),
        ]
    )
    under_way: list[Amount] = []
    dollars, tokens = Fraction(0), 0  # what a server would bill, exactly
    for action, which, share in steps:
        if action == "send":
            max_cost = Amount(*mosts[which % len(mosts)])
            if budget.cap_without_room(max_cost) is None:
                budget.reserve(max_cost)
                under_way.append(max_cost)
        elif under_way:
            max_cost = under_way.pop(which % len(under_way))
            if action == "release":
                budget.release(max_cost)
            elif action == "presume":
                budget.presume(max_cost)
                dollars, tokens = dollars + Fraction(max_cost.usd), tokens + max_cost.tokens
            else:
                actual = Amount(max_cost.usd * share, int(max_cost.tokens * share))
                budget.settle(max_cost, actual)
                dollars, tokens = dollars + Fraction(actual.usd), tokens + actual.tokens
        assert budget.in_flight == len(under_way)
        for cap in budget.caps:
            assert cap.reserved >= 0
            assert cap.spent + cap.reserved <= cap.limit
            assert cap.reserved == sum(max_cost.in_unit(cap.unit) for max_cost in under_way)
        assert dollars <= min(Fraction(project_usd), Fraction(run_usd))
        assert tokens <= min(project_tokens, run_tokens)
    assert budget.failure is None


@given(st.floats(0, 1e6, allow_nan=False))
def test_dollars_are_rounded_up_by_less_than_floats_drift(usd):
    counted = picodollars(usd)
    assert counted >= 0
    assert counted / PICODOLLARS == pytest.approx(usd, rel=1e-12, abs=1e-12)


def test_a_thousand_small_prices_add_up_exactly():
    # As floats, 0.1 added a thousand times is 99.9999999999986.
    budget = Budget([Cap("BIOINSTRUCT_MAX_USD", "usd", 100 * PICODOLLARS)])
    tenth = Amount(0.1, 1)
    for _ in range(1_000):
        assert budget.cap_without_room(tenth) is None
        budget.reserve(tenth)
    assert budget.cap_without_room(Amount(1e-12, 1)) is budget.caps[0]
    for _ in range(1_000):
        budget.settle(tenth, tenth)
    assert (budget.caps[0].remaining(), budget.in_flight, budget.failure) == (0, 0, None)


def test_the_last_request_may_use_the_cap_up_and_not_pass_it():
    cap = Cap("BIOINSTRUCT_MAX_TOKENS", "tokens", 100)
    budget = Budget([cap])
    assert budget.cap_without_room(Amount(None, 101)) is cap
    assert budget.cap_without_room(Amount(None, 100)) is None
    budget.reserve(Amount(None, 100))
    assert budget.cap_without_room(Amount(None, 1)) is cap
    assert budget.cap_without_room(Amount(None, 0)) is None


def test_the_rest_of_a_settled_reservation_is_free_again():
    budget = Budget([Cap("BIOINSTRUCT_MAX_TOKENS", "tokens", 100)])
    budget.reserve(Amount(None, 90))
    assert budget.cap_without_room(Amount(None, 20))
    budget.settle(Amount(None, 90), Amount(None, 30))
    assert budget.cap_without_room(Amount(None, 70)) is None
    assert budget.cap_without_room(Amount(None, 71))


def test_the_rest_stays_reserved_while_the_reply_is_only_counted():
    budget = Budget([Cap("BIOINSTRUCT_MAX_TOKENS", "tokens", 100)])
    budget.reserve(Amount(None, 90))
    budget.spend(Amount(None, 90), Amount(None, 30))
    assert (budget.caps[0].spent, budget.caps[0].reserved, budget.in_flight) == (30, 60, 1)
    budget.free_rest(Amount(None, 90), Amount(None, 30))
    assert (budget.caps[0].spent, budget.caps[0].reserved, budget.in_flight) == (30, 0, 0)


def test_the_tightest_cap_refuses():
    caps = [
        Cap("BIOINSTRUCT_MAX_USD", "usd", 10 * PICODOLLARS),
        Cap("BIOINSTRUCT_RUN_MAX_TOKENS", "tokens", 10),
    ]
    budget = Budget(caps)
    assert budget.cap_without_room(Amount(1.0, 11)) is caps[1]
    assert budget.cap_without_room(Amount(11.0, 1)) is caps[0]


def test_a_cap_below_what_is_spent_already_refuses_everything():
    cap = Cap("BIOINSTRUCT_MAX_TOKENS", "tokens", 100, spent=130)
    assert cap.remaining() == -30
    assert Budget([cap]).cap_without_room(Amount(None, 0)) is cap


def test_a_budget_without_caps_only_counts_requests():
    budget = Budget()
    max_cost = Amount(None, 10**9)
    assert budget.cap_without_room(max_cost) is None
    budget.reserve(max_cost)
    budget.reserve(max_cost)
    budget.settle(max_cost, Amount(None, 10**12))
    assert (budget.in_flight, budget.failure) == (1, None)


def test_a_reply_above_its_token_limit_fails_the_budget():
    budget = Budget([Cap("BIOINSTRUCT_RUN_MAX_TOKENS", "tokens", 1_000)])
    budget.reserve(Amount(None, 100))
    budget.settle(Amount(None, 100), Amount(None, 5_000))
    assert "BIOINSTRUCT_RUN_MAX_TOKENS can't be held" in budget.failure
    assert "5,000 tokens" in budget.failure
    assert "100 tokens" in budget.failure
    assert budget.caps[0].spent == 5_000  # counted all the same


def test_a_dollar_cap_without_a_price_is_an_error_and_never_zero():
    budget = Budget([Cap("BIOINSTRUCT_MAX_USD", "usd", PICODOLLARS)])
    with pytest.raises(BudgetError, match="without a price"):
        budget.cap_without_room(Amount(None, 1))


@pytest.mark.parametrize(
    ("unit", "amount", "shown"),
    [
        ("usd", PICODOLLARS, "$1"),
        ("usd", 1_234 * PICODOLLARS + PICODOLLARS // 2, "$1,234.5"),
        ("usd", PICODOLLARS // 100, "$0.01"),
        ("usd", 100 * PICODOLLARS, "$100"),
        ("usd", 0, "$0"),
        ("tokens", 12_345, "12,345 tokens"),
    ],
)
def test_amounts_are_shown_as_people_write_them(unit, amount, shown):
    assert Cap("s", unit, 1).formatted(amount) == shown


def test_the_message_of_a_rehearsal_s_cap_says_that_nobody_bills_it():
    cap = Cap("BIOINSTRUCT_MAX_USD", "usd", PICODOLLARS // 10, PICODOLLARS // 20, pretended=True)
    said = cap.reached_message(Amount(0.06, 9))
    assert "$0.05 of $0.1 are spent in list-price dollars of a rehearsal, which nobody" in said
    assert "paid" not in said
    cap.over_limit = 3
    assert "paid" not in cap.reached_message(Amount(0.06, 9))
    real = Cap("BIOINSTRUCT_MAX_USD", "usd", PICODOLLARS // 10, PICODOLLARS // 20)
    assert "rehearsal" not in real.reached_message(Amount(0.06, 9))
    assert "not paid for again" in real.reached_message(Amount(0.06, 9))
