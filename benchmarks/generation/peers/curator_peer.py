"""bespokelabs-curator: its OpenAI backend, which reads limits from headers and caches replies."""

import os
from importlib.util import find_spec
from pathlib import Path

os.environ["TELEMETRY_ENABLED"] = "0"
os.environ["CURATOR_DISABLE_RICH_DISPLAY"] = "1"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["OPENAI_API_KEY"] = "benchmark"
# Without network it stops at the download of its token table; litellm, which it needs, ships one.
_LITELLM = find_spec("litellm")
if _LITELLM is not None and _LITELLM.origin is not None:
    _TABLES = Path(_LITELLM.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ.setdefault("TIKTOKEN_CACHE_DIR", str(_TABLES))

from bespokelabs import curator  # noqa: E402
from measured import Job, run  # noqa: E402


class Writer(curator.LLM):
    """The prompt as it is, the answer as it is."""

    def prompt(self, row: dict) -> str:
        """Called by curator."""
        return row["prompt"]

    def parse(self, row: dict, response: str) -> dict:
        """Called by curator."""
        return {"prompt": row["prompt"], "answer": response}


def client(job: Job, prompts: list[str], cache: Path) -> list[str | None]:
    """Answers of one call."""
    writer = Writer(
        model_name="gpt-4o-mini",
        backend="openai",
        backend_params={
            "base_url": job.base_url,
            "require_all_responses": False,
            **job.options,
        },
    )
    response = writer([{"prompt": text} for text in prompts], working_dir=str(cache))
    return list(response.dataset["answer"])


if __name__ == "__main__":
    run(client, "bespokelabs-curator")
