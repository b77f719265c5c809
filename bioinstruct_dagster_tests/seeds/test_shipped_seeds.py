"""The seed tasks in git: their number, their categories, and how they differ from each other."""

from collections import Counter
from itertools import combinations

import pytest
from rouge_score.rouge_scorer import RougeScorer

from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS

LEAST = {"information_extraction": 20, "generation": 20, "question_answering": 16, "other": 8}
MOST_ALIKE = 0.7  # Self-Instruct's novelty bar; two seeds above it would teach one task twice


@pytest.fixture(scope="module")
def seeds():
    return read_seed_tasks(INPUTS / "seed_tasks.jsonl")


def test_there_are_eighty_with_unique_ids(seeds):
    assert len(seeds) == 80
    assert len({seed.id for seed in seeds}) == 80


def test_each_category_has_its_least_number(seeds):
    counts = Counter(seed.category for seed in seeds)
    assert set(counts) == set(LEAST)
    assert [name for name, least in LEAST.items() if counts[name] < least] == []


def test_they_come_from_many_families(seeds):
    # The issue names eighteen families that the paper draws on.
    assert len({seed.source_family for seed in seeds}) >= 18


def test_no_two_instructions_are_alike(seeds):
    scorer = RougeScorer(["rougeL"])
    alike = [
        (one.id, other.id)
        for one, other in combinations(seeds, 2)
        if scorer.score(one.instruction, other.instruction)["rougeL"].fmeasure > MOST_ALIKE
    ]
    assert alike == []


def test_no_input_is_a_marker_for_no_input(seeds):
    from bioinstruct_dagster_tests.curation.quality.shipped_rules import repaired_input

    assert [seed.id for seed in seeds if repaired_input(seed.input) != seed.input] == []
