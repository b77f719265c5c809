"""The settings of the teacher: model, address, form of requests, rate limits and spending caps.

Belongs here: settings of every request to the teacher. Does not: the goal of generation
(generation).
"""

import re
from typing import Literal

from pydantic import HttpUrl, SecretStr, field_validator

from bioinstruct_dagster.settings.fields import (
    MAX_CAP_TOKENS,
    MAX_CAP_USD,
    SettingsGroup,
    setting,
)

Teacher = Literal["rehearsal", "openai"]
Service = Literal["online", "flex", "batch"]
Api = Literal["chat", "responses"]
DEFAULT_MODELS: dict[Teacher, str] = {"rehearsal": "rehearsal-teacher", "openai": "gpt-4.1"}


def refuse_missing_scheme(address: object) -> object:
    """The address of a server as it was given.

    Raises:
        ValueError: it does not begin with a scheme.
    """
    if isinstance(address, str) and address.strip() and "://" not in address:
        raise ValueError(
            "the address has no http:// or https:// at its beginning. Write it like "
            "http://localhost:8000/v1"
        )
    return address


def refuse_secrets_in(address: HttpUrl | None, key_setting: str) -> HttpUrl | None:
    """The address of a server as it was given.

    Args:
        address: of the server.
        key_setting: the setting that takes the server's key.

    Raises:
        ValueError: it holds a user name, a password or a fragment.
    """
    # The HTTP client refuses a user name beside the key, and a fragment is never sent. The
    # messages do not repeat the address, because these parts may hold a secret.
    if address is None:
        return None
    if address.username is not None or address.password is not None:
        raise ValueError(
            "the address holds a user name or password. Delete the part up to the @, and put "
            f"the server's key into {key_setting}"
        )
    if address.fragment is not None:
        raise ValueError("the address holds a fragment. Delete the part from the # on")
    return address


class TeacherSettings(SettingsGroup):
    """The teacher: the language model that completes requests."""

    name: Teacher = setting(
        "rehearsal",
        "BIOINSTRUCT_TEACHER",
        "`rehearsal` answers from recorded completions, without key or network. "
        "`openai` is the OpenAI API or any compatible server.",
    )
    model_name: str = setting(
        "",
        "BIOINSTRUCT_TEACHER_MODEL",
        "The model that completes the requests.",
        unit="model name",
        empty="`rehearsal-teacher`, or `gpt-4.1` with the teacher `openai`",
    )
    api_key: SecretStr | None = setting(
        None,
        "OPENAI_API_KEY",
        "The key for the teacher `openai`. It is never logged and never stored.",
        unit="secret",
    )
    base_url: HttpUrl | None = setting(
        None,
        "OPENAI_BASE_URL",
        "The address of a compatible server, such as `http://localhost:8000/v1`.",
        unit="URL",
        empty="OpenAI's address",
    )
    api: Api = setting(
        "chat", "BIOINSTRUCT_API", "The OpenAI API in use: chat completions or responses."
    )
    reply_format: Literal["auto", "json_schema", "json_object", "text"] = setting(
        "auto",
        "BIOINSTRUCT_REPLY_FORMAT",
        "The format of the replies. With `auto`, one probe request finds what the server supports.",
    )
    service: Service = setting(
        "online",
        "BIOINSTRUCT_SERVICE",
        "`online`; `batch` (Batch API: half the price, a reply within a day); "
        "or `flex` (half the price, slower).",
    )
    output_tokens_per_task: int = setting(
        600,  # room for an instruction, a 100-word input and a 100-word output, with slack
        "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK",
        "The most tokens that the teacher may write for each task that a request asks for. "
        "Languages other than English take more.",
        unit="tokens",
        ge=16,
        le=1_000_000,
    )
    reasoning_tokens: int = setting(
        0,
        "BIOINSTRUCT_REASONING_TOKENS",
        "Tokens that each request allows for reasoning, beyond those of its answer. Set it, such "
        "as to `8000`, for a model that reasons before it answers.",
        unit="tokens for each request",
        ge=0,
        le=10_000_000,
    )
    reasoning_effort: str = setting(
        "",
        "BIOINSTRUCT_REASONING_EFFORT",
        "How much a model reasons, in the server's word, such as none, minimal, low, medium, high "
        "or xhigh.",
        unit="word",
        empty="not sent",
    )
    batch_tokens: int | None = setting(
        None,
        "BIOINSTRUCT_BATCH_TOKENS",
        "The most prompt tokens that open batches may hold together. Larger batches are submitted "
        "in portions.",
        unit="tokens",
        empty="the limit that the server names when it refuses a batch",
        ge=1,
        le=MAX_CAP_TOKENS,
    )
    concurrency: int = setting(
        64,
        "BIOINSTRUCT_CONCURRENCY",
        "The most requests that are in flight at once.",
        unit="requests",
        ge=1,
        le=10_000,
    )
    requests_per_minute: float | None = setting(
        None,
        "BIOINSTRUCT_RPM",
        "The most requests that are sent in a minute.",
        unit="requests per minute",
        empty="the limit in the server's headers",
        ge=0.001,
        le=1e9,
        allow_inf_nan=False,
    )
    tokens_per_minute: float | None = setting(
        None,
        "BIOINSTRUCT_TPM",
        "The most tokens that are sent and received in a minute.",
        unit="tokens per minute",
        empty="the limit in the server's headers",
        ge=1,
        le=1e12,
        allow_inf_nan=False,
    )

    stall_minutes: float = setting(
        10.0,
        "BIOINSTRUCT_STALL_MINUTES",
        "How long a run waits without any reply before it ends. Stored replies stay. With `flex`, "
        "it waits for 15 minutes at least.",
        unit="minutes",
        gt=0,
        le=100_000,
        allow_inf_nan=False,
    )

    @field_validator("base_url", mode="before")
    @classmethod
    def _with_scheme(cls, value: object) -> object:
        return refuse_missing_scheme(value)

    @field_validator("base_url", mode="after")
    @classmethod
    def _plain_address(cls, value: HttpUrl | None) -> HttpUrl | None:
        return refuse_secrets_in(value, "OPENAI_API_KEY")

    @field_validator("reasoning_effort", mode="after")
    @classmethod
    def _one_word(cls, value: str) -> str:
        # Servers have words of their own, so no list of them is complete.
        if not re.fullmatch(r"[a-z0-9_-]{0,32}", value):
            raise ValueError(
                "this is not one word in small letters. Use a word that the server knows, such as "
                "none, minimal, low, medium, high or xhigh"
            )
        return value

    @property
    def model(self) -> str:
        """The model that completes the requests: the setting, or the teacher's default."""
        return self.model_name or DEFAULT_MODELS[self.name]


class CapSettings(SettingsGroup):
    """The most that may be spent on the teacher."""

    max_usd: float | None = setting(
        None,
        "BIOINSTRUCT_MAX_USD",
        "The most that all runs on this store may spend together.",
        unit="US dollars",
        empty="no cap",
        ge=0,
        le=MAX_CAP_USD,
        allow_inf_nan=False,
    )
    max_tokens: int | None = setting(
        None,
        "BIOINSTRUCT_MAX_TOKENS",
        "The most that all runs on this store may use together, input and output.",
        unit="tokens",
        empty="no cap",
        ge=0,
        le=MAX_CAP_TOKENS,
    )
    run_max_usd: float | None = setting(
        None,
        "BIOINSTRUCT_RUN_MAX_USD",
        "The most that one run may spend.",
        unit="US dollars",
        empty="no cap",
        ge=0,
        le=MAX_CAP_USD,
        allow_inf_nan=False,
    )
    run_max_tokens: int | None = setting(
        None,
        "BIOINSTRUCT_RUN_MAX_TOKENS",
        "The most that one run may use, input and output.",
        unit="tokens",
        empty="no cap",
        ge=0,
        le=MAX_CAP_TOKENS,
    )
