"""Flex processing: reserved at the standard price, billed by the tier that the reply names."""

import pytest

from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.money.tokens import size_of
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.rehearsal_servers import MODEL, column, cost, live, spent

FLEX = Terms(concurrency=4, service="flex")


@pytest.fixture
def asked(requests_of):
    """Requests to a teacher with a price."""
    return lambda count: requests_of(count, teacher="openai", model=MODEL)


def max_cost(request, service) -> float:
    return size_of(request).max_cost(price_of(MODEL), service).usd


def test_flex_is_asked_for_and_billed_at_its_price(store, asked):
    with live() as server:
        assert server.ask(asked(4), store, FLEX).usd == pytest.approx(cost(server, "flex"))
    assert cost(server, "flex") == pytest.approx(cost(server, "online") / 2)
    assert spent(store) == {"settled": pytest.approx(cost(server, "flex"))}
    tiers = store.rows("select distinct service, service_tier from completions")
    assert tiers == [{"service": "flex", "service_tier": "flex"}]


def test_a_standard_tier_reply_is_billed_at_its_price(store, asked):
    with live(service_tiers=frozenset({"default"})) as server:
        tally = server.ask(asked(4), store, FLEX)
    assert tally.usd == pytest.approx(cost(server, "online"))
    assert spent(store) == {"settled": pytest.approx(cost(server, "online"))}
    tiers = store.rows("select distinct service, service_tier from completions")
    assert tiers == [{"service": "flex", "service_tier": "default"}]


def test_flex_is_reserved_at_the_standard_price(asked):
    [request] = asked(1)
    assert max_cost(request, "flex") == pytest.approx(max_cost(request, "online"))
    assert max_cost(request, "batch") == pytest.approx(max_cost(request, "online") / 2)


def test_a_cap_holds_if_flex_is_billed_as_standard(store, asked):
    requests = asked(12)
    cap = max_cost(requests[0], "online") * 1.5
    with live(service_tiers=frozenset({"default"}), answer_tokens=3_000) as server:
        tally = server.ask(requests, store, Terms(concurrency=12, service="flex", max_usd=cap))
    assert "BIOINSTRUCT_MAX_USD is reached" in tally.stopped
    assert 0 < cost(server, "online") <= cap


def test_room_for_the_flex_price_alone_is_no_room(store, asked):
    requests = asked(1)
    with live() as server:
        cap = max_cost(requests[0], "online") * 0.75
        tally = server.ask(requests, store, Terms(service="flex", max_usd=cap))
        assert (tally.asked, server.billed) == (0, 0)
        tally = server.ask(requests, store, Terms(service="batch", max_usd=cap))
        assert tally.pending == 1


def test_the_three_services_share_one_store(store, asked):
    with live() as server:
        server.ask(asked(2), store, Terms(concurrency=2))
        server.ask(asked(4), store, FLEX)
        server.ask(asked(6), store, Terms(service="batch"))
        assert server.ask(asked(6), store, FLEX).asked == 2  # the batch's
        for service in ("online", "flex", "batch"):
            assert server.ask(asked(6), store, Terms(service=service)).reused == 6
        assert (server.billed, server.repeated) == (6, 1)
    services = sorted(column(store, "completions", "service"))
    assert services == ["batch", "batch", "flex", "flex", "online", "online"]
