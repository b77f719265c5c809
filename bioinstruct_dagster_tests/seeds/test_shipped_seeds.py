"""The seed tasks in git: number, categories, kinds of tasks, topics, and how they differ."""

import re
from collections import Counter
from itertools import combinations

import pytest
from rouge_score.rouge_scorer import RougeScorer

from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS

LEAST = {"information_extraction": 20, "generation": 20, "question_answering": 16, "other": 8}
FEWEST_SHORT = 10  # seeds with an input of at most 30 words
SHORT = 30  # words
KINDS = {
    "an abbreviation in a research abstract": r"stand for in this research abstract",
    "a sentence pair from the literature": r"two sentences from research articles",
    "yes, no or maybe from an abstract": r"\byes, no or maybe\b",
    "entity recognition": r"tag every entity",
    "concept normalisation": r"\bcode and term from the list\b",
    "PICO": r"\bpopulation, intervention, comparison and outcome\b",
    "adverse events": r"\bdrug is blamed for which harm\b",
    "error finding": r"\bfind the one error\b",
    "a dialogue to be written": r"\bwrite a .*\bdialogue\b",
    "an unproven claim": r"\bsays too little\.",
    "a gene and a disease without a relation": r"\bnone stated\. ",
}
TOPICS = {
    "psychiatry": r"\bdepression\b|\bSSRI\b|\bbipolar\b|\bpanic\b",
    "eye": r"\bglaucoma\b|\bcataract|\bangle closure\b",
    "dentistry": r"\bdent(?:al|ist)\b|\btooth\b",
    "pathology": r"\bbiopsy: |\bpathology\b|\bCongo red\b",
    "paediatrics": r"\binfant\b|\bchild(?:ren)?\b|\bpupils\b|\bgirl\b",
}
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


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_task_is_shown(seeds, kind):
    texts = [f"{seed.instruction}\n{seed.output}" for seed in seeds]
    assert [text for text in texts if re.search(KINDS[kind], text, re.IGNORECASE)]


@pytest.mark.parametrize("topic", TOPICS)
def test_topics_beyond_internal_medicine_have_two_seeds_or_more(seeds, topic):
    texts = [f"{seed.instruction}\n{seed.input}" for seed in seeds]
    assert len([text for text in texts if re.search(TOPICS[topic], text, re.IGNORECASE)]) >= 2


def test_many_inputs_are_short(seeds):
    short = [seed.id for seed in seeds if len(seed.input.split()) <= SHORT]
    assert len(short) >= FEWEST_SHORT


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
