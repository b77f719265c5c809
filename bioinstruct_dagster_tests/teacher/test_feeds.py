"""The feed over a list: stored replies are reused, and a useless reply gives a second draw."""

import pytest

from bioinstruct_dagster.teacher.feeds import ListFeed


def taken(feed) -> list[str]:
    """The ids of all requests that the feed offers now."""
    return [request.completion_id for request in iter(feed.take, None)]


def stored(request, content="") -> dict[str, str]:
    return {"completion_id": request.completion_id, "content": content}


def is_empty(reply) -> bool:
    return not reply["content"]


@pytest.fixture
def requests(requests_of):
    return requests_of(3)


def test_a_feed_offers_each_missing_request_once(requests):
    feed = ListFeed([*requests, requests[0]], [stored(requests[1])])
    assert (feed.reused, feed.expected_requests) == (1, 2)
    assert taken(feed) == [requests[0].completion_id, requests[2].completion_id]


def test_a_useless_reply_gives_a_second_draw_and_no_third(requests):
    feed = ListFeed(requests[:1], [], is_empty)
    first = feed.take()
    feed.stored(first, stored(first))
    second = feed.take()
    assert second.completion_id == first.again().completion_id
    feed.stored(second, stored(second))
    assert feed.take() is None


def test_a_second_draw_that_a_kill_prevented_is_offered(requests):
    useless, useful = stored(requests[0]), stored(requests[1], "text")
    feed = ListFeed(requests[:2], [useless, useful], is_empty)
    assert taken(feed) == [requests[0].again().completion_id]
    both = [useless, stored(requests[0].again())]
    assert taken(ListFeed(requests[:1], both, is_empty)) == []
