"""Scores in their place on a card: replaced, never repeated, and nothing else changes."""

import pytest
from huggingface_hub import EvalResult, ModelCard

from bioinstruct_dagster.models.score_place import BEGIN, END, score_place, with_scores

HEADER = "---\nlibrary_name: peft\nmodel_name: m|all\ntags:\n- lora\n---\n\n# m|all\n\n"
RESULT = EvalResult(
    task_type="text-generation", dataset_type="d", dataset_name="D", metric_type="accuracy",
    metric_value=0.5, metric_args={"ci_low": 0.4, "ci_high": 0.6},
)  # fmt: skip


@pytest.mark.parametrize(
    "body", [score_place() + "## End\n", "Text.\n\n## Origin and licences\n\n- a\n", "Text.\n"]
)
def test_scores_get_their_place_on_any_card(body):
    card = with_scores(HEADER + body, "| a |", [RESULT])
    assert card.count("## Scores") == card.count(BEGIN) == card.count(END) == 1
    assert f"{BEGIN}\n| a |\n{END}" in card
    for line in body.replace(score_place(), "").splitlines():
        assert line in card
    parsed = ModelCard(card)
    assert parsed.data.tags == ["lora"]
    (found,) = parsed.data.eval_results
    assert found.metric_args == {"ci_low": 0.4, "ci_high": 0.6}


def test_scores_are_replaced_and_a_second_time_changes_nothing():
    card = with_scores(HEADER + score_place() + "## End\n", "| a |", [RESULT])
    again = with_scores(card, "| a |", [RESULT])
    assert again == card
    assert "| a |" not in with_scores(card, "| b |", [RESULT])


def test_without_results_the_header_has_no_model_index():
    card = with_scores(HEADER + score_place(), "| a |", [RESULT])
    assert "model-index" not in with_scores(card, "none", [])
