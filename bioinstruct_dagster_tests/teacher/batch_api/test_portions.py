"""Portions: what a refusal says about the limit, and the size of the next portion."""

from datetime import UTC, datetime, timedelta

import pytest

from bioinstruct_dagster.teacher.batch_api.portions import (
    LEAST_SHARE,
    QUEUE_SHARE,
    BatchQueue,
    queue_of,
    size_refusal,
)
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

ENDPOINT = Endpoint("https://batches.example/v1", "k", rehearsal=False)


OPENAI = (
    "Enqueued token limit reached for gpt-4o-mini in organization org-snq6. Limit: 2,000,000 "
    "enqueued tokens. Please try again once some in_progress batches have been completed."
)
OPENAI_REQUESTS = (
    "Enqueued request limit reached for gpt-4o in organization org-X. Limit: 1,000,000 enqueued "
    "requests."
)
AZURE = (
    "The number of enqueued tokens has surpassed the configured limit of 30K for the deployment "
    "'gpt-4.1-batch'. Please either increase the limit or try again once the current jobs have "
    "finished."
)
LITELLM = (
    "Batch rate limit exceeded for api_key: k. Batch contains 9000 tokens but only 2000 tokens "
    "remaining out of 4000 TPM limit. Limit resets at: 2026-11-29 23:00:00 UTC"
)


@pytest.mark.parametrize(
    ("message", "code", "status", "limit"),
    [
        (OPENAI, "token_limit_exceeded", None, 2_000_000),
        (OPENAI, None, 400, 2_000_000),
        (OPENAI_REQUESTS, "request_limit_exceeded", None, 0),
        (AZURE, "token_limit_exceeded", None, 30_000),
        (LITELLM, None, 429, 4_000),
        ("The queue is full.", "token_limit_exceeded", None, 0),
        ("Limit: 1.5M enqueued tokens", None, 429, 1_500_000),
        ("Limit: 2.000.000 enqueued tokens", None, 429, 2_000_000),
        ("File is too large.", None, 400, 0),
        ("Batch input file is 12.0 MB, which exceeds the configured max_mb of 10.", None, 413, 0),
        ("<html>413 Request Entity Too Large</html>", None, 413, 0),
        ("The batch input file contains too many requests: 60000.", "too_many_tasks", None, 0),
        ("The file exceeds the maximum of 100 MB", None, 400, 0),
        ("max_tokens is too large: 12000. This model takes 4096.", "invalid_value", 400, None),
        ("Rate limit reached for requests", "rate_limit_exceeded", 429, None),
        ("Too many requests", None, 429, None),
        ("The model 'm' is not supported by the Batch API", "model_not_found", None, None),
        ("This model's maximum context length is 8192 tokens", "context_length", 400, None),
        ("No such File object: file-1", None, 400, None),
        ("", None, 400, None),
    ],
)
def test_a_refusal_for_size_is_told_from_others_with_its_limit(message, code, status, limit):
    assert size_refusal(message, code, status) == limit


@pytest.fixture
def queue(store):
    """The queue after these batches: state, prompt tokens, named limit."""

    def make(*batches, setting=None, **other):
        first = datetime(2026, 11, 1, tzinfo=UTC)
        rows = [
            {
                "batch_key": f"b{number}", "state": state, "purpose": "generation",
                "teacher": "openai", "endpoint": ENDPOINT.address, "model": "m", "requests": 9,
                "answered": 0, "tokens": 0, "prompt_tokens": tokens, "token_limit": limit,
                "resume": "{}", "detail": "", "submitted_at": first + timedelta(number),
                **other,
            }
            for number, (state, tokens, limit) in enumerate(batches)
        ]  # fmt: skip
        store.replace({"batches": rows})
        return queue_of(store, ENDPOINT, "openai", "m", setting)

    return make


@pytest.mark.parametrize(
    ("batches", "largest"),
    [
        ([], None),
        ([("harvested", 500, None)], None),
        ([("failed", 500, None)], None),  # failed, but not for its size
        ([("failed", 1_000, 100)], 80),
        ([("failed", 1_000, 0)], 500),
        ([("failed", None, 100)], 80),
        ([("failed", None, 0)], None),
        ([("failed", 1_000, 100), ("failed", 80, 100)], 40),
        ([("failed", 1_000, 100), ("failed", 80, 100), ("harvested", 40, None)], 80),
        ([("failed", 1_000, 0), ("harvested", 400, None)], 800),
        ([("failed", 1_000, 0), ("harvested", 40, None)], 500),
        ([("failed", 1_000, 160), ("failed", 4, 160)], 160 * QUEUE_SHARE * LEAST_SHARE),
    ],
)
def test_the_next_portion_follows_from_refusals_and_successes(queue, batches, largest):
    assert queue(*batches).largest == largest


def test_a_setting_replaces_the_learned_limit_until_it_is_refused(queue):
    assert queue(setting=1_000).largest == 800
    accepted = [("failed", 9_000, 100), ("harvested", 80, None)]
    assert queue(*accepted, setting=1_000).largest == 800
    refused = queue(*accepted, ("failed", 800, 100), setting=1_000)
    assert (refused.largest, refused.ceiling) == (80, 800)


def test_open_batches_of_this_model_take_room_and_others_do_not(queue):
    learned = ("failed", 1_000, 100)
    assert queue(learned, ("open", 50, None), ("submitting", 10, None)).room == 20
    assert queue(learned, model="other").room is None
    assert queue(learned, endpoint="https://elsewhere.example").room is None


def test_a_portion_holds_what_fits_and_one_request_at_least():
    assert BatchQueue().fitting([10] * 7) == 7
    assert BatchQueue(largest=35.0, ceiling=80.0).fitting([10] * 7) == 3
    assert BatchQueue(largest=5.0, ceiling=80.0).fitting([10] * 7) == 1
    assert BatchQueue(largest=8.0, ceiling=8.0).fitting([19] * 7) == 1  # the estimate may be high
    assert BatchQueue(largest=8.0, ceiling=8.0).fitting([21] * 7) == 0
    assert BatchQueue(largest=35.0, ceiling=80.0, waiting=30).fitting([10] * 7) == 0
