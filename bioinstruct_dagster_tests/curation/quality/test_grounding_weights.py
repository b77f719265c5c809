"""The shipped weights: scores of whole numbers, faults of the file, and the rule's version."""

import random

import pytest

from bioinstruct_dagster.curation.quality import grounding_weights as module
from bioinstruct_dagster.curation.quality.grounding_weights import (
    GroundingWeightsError,
    LearnedWeights,
    asked_factor,
    shipped_weights,
)
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate


def test_a_score_does_not_depend_on_the_order_of_signs():
    weights = shipped_weights()
    signs = [(kind, list(values)[:9]) for kind, values in weights.asked.items()]
    scores = set()
    for seed in range(20):
        mixed = random.Random(seed)
        mixed.shuffle(signs)
        for _, values in signs:
            mixed.shuffle(values)
        scores.add(weights.asked_score(signs))
    assert len(scores) == 1


def test_a_long_task_has_no_more_weight_than_a_short_one():
    assert asked_factor([("word", ["a"] * 4)]) == 2 * asked_factor([("word", ["a"] * 16)])
    assert asked_factor([]) > 0


@pytest.mark.parametrize("text", [None, "no JSON", "[]", '{"bias": 1}'])
def test_a_missing_or_malformed_file_says_how_to_make_it(tmp_path, text):
    path = tmp_path / "weights.json"
    if text is not None:
        path.write_text(text, "utf-8")
    with pytest.raises(GroundingWeightsError, match="make it anew"):
        LearnedWeights.read(path)


def test_the_version_of_the_rule_covers_the_weights_unless_they_are_not_used(monkeypatch):
    rule = next(one for one in shipped_gate().rules if one.id == "ungrounded_input")
    off = rule.model_copy(update={"least_score": None})
    before = rule.version, off.version
    other = LearnedWeights(1, {}, {}, "")
    monkeypatch.setattr("bioinstruct_dagster.curation.quality.rules.shipped_weights", lambda: other)
    assert rule.version != before[0]
    assert off.version == before[1]
    assert module.shipped_weights() != other
