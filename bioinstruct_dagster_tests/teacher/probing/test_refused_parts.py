"""The refused parts: what is a name, and what is only a word."""

import json

import pytest

from bioinstruct_dagster.teacher.errors import StatusError
from bioinstruct_dagster.teacher.probing.refused_parts import (
    limit_is_too_large,
    limit_is_too_small,
    limit_was_reached,
    parts_of,
    refused_parts,
)

BODY = {
    "model": "m",
    "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
    "temperature": 0.0,
    "seed": 0,
    "stream": False,
    "max_completion_tokens": 2_000,
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "n",
            "strict": True,
            "schema": {"type": "object", "properties": {}, "additionalProperties": False},
        },
    },
}


def refused(text, status=400, body=BODY, **error):
    return refused_parts(StatusError(status, text[:300], text=text, **error), body)


def test_only_parts_of_the_request_can_be_refused():
    assert parts_of(BODY) == {
        "system message",
        "temperature",
        "seed",
        "stream",
        "token limit",
        "response_format",
        "strict",
        "additionalProperties",
    }
    bare = {"model": "m", "input": [{"role": "user", "content": "u"}], "max_output_tokens": 9}
    assert parts_of(bare) == {"token limit"}
    assert refused("Unsupported parameter: 'seed'. System role not supported.", body=bare) == []


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Unrecognized request arguments supplied: seed, stream", ["seed", "stream"]),
        ("Additional properties are not allowed ('seed' was unexpected)", ["seed"]),
        ("Argument not supported on this model: maxCompletionTokens", ["token limit"]),
        (
            "'max_completion_tokens' is not supported with this model. Use 'max_tokens' instead.",
            ["token limit"],
        ),
        ("Unrecognized key(s) in object: 'seed', 'stream'", ["seed", "stream"]),
        ("Allowed parameters: model, temperature. Got an unexpected one: 'seed'", ["seed"]),
        ("'seed' is not allowed if response_format is json_schema", ["seed"]),
        ("the field \"messages[0].role\" may not be 'system'", ["system message"]),
        ("`temperature` is deprecated for this model.", ["temperature"]),
        ("body.seed: Extra inputs are not permitted", ["seed"]),
        ("'response_format.type' must be 'json_schema' or 'text'", ["response_format"]),
        ("structured outputs are off", ["response_format"]),
        ("参数seed不支持", ["seed"]),
        ("パラメータ「temperature」は使えません", ["temperature"]),
        ("streaming must be on for this model", ["stream"]),
        # Words that only look like names.
        ("The upstream has no seedling in its restored tier", []),
        ("Bad Request", []),
        ("", []),
        ("null", []),
    ],
)
def test_a_refused_part_is_told_from_a_word(text, parts):
    assert refused(text) == parts


def test_common_words_of_a_server_error_name_nothing():
    assert refused("The data store is closed: bad format", 500) == []
    assert refused("response_format json_schema can't be compiled", 500) == ["response_format"]


def test_a_field_of_an_error_counts_before_its_text():
    assert refused("Not with a temperature like this", param="seed") == ["seed"]
    assert refused("Value error", param="response_format.json_schema.strict") == ["strict"]
    assert refused("Value error", param="text") == []


def test_a_path_may_stand_in_the_text_of_another_language():
    said = "Error code: 422 - {'detail': [{'loc': ['body', 'seed'], 'msg': 'Extra', 'input': 1}]}"
    assert refused(said, 422) == ["seed"]


def test_a_repeated_request_is_not_read():
    said = json.dumps({"detail": [{"loc": ["body", "seed"], "msg": "Extra", "input": BODY}]})
    assert refused(said, 422) == ["seed"]
    assert refused(f"Bad Request: {json.dumps(BODY['messages'])}") == []


def test_deep_json_is_no_trouble():
    assert refused("[" * 9_000) == []


@pytest.mark.parametrize(
    ("text", "known"),
    [
        # lucaslrodri in code-gpt-docs#284
        (
            "max_tokens is too large: 6000. This model supports at most 4096 completion tokens.",
            (True, False, False),
        ),
        # Gitlawb/openclaude#331
        (
            (
                "The parameter `max_completion_tokens` specified in the request are not valid: "
                "integer above maximum value, expected a value <= 12288, but got 32000 instead."
            ),
            (True, False, False),
        ),
        # carlrobertoh/ProxyAI#87
        (
            "This model's maximum context length is 4097 tokens, however you requested 4430.",
            (False, False, False),
        ),
        (
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
            (False, True, False),
        ),
        (
            "Could not finish the message because max_tokens or model output limit was reached.",
            (False, False, True),
        ),
        ("Unsupported parameter: 'max_tokens'", (False, False, False)),
    ],
)
def test_a_limit_of_a_wrong_size_is_no_refusal_of_its_name(text, known):
    error = StatusError(400, text)
    seen = (limit_is_too_large(error), limit_is_too_small(error), limit_was_reached(error))
    assert seen == known
