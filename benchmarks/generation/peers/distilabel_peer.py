"""distilabel: a pipeline of a loader and one TextGeneration step over its OpenAI client."""

from pathlib import Path

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
from measured import Job, run


def client(job: Job, prompts: list[str], cache: Path) -> list[str | None]:
    """Answers of one call."""
    size = job.options.get("batch", 50)
    with Pipeline(name="answers", cache_dir=str(cache)) as pipeline:
        load = LoadDataFromDicts(data=[{"instruction": text} for text in prompts], batch_size=size)
        generate = TextGeneration(
            llm=OpenAILLM(model="gpt-4o-mini", base_url=job.base_url, api_key="benchmark"),
            input_batch_size=size,
        )
        load >> generate
    distiset = pipeline.run(use_cache=True)
    return list(distiset["default"]["train"]["generation"])


if __name__ == "__main__":
    run(client, "distilabel")
