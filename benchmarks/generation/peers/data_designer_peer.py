"""NVIDIA Data Designer: one text column over a seed column of prompts, resumed where it can."""

import os
from pathlib import Path

os.environ["NEMO_TELEMETRY_ENABLED"] = "false"

import data_designer.config as dd
import pandas as pd
from data_designer.engine.storage.artifact_storage import ResumeMode
from data_designer.interface import DataDesigner
from measured import Job, run


def client(job: Job, prompts: list[str], cache: Path) -> list[str | None]:
    """Answers of one call."""
    cache.mkdir(parents=True, exist_ok=True)
    designer = DataDesigner(
        artifact_path=cache,
        managed_assets_path=cache,
        model_providers=[
            dd.ModelProvider(name="benchmark", endpoint=job.base_url, api_key="benchmark")
        ],
    )
    designer.set_run_config(dd.RunConfig(otel_metrics_port=None))
    builder = dd.DataDesignerConfigBuilder(
        model_configs=[
            dd.ModelConfig(
                alias="writer",
                model="gpt-4o-mini",
                provider="benchmark",
                skip_health_check=True,
                inference_parameters=dd.ChatCompletionInferenceParams(
                    max_parallel_requests=job.options.get("concurrency", 32)
                ),
            )
        ]
    )
    # A file, not a frame: only a file can be resumed from.
    seeds = cache / "prompts.parquet"
    pd.DataFrame({"prompt": prompts}).to_parquet(seeds)
    builder.with_seed_dataset(
        dd.LocalFileSeedSource(path=str(seeds)), sampling_strategy=dd.SamplingStrategy.ORDERED
    )
    builder.add_column(
        dd.LLMTextColumnConfig(name="answer", prompt="{{ prompt }}", model_alias="writer")
    )
    results = designer.create(
        builder,
        num_records=len(prompts),
        dataset_name="answers",
        resume=ResumeMode.IF_POSSIBLE,
    )
    return list(results.load_dataset()["answer"])


if __name__ == "__main__":
    run(client, "data-designer")
