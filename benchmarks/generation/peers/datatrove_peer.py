"""datatrove's inference runner: endpoint mode, with its request cache (checkpoints) on."""

import json
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter
from loguru import logger
from measured import Job, run

logger.remove()


async def answer(document: Document, generate) -> dict:
    """One rollout: the text as the only message."""
    result = await generate({"messages": [{"role": "user", "content": document.text}]})
    return {"answer": result.text}


def client(job: Job, prompts: list[str], cache: Path) -> list[str | None]:
    """Answers of one call."""
    output = cache / "output"
    runner = InferenceRunner(
        rollout_fn=answer,
        config=InferenceConfig(
            server_type="endpoint",
            model_name_or_path="gpt-4o-mini",
            # It appends the path with its version itself.
            endpoint_url=job.base_url.removesuffix("/v1"),
            max_concurrent_generations=job.options.get("concurrency", 500),
            metric_interval=3_600,
        ),
        output_writer=JsonlWriter(
            str(output), output_filename="${rank}_chunk_${chunk_index}.jsonl", compression=None
        ),
        checkpoints_local_dir=str(cache / "checkpoints"),
    )
    runner.run([Document(text=text, id=str(n)) for n, text in enumerate(prompts)])
    return [
        json.loads(line)["metadata"]["rollout_results"][0]["answer"]
        for path in sorted(output.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


if __name__ == "__main__":
    run(client, "datatrove")
