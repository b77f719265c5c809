"""Families of seeds: experiments that differ in nothing else."""

from bioinstruct_dagster.evaluation.summaries.seeds import family_of
from bioinstruct_dagster.models.experiments import read_experiments

EXPERIMENTS = """
base_models:
  one: {source: rehearsal}
recipes:
  all: {rows: [all, 1k], seed: [1, 2, 3]}
  other: {categories: [other]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, rows_per_update: 4, warmup: 0.03, max_length: 512}
"""


def test_a_family_differs_in_its_seed_alone(tmp_path):
    file = tmp_path / "experiments.yaml"
    file.write_text(EXPERIMENTS, "utf-8")
    matrix = read_experiments(file)
    families = {tuple(family_of(matrix, one)) for one in matrix.experiments()}
    assert families == {
        (("one", "all"), ("one", "all-s2"), ("one", "all-s3")),
        (("one", "all-1k"), ("one", "all-1k-s2"), ("one", "all-1k-s3")),
        (("one", "other"),),
    }
