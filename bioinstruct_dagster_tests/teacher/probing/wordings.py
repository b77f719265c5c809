"""Refusals in the words of real gateways, as public issues quote them.

The parameter is one of ours where theirs was another. Belongs here: status and body of a refusal.
Does not: what a probe makes of it.
"""

import json
from typing import Any


def words(text: str, **error: Any) -> dict[str, Any]:
    """An error in OpenAI's form."""
    return {"error": {"message": text, "type": "invalid_request_error", **error}}


def extra(*names: str) -> list[dict[str, Any]]:
    """The details of FastAPI for names that it does not know."""
    return [
        {"type": "extra_forbidden", "loc": ["body", n], "msg": "Extra inputs are not permitted"}
        for n in names
    ]


# By gateway: the refused parameter, the status and the body.
NAMED: dict[str, tuple[str, int, Any]] = {
    # johny-b/llmcomp#69, OpenHands/OpenHands#4131: OpenAI's reasoning models
    "openai value": (
        "temperature",
        400,
        words(
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default "
            "(1) value is supported.",
            param="temperature",
            code="unsupported_value",
        ),
    ),
    # BeehiveInnovations/pal-mcp-server#78
    "openai parameter": (
        "temperature",
        400,
        words("Unsupported parameter: 'temperature' is not supported with this model."),
    ),
    # yaroslavyaroslav/OpenAI-sublime-text#146: also Azure's words
    "openai argument": (
        "seed",
        400,
        words("Unrecognized request argument supplied: seed", param=None, code=None),
    ),
    # Gitlawb/openclaude#739: Mistral
    "mistral": ("stream", 422, {"detail": extra("stream")}),
    # langchain-ai/langchain-azure#82: Mistral in Azure's AI Foundry
    "azure mistral": (
        "seed",
        422,
        {"error": {"code": "Invalid input", "message": json.dumps({"detail": extra("seed")})}},
    ),
    # mistralai/platform-docs-public#7: JSON in the text of a message
    "mistral proxy": (
        "seed",
        422,
        {
            "object": "error",
            "message": json.dumps({"detail": extra("seed")}),
            "type": "internal_error_proxy",
            "param": None,
            "code": "1000",
        },
    ),
    # crewAIInc/crewAI#60: a list inside the message
    "mistral message": (
        "seed",
        422,
        {"object": "error", "message": {"detail": extra("seed")}, "param": None},
    ),
    # promptfoo/promptfoo#914, pingcap/autoflow#574: Bedrock
    "bedrock": (
        "stream",
        400,
        {
            "message": "Malformed input request: #: extraneous key [stream] is not permitted, "
            "please reformat your input and try again."
        },
    ),
    # nashsu/llm_wiki#49, sourcegraph/cody#4566: Gemini, whose error stands in a list
    "gemini": (
        "seed",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": 'Invalid JSON payload received. Unknown name "seed": Cannot find '
                    "field.",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
    ),
    # fanenr/chatbot#21: Groq
    "groq": ("stream", 400, words("property 'stream' is unsupported, did you mean 'stop'?")),
    # OpenRouterTeam/openrouter-examples#71: Cohere
    "cohere": (
        "seed",
        422,
        {
            "message": "unknown field: parameter 'seed' is not a valid field. For proper usage, "
            "please refer to https://docs.cohere.com/reference/chat"
        },
    ),
    # Alishahryar1/free-claude-code#127: NVIDIA NIM, without an object around the message
    "nim": (
        "seed",
        400,
        {"message": "Validation: Unsupported parameter(s): seed", "type": "Bad Request"},
    ),
    # BerriAI/litellm#3923: a refusal with status 500
    "litellm": (
        "seed",
        500,
        words(
            "ollama does not support parameters: {'seed': 1}, for model=llama3:latest. To drop "
            "these, set `litellm.drop_params=True` or for proxy:\n\n`litellm_settings:\n "
            "drop_params: true`\n\nNumber Retries = 1",
            code=500,
        ),
    ),
    # kaiko-ai/eva#895
    "litellm list": (
        "seed",
        400,
        words(
            "litellm.UnsupportedParamsError: anthropic does not support parameters: ['seed'], for "
            "model=claude-3-7-sonnet. To drop these, set `litellm.drop_params=True`"
        ),
    ),
    # lxe/simple-llm-finetuner#14: transformers, as TGI also says it
    "transformers": (
        "temperature",
        422,
        {
            "error": "Input validation error: `temperature` has to be a strictly positive float, "
            "but is 0",
            "error_type": "validation",
        },
    ),
    # databricks/databricks-sdk-py#1263
    "databricks": (
        "seed",
        400,
        {"error_code": "BAD_REQUEST", "message": 'Bad request: json: unknown field "seed"'},
    ),
    # FlowiseAI/Flowise#2866: Fireworks
    "fireworks": ("seed", 400, words("Extra inputs are not permitted, field: 'seed', value: 0")),
    # yym68686/uni-api#105: xAI, in its own spelling
    "xai": (
        "seed",
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "Argument not supported on this model: seed",
        },
    ),
    # egoist/chatwise-releases#1442: Cerebras
    "cerebras": (
        "seed",
        400,
        {
            "message": "seed: property 'seed' is unsupported",
            "type": "invalid_request_error",
            "param": "validation_error",
            "code": "wrong_api_format",
        },
    ),
    # The words of serde, a library of many servers in Rust: it lists the names that it knows.
    "serde": (
        "seed",
        422,
        (
            "Failed to deserialize the JSON body into the target type: unknown field `seed`, "
            "expected one of `model`, `messages`, `temperature`, `max_completion_tokens` at line 1 "
            "column 90"
        ),
    ),
    # decolua/9router#846: a gateway that repeats the JSON of another
    "gateway": (
        "temperature",
        400,
        words(
            '[openai/gpt-5.4] [400]: {\n  "error": {\n    "message": "Unsupported parameter: '
            '\'temperature\' is not supported with this model.",\n    "type": '
            '"invalid_request_error",\n    "param": "temperature",\n    "code": '
            '"unsupported_parameter"\n  }\n} (reset after 30s)'
        ),
    ),
    # JSON inside a text of JSON
    "nested": (
        "temperature",
        400,
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": json.dumps(words("Unsupported parameter: 'temperature'."))},
            }
        },
    ),
}

# By gateway: how it refuses the format json_schema.
FORMATS: dict[str, tuple[int, Any]] = {
    # ItzCrazyKns/Vane#969, UKGovernmentBEIS/inspect_ai#4916: DeepSeek
    "deepseek": (400, words("This response_format type is unavailable now", param=None)),
    # browser-use/web-ui#65
    "deepseek serde": (
        422,
        (
            "Failed to deserialize the JSON body into the target type: response_format: "
            "response_format.type `json_schema` is unavailable now at line 1 column 12992"
        ),
    ),
    # ikawrakow/ik_llama.cpp#778
    "llama.cpp": (
        500,
        words(
            'response_format type must be one of "text" or "json_object", but got: json_schema',
            code=500,
        ),
    ),
    # Azure, for a model without structured output
    "azure": (
        400,
        words(
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this "
            "model. Learn more about supported models at the Structured Outputs guide",
            param=None,
        ),
    ),
    # vllm-project/vllm#35438: no words at all
    "vllm": (500, words("", code=500)),
    "no words": (400, "Bad Request"),
}


# By gateway: how it refuses a system message.
SYSTEM: dict[str, tuple[int, Any]] = {
    # microsoft/autogen#1037, infiniflow/ragflow#11021: templates of Mistral, by vLLM
    "mistral": (400, {"object": "error", "message": "Conversation roles must alternate user/assistant/user/assistant/...", "code": 400}),  # noqa: E501
    "gemma": (400, {"object": "error", "message": "System role not supported", "code": 400}),
    # QuantumNous/new-api#847: o1-mini
    "o1-mini": (400, words("Unsupported value: 'messages[0].role' does not support 'system' with this model.", param="messages[0].role")),  # noqa: E501
    # 0xPlaygrounds/rig#788: Gemini's API with Gemma
    "gemini": (400, [{"error": {"code": 400, "message": "Developer instruction is not enabled for models/gemma-3-27b-it"}}]),  # noqa: E501
    # 567-labs/instructor#1753: Bedrock
    "bedrock": (400, {"message": "This model doesn't support system messages. Try again without a system message or use a model that supports system messages."}),  # noqa: E501
    # langgenius/dify#12340
    "bedrock user": (400, {"message": "A conversation must start with a user message. Try again with a conversation that starts with a user message."}),  # noqa: E501
    "fastapi": (422, {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "Input should be 'user' or 'assistant'", "input": "system"}]}),  # noqa: E501
    # A template's exception in an older llama.cpp
    "llama.cpp": (500, words("Only user and assistant roles are supported!", code=500)),
    "no words": (400, words("Bad Request")),
}  # fmt: skip
