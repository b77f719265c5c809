"""An adapter of a real base model in a test's store and folder, with its scores in all formats.

Its weights are a few bytes: nothing here loads them. Belongs here: what the tests of published
adapters share. Does not: what they assert.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.evaluation.exchange.files import write_shared_results
from bioinstruct_dagster.models.adapters import CONFIG_FILE, RESULT_FILE, WEIGHTS_FILE, sealed
from bioinstruct_dagster.models.experiments import ExperimentMatrix, read_experiments
from bioinstruct_dagster.models.score_place import score_place
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster_tests.dataset.test_older_results import adapter as adapter_row
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import CATALOGUE, rows_of

EXPERIMENT = "smol|all"
CARD = """---
base_model: owner/smol
library_name: peft
license: apache-2.0
model_name: smol|all
---

# smol|all

## How to load it

Run it in the folder of outputs (BIOINSTRUCT_DATA_DIR), or correct the paths.

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained('models/smol')
base = AutoModelForCausalLM.from_pretrained('models/smol')
model = PeftModel.from_pretrained(base, 'adapters/smol__all/abc').eval()
```

"""
_EXPERIMENTS = """
base_models:
  smol: {source: owner/smol, revision: c0ffee%s}
recipes:
  all: {categories: [information_extraction, question_answering, generation, other]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, rows_per_update: 4, warmup: 0.03,
           max_length: 512}
"""


def made_matrix(folder: Path, licence: str | None = "apache-2.0") -> ExperimentMatrix:
    """The experiments: one base model of the hub."""
    path = folder / "experiments-of-a-real-model.yaml"
    path.write_text(_EXPERIMENTS % (f", licence: {licence}" if licence else ""), "utf-8")
    return read_experiments(path)


def made_adapter(
    store: Store,
    settings: Settings,
    matrix: ExperimentMatrix,
    fingerprint: str,
    *,
    scores: Mapping[str, Any] | None = None,
    rehearsal: bool = False,
) -> Path:
    """The adapter with card and scores; returns its folder.

    Args:
        store: gets adapter and scores.
        settings: with the data folder.
        matrix: from `made_matrix`.
        fingerprint: of the data set that the adapter was trained on.
        scores: changes of the scores.
        rehearsal: whether the adapter is marked so.
    """
    folder = settings.store.data_dir / "adapters" / "smol__all" / "abc"
    folder.mkdir(parents=True)
    (folder / WEIGHTS_FILE).write_bytes(b"weights" * 500)
    config = {"base_model_name_or_path": "../../../models/smol", "peft_type": "LORA", "r": 4}
    (folder / CONFIG_FILE).write_text(json.dumps(config), "utf-8")
    (folder / "README.md").write_text(CARD + score_place(), "utf-8")
    sha256 = sha256_of_file(folder / WEIGHTS_FILE)
    result = {"experiment": EXPERIMENT, "adapter_sha256": sha256, "proof": {"change": 1.0}}
    if rehearsal:
        result |= {"rehearsal": True, "rehearsal_parts": ["the data set has such rows"]}
    (folder / RESULT_FILE).write_text(json.dumps(sealed(result)), "utf-8")
    row = adapter_row(fingerprint, sha256) | {"base_model": "smol", "rehearsal": rehearsal}
    rows = [
        one | {"adapter_sha256": one["adapter_sha256"] and sha256}
        for one in rows_of(base_model="smol", dataset_fingerprint=fingerprint, **(scores or {}))
    ]
    store.replace(
        {
            "lora_adapter": [row | {"adapter_path": "adapters/smol__all/abc"}],
            "eval_scores": rows,
        }
    )
    write_shared_results(
        experiment=EXPERIMENT,
        adapter=folder,
        base=matrix.base_models["smol"],
        rows=rows,
        tasks=CATALOGUE.tasks,
        whole_tasks={"medqa": True},
        data_dir=settings.store.data_dir,
    )
    return folder
