"""Documents of every-eval-ever: valid by its schema, with intervals and marks."""

import re

import jsonschema
import pytest

from bioinstruct_dagster.evaluation.exchange.every_eval_ever import (
    SCHEMA_VERSION,
    document,
    file_name,
)
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import SCHEMA, made_scores, rows_of

# The format asks for a UUID of version 4.
UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.json"


def made(*groups, subject="adapter", model="unpublished/m__all"):
    return document(
        made_scores(*groups), subject=subject, model=model, facts={"base_model": "b"}, version="1"
    )


@pytest.mark.parametrize("subject", ["adapter", "base"])
@pytest.mark.parametrize("model", ["unpublished/m__all", "owner/name"])
def test_documents_are_valid(subject, model):
    content = made(
        rows_of("held_out", "loss", "own"),
        rows_of(),
        rows_of("medmcqa", source="files"),
        rows_of("pubmedqa", source="fixture", ci_low=None, ci_high=None),
        subject=subject,
        model=model,
    )
    jsonschema.validate(content, SCHEMA)
    assert content["schema_version"] == SCHEMA["version"] == SCHEMA_VERSION
    assert len(content["evaluation_results"]) == 4


def test_the_schema_would_refuse_a_fault():
    content = made(rows_of())
    del content["evaluation_results"][0]["score_details"]["score"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, SCHEMA)


def test_a_score_stands_with_its_interval_and_the_paired_difference():
    (result,) = made(rows_of())["evaluation_results"]
    details = result["score_details"]
    assert details["score"] == 0.61234
    assert details["uncertainty"]["confidence_interval"] == {
        "lower": 0.5, "upper": 0.7, "confidence_level": 0.95, "method": "bootstrap",
    }  # fmt: skip
    assert details["uncertainty"]["num_samples"] == 100
    assert details["details"]["difference"] == "0.2"
    assert result["source_data"]["hf_repo"] == "GBaker/MedQA-USMLE-4-options"


def test_the_base_model_has_its_own_score_and_no_difference():
    content = made(rows_of(), subject="base", model="owner/name")
    (result,) = content["evaluation_results"]
    assert result["score_details"]["score"] == 0.4
    assert "difference" not in result["score_details"]["details"]
    assert content["model_info"]["developer"] == "owner"
    assert content["source_metadata"]["evaluator_relationship"] == "third_party"


def test_a_loss_is_unbounded_and_lower_is_better():
    (result,) = made(rows_of("held_out", "loss", "own"))["evaluation_results"]
    config = result["metric_config"]
    assert config["lower_is_better"] is True
    assert config["max_score"] == "Infinity"


def test_a_rehearsal_is_marked():
    (result,) = made(rows_of(source="fixture"))["evaluation_results"]
    assert result["score_details"]["details"]["rehearsal"] == "true"
    (real,) = made(rows_of())["evaluation_results"]
    assert "rehearsal" not in real["score_details"]["details"]


def test_a_file_keeps_its_name_as_long_as_its_content():
    one, other = made(rows_of()), made(rows_of(n=99))
    assert re.fullmatch(UUID4, file_name(one))
    assert file_name(one) == file_name(made(rows_of()))
    assert file_name(one) != file_name(other)
