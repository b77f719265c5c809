"""The kind of an error answer: real wordings of servers and gateways, and near misses."""

import pytest

from bioinstruct_dagster.teacher.refusals import (
    help_for,
    kind_of,
    kind_of_all,
    likeness,
    plain_words,
)

# Wordings from public reports, with the status that the server or the gateway gave them.
KINDS = [
    # No credit.
    (402, None, "Insufficient Balance", "billing"),  # DeepSeek
    (429, "insufficient_quota", "You exceeded your current quota.", "billing"),
    (400, None, "Your credit balance is too low to access the Anthropic API.", "billing"),
    (400, None, "Access denied, please make sure your account is in good standing.", "billing"),
    (400, "Arrearage", "Access denied, please make sure it is paid.", "billing"),  # DashScope
    (403, None, "Key limit exceeded (total limit).", "billing"),  # OpenRouter
    (400, None, "ExceededBudget: Budget has been exceeded!", "billing"),  # LiteLLM
    (403, "insufficient_balance", "Sorry", "billing"),
    (400, None, "Your account balance is too low.", "billing"),
    (400, None, "Payment Required", "billing"),
    (403, None, "Your account is in arrears.", "billing"),
    # Gemini sends OpenAI's words for a limit per minute.
    (429, None, "You exceeded your current quota, check your plan and billing.", "rate_limit"),
    # Too long.
    (400, None, "This model's maximum context length is 6048 tokens.", "context"),  # vLLM, OpenAI
    (400, None, "max_tokens must be at least 1, got -186.", "context"),  # vLLM
    (400, None, "request (4390 tokens) exceeds the available context size (4096)", "context"),
    (500, None, '{"error":{"code":500,"message":"Context size has been exceeded."}}', "context"),
    (500, None, "Requested tokens (2285) exceed context window of 2048", "context"),
    (422, None, "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097",
     "context"),  # TGI, Together
    (400, None, "prompt is too long: 208310 tokens > 200000 maximum", "context"),  # Anthropic
    (413, None, "Request too large for model `m` on tokens per minute (TPM)", "context"),  # Groq
    (429, None, "Request too large for gpt-4.1 in organization org-x", "context"),
    (413, None, "<html><head><title>413 Request Entity Too Large</title></head></html>", "context"),
    (400, None, "too many tokens: total number of tokens in the prompt cannot exceed 4081",
     "context"),  # Cohere
    (500, None, "n_keep: 5000 >= n_ctx: 4096", "context"),  # LM Studio
    # Content.
    (400, "content_filter", "The response was filtered.", "moderation"),  # Azure
    (400, None, "Triggering Azure OpenAI's content management policy.", "moderation"),
    (403, None, "Your input was flagged", "moderation"),  # OpenRouter
    (400, None, "Content Exists Risk", "moderation"),  # DeepSeek
    # A rate limit under another status.
    (400, None, "ThrottlingException: Too many tokens, please wait before trying again.",
     "rate_limit"),  # Bedrock
    (403, None, "Rate limit reached for requests", "rate_limit"),
    (422, None, "The server is busy. Please try again later.", "rate_limit"),
    (400, None, "Quota per minute exceeded", "rate_limit"),
    (498, None, "Flex tier capacity exceeded", "rate_limit"),  # Groq
    # The form of the request.
    (400, None, "response_format of type json_schema is not supported", "format"),
    (400, None, "System role not supported", "system_role"),  # Gemma's template
    (500, None, "Conversation roles must alternate user/assistant", "system_role"),
    (400, None, "max_tokens is too large: 16000. At most 4096 completion tokens.",
     "output_tokens"),
    (500, None, "litellm.BadRequestError: Invalid parameter", "request"),
    (400, None, "Something else.", "request"),
    # The key, the model, the address.
    (401, None, "anything", "key"),
    (400, None, "API key not valid. Please pass a valid API key.", "key"),  # Gemini
    (400, None, "Incorrect API-key", "key"),
    (422, None, "Unauthenticated", "key"),
    (500, None, "litellm.AuthenticationError: the upstream wants a token", "key"),
    (503, None, "The authentication service is down", "server"),
    (403, None, "Forbidden", "access"),
    (404, "model_not_found", "m", "model"),
    (404, None, 'model "llama3" not found, try pulling it first', "model"),  # Ollama
    (404, None, "The API deployment for this resource does not exist.", "path"),
    (404, "DeploymentNotFound", "The API deployment does not exist.", "model"),  # Azure
    (400, None, "llama is not a valid model ID", "model"),  # OpenRouter
    (400, None, "Model Not Exist", "model"),  # DeepSeek
    (400, None, "The model m is not available", "model"),
    (404, None, "<!DOCTYPE html><html><title>Not Found</title>our models</html>", "path"),
    (404, None, '{"detail":"Not Found"}', "path"),  # FastAPI
    (404, None, "404 page not found", "path"),  # Go
    (404, None, "", "path"),
    (307, None, "The server redirects to https://other.", "path"),
    (405, None, "Method Not Allowed", "path"),
    # The server.
    (500, None, "The model fell over.", "server"),
    (503, None, "The model is overloaded, rate limit", "server"),
    (529, None, "Overloaded", "server"),
    (408, None, "", "later"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "code", "message", "kind"), KINDS)
def test_the_words_tell_the_kind_where_the_status_does_not(status, code, message, kind):
    assert kind_of(status, code, message) == kind


@pytest.mark.parametrize(
    "message",
    [
        # A server that repeats the prompt in its refusal: the prompt's words decide nothing.
        '{"detail": [{"msg": "Field required", "input": "120 requests per minute, rate limit"}]}',
        'Invalid value: "The heart rate limit is 120 beats; the context window was missed"',
        "Field required: heart rate of 80 beats per minute",
        "Field required: the role of the immune system, if the fluid balance is too low",
        "Field required: explain when a copayment required by a plan is due",
    ],
)
def test_words_of_the_prompt_do_not_decide(message):
    assert kind_of(422, None, message) == "request"


def test_messages_that_agree_name_the_kind():
    too_long = ["The maximum context length is 4,096.", "prompt is too long"]
    assert kind_of_all(too_long) == "context"
    assert kind_of_all([*too_long, "Odd."]) is None
    assert kind_of_all(["The server had an error."]) is None
    assert kind_of_all(["Rate limit reached."]) is None
    assert kind_of_all([]) is None


def test_refusals_for_one_reason_are_alike_whatever_the_request():
    alike = {
        likeness(400, None, f'Field "{word}" of request req_{number}abc is odd: {number}.')
        for number, word in enumerate(("aspirin", "a long 'quoted' prompt", "x"))
    }
    assert len(alike) == 1
    assert likeness(400, None, "Another reason.") not in alike
    assert likeness(422, None, 'Field "x" of request req_1abc is odd: 1.') not in alike
    # Words that name the kind make all refusals of the kind alike.
    assert likeness(400, None, "maximum context length is 9") == likeness(
        400, None, "The prompt is too long."
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('{"error": {"message": "No  such\\nthing."}}', "No such thing."),
        ('{"error": "it fell over"}', "it fell over"),
        ('{"detail": [{"msg": "one"}, {"msg": "two"}]}', "one; two"),
        ('{"object": "error", "message": "flat"}', "flat"),
        ('{"error": {"message": "cut off in the mid', "cut off in the mid"),
        ("<html><head><title>502 Bad Gateway</title></head><body>x</body></html>",
         "502 Bad Gateway"),
        ("<html><body><b>Sorry</b>, <script>x()</script>closed</body></html>", "Sorry , closed"),
        ('["?"]', "?"),
        ("null", "null"),
        ("", ""),
    ],
)  # fmt: skip
def test_a_body_is_shown_in_words(message, words):
    assert plain_words(message) == words


def test_a_deep_body_breaks_nothing():
    assert plain_words('{"error":' * 5_000 + "1") is not None


def test_the_help_names_the_setting():
    for kind, setting in (
        ("context", "BIOINSTRUCT_TASKS_PER_REQUEST"),
        ("format", "BIOINSTRUCT_REPLY_FORMAT"),
        ("output_tokens", "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK"),
        ("moderation", "seeds"),
        ("path", "OPENAI_BASE_URL"),
        ("model", "BIOINSTRUCT_TEACHER_MODEL"),
        ("key", "OPENAI_API_KEY"),
    ):
        assert setting in help_for(kind)
