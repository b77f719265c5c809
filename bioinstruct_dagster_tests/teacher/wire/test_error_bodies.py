"""Errors inside an answer with HTTP 200, over HTTP: read by their code, in the server's words."""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.money.settling import may_be_billed
from bioinstruct_dagster.teacher.wire.error_bodies import FailedReplyError, error_of_body

USAGE = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}


def wrong(**error):
    return {"error": {"message": "Words.", **error}}


ERRORS = [
    (wrong(code=502), 502, None),
    (wrong(code="429"), 429, None),
    (wrong(code=402.0), 402, None),
    (wrong(code="insufficient_quota"), 429, "insufficient_quota"),
    (wrong(type="insufficient_quota", code=None), 429, "insufficient_quota"),
    (wrong(code="rate_limit_exceeded"), 429, "rate_limit_exceeded"),
    (wrong(type="rate_limit_error"), 429, None),
    (wrong(status="RESOURCE_EXHAUSTED"), 429, None),
    (wrong(code="invalid_api_key"), 401, "invalid_api_key"),
    (wrong(type="authentication_error"), 401, None),
    (wrong(code="insufficient_balance"), 402, "insufficient_balance"),
    (wrong(type="permission_error"), 403, None),
    (wrong(code="model_not_found"), 404, "model_not_found"),
    (wrong(code="context_length_exceeded"), 400, "context_length_exceeded"),
    (wrong(type="invalid_request_error", param="seed"), 400, None),
    (wrong(code="content_policy_violation"), 400, "content_filter"),
    (wrong(type="overloaded_error"), 503, None),
    (wrong(code="timeout"), 504, "timeout"),
    (wrong(code="server_error"), 500, "server_error"),
    (wrong(), 500, None),
    (wrong(code=1302), 500, None),
    (wrong(code=[], type={}, param=5), 500, None),
    ({"error": "Words."}, 500, None),
    ({"error": "Words.", "code": 503}, 503, None),
    ({"error": True, "message": "Words.", "status": 429}, 429, None),
    ({"object": "error", "message": "Words.", "code": 400}, 400, None),
    ({"object": "error", "message": "Words.", "code": 40303, "type": "BadRequestError"}, 400, None),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Words."}}, 503, None),
    ({"detail": "Words."}, 500, None),
    ({"detail": [{"loc": ["body", "x"], "msg": "Words.", "type": "missing"}]}, 500, None),
    ({"errors": [{"message": "Words.", "code": 7003}], "success": False}, 500, None),
    ({"code": 429, "msg": "Words."}, 429, None),
    ({"error_code": 18, "error_msg": "Words."}, 500, None),
    ({"success": False, "message": "Words."}, 500, None),
    ({"base_resp": {"status_code": 1008, "status_msg": "Words."}}, 500, None),
    ([wrong(code=429)], 429, None),
    ({"choices": [{"error": {"message": "Words.", "code": 502}, "message": {"content": ""},
                   "finish_reason": "error"}]}, 502, None),
    ({"choices": None, **wrong(code=502)}, 502, None),
    ({"status": "failed", "output": [], **wrong(code="rate_limit_exceeded")}, 429,
     "rate_limit_exceeded"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code"), ERRORS, ids=json.dumps)
def test_an_error_inside_a_success_is_read_by_its_code(answered, body, status, code):
    with pytest.raises(FailedReplyError, match=r"Words\.") as caught:
        answered(lambda: web.json_response(body))
    error = caught.value
    assert (error.status, error.code) == (status, code)
    assert error.message in {"Words.", "body.x: Words."}
    assert str(error).startswith("HTTP 200 with an error inside")
    assert error.reply.tokens is None


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("You exceeded your current quota, please check your plan", 429),
        ("Rate limit reached for requests", 429),
        ("Insufficient credits. Add more using https://x", 402),
        ("This model's maximum context length is 4096 tokens", 400),
        ("The engine is currently overloaded, please try again later", 503),
        ("The request timed out.", 504),
        ("Incorrect API key provided", 401),
        ("The model `m` does not exist", 404),
    ],
)
def test_words_tell_an_error_without_a_code(answered, message, status):
    with pytest.raises(FailedReplyError) as caught:
        answered(lambda: web.json_response({"error": {"message": message}}))
    assert caught.value.status == status


@pytest.mark.parametrize(
    "raw",
    [
        "The model m is overloaded.",
        '{"error": {"message": "The model m is overloaded."}}',
        {"message": "The model m is overloaded."},
    ],
)
def test_the_words_of_the_provider_behind_a_gateway_are_shown(answered, raw):
    error = {"message": "Provider returned error", "code": 429, "metadata": {"raw": raw}}
    with pytest.raises(FailedReplyError) as caught:
        answered(lambda: web.json_response({"error": error}))
    assert caught.value.message == "Provider returned error: The model m is overloaded."


@pytest.mark.parametrize("error", [None, False, "", {}, [], 0], ids=str)
def test_an_empty_error_is_none(answered, error):
    body = {"choices": [{"message": {"content": ""}, "error": error}], "error": error}
    assert answered(lambda: web.json_response(body | {"usage": USAGE})).tokens == 110


def test_a_refusal_beside_an_error_counts(answered):
    body = {"choices": [{"message": {"refusal": "No."}}], **wrong(code=400)}
    assert answered(lambda: web.json_response(body)).refusal == "No."


def test_a_text_before_an_error_counts_and_may_be_cut(answered):
    choice = {"message": {"content": "hi"}, "error": {"code": 502}, "finish_reason": "error"}
    reply = answered(lambda: web.json_response({"choices": [choice], "usage": USAGE}))
    assert (reply.content, reply.finish_reason, reply.tokens) == ("hi", "broken_off", 110)


def test_the_money_of_an_error_follows_the_status_inside(answered):
    billed = {}
    for code in (429, 402, 500, 502, 504, "content_filter"):
        with pytest.raises(FailedReplyError) as caught:
            answered(lambda code=code: web.json_response(wrong(code=code)))
        billed[code] = may_be_billed(caught.value)
    assert billed == {429: False, 402: False, 500: False, 502: True, 504: True,
                      "content_filter": True}  # fmt: skip


def test_no_part_of_a_key_in_an_error_is_shown(answered):
    from bioinstruct_dagster_tests.teacher.wire.exchanges import KEY

    for body in (wrong(code=KEY, param=KEY), {"error": {"message": "x" * 995 + KEY}}):
        with pytest.raises(FailedReplyError) as caught:
            answered(lambda body=body: web.json_response(body))
        assert "sk-proj" not in f"{caught.value} {caught.value!r}"


@pytest.mark.parametrize("value", [None, 5, [], [1, 2], "text"], ids=str)
def test_a_body_in_no_known_form_is_the_message(value):
    assert error_of_body(value, "the body").message == "the body"
