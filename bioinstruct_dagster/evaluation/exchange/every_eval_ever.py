"""Scores in the format every-eval-ever 0.3 (arXiv:2606.14516).

One document holds the scores of one model. Each experiment gives two: that of the adapter, and that
of its base model on the same items. Belongs here: the documents. Does not: writing them
(exchange.files).
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from bioinstruct_dagster.evaluation.exchange.card_scores import arguments
from bioinstruct_dagster.evaluation.exchange.shared_scores import SharedScore
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK
from bioinstruct_dagster.store.fingerprints import canonical_json

SCHEMA_VERSION = "0.3.0"
BENCHMARK = "bioinstruct-dagster"  # the name of the collection of tasks
UNPUBLISHED = "unpublished"  # stands for the owner of a model that is not on the hub
_LIBRARY = "bioinstruct-dagster"
_NOT_STATED = "not stated"

Subject = Literal["adapter", "base"]


def document(
    scores: Sequence[SharedScore],
    *,
    subject: Subject,
    model: str,
    facts: Mapping[str, str],
    version: str,
) -> dict[str, Any]:
    """The document of one model.

    Args:
        scores: of one experiment; at least one, of this subject.
        subject: the adapter or its base model.
        model: the model's name, as `owner/name`.
        facts: of the model, as plain texts.
        version: of this project; empty if it is not known.
    """
    rows = [(one, one.adapter if subject == "adapter" else one.base) for one in scores]
    known = [(one, row) for one, row in rows if row is not None]
    last: datetime = max(row["scored_at"] for _, row in known)
    stamp = f"{last.timestamp():.0f}"
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{BENCHMARK}/{model.replace('/', '_')}/{stamp}",
        "evaluation_timestamp": stamp,
        "retrieved_timestamp": stamp,
        "source_metadata": {
            "source_name": BENCHMARK,
            "source_type": "evaluation_run",
            "source_organization_name": _NOT_STATED,
            "evaluator_relationship": "first_party" if subject == "adapter" else "third_party",
        },
        "eval_library": {"name": _LIBRARY, "version": version or "unknown"},
        "model_info": _model(model, facts),
        "evaluation_results": [_result(one, row, subject) for one, row in known],
    }


def file_name(content: Mapping[str, Any]) -> str:
    """The name of a document's file, which is a UUID of version 4, as the format asks.

    It is drawn by the content, so that an unchanged document keeps its name.
    """
    digest = hashlib.sha256(canonical_json(content).encode()).digest()
    return f"{uuid.UUID(bytes=digest[:16], version=4)}.json"


def _model(model: str, facts: Mapping[str, str]) -> dict[str, Any]:
    owner, _, name = model.partition("/")
    return {
        "name": name,
        "id": model,
        **({} if owner == UNPUBLISHED else {"developer": owner}),
        "additional_details": {
            "deployment_type": "self_deployed",
            "model_availability": "unknown" if owner == UNPUBLISHED else "open_weights",
            **facts,
        },
    }


def _result(one: SharedScore, row: Mapping[str, Any], subject: Subject) -> dict[str, Any]:
    meaning = one.meaning
    return {
        "evaluation_result_id": f"{one.task.name}/{one.metric}/{subject}",
        "evaluation_name": one.task.name,
        "source_data": _source(one),
        "evaluation_timestamp": f"{row['scored_at'].timestamp():.0f}",
        "metric_config": {
            "evaluation_description": one.task.what,
            "metric_id": one.metric,
            "metric_name": one.metric,
            "metric_kind": meaning.kind,
            "metric_unit": meaning.unit,
            "lower_is_better": meaning.lower_is_better,
            "score_type": "continuous",
            "min_score": meaning.least,
            "max_score": "Infinity" if meaning.most is None else meaning.most,
            "additional_details": {"what": meaning.what},
        },
        "score_details": {
            "score": row["score"],
            "details": _details(one, subject),
            "uncertainty": _uncertainty(row),
        },
    }


def _details(one: SharedScore, subject: Subject) -> dict[str, str]:
    """What a reader must know, as texts; the differences stand with the adapter's score."""
    found = arguments(one)
    own = {"ci_low", "ci_high", "confidence", "interval_method", "n"}
    paired = {"base_score", "difference", "difference_ci_low", "difference_ci_high", "p_holm"}
    left_out = own if subject == "adapter" else own | paired
    return {name: _text(value) for name, value in found.items() if name not in left_out}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _uncertainty(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"num_samples": row["n"]}
    if row["ci_low"] is not None and row["ci_high"] is not None:
        found["confidence_interval"] = {
            "lower": row["ci_low"],
            "upper": row["ci_high"],
            "confidence_level": 0.95,
            "method": row["method"],
        }
    return found


def _source(one: SharedScore) -> dict[str, Any]:
    if one.hub:
        return {
            "dataset_name": one.task.name,
            "source_type": "hf_dataset",
            "hf_repo": one.hub.id,
            "hf_split": one.hub.split,
            "samples_number": one.adapter["n"],
            "additional_details": {"revision": one.hub.revision},
        }
    name = one.task.name
    if name == OWN_TASK:
        name = f"test split of the data set {one.adapter['dataset_fingerprint'][:16]}"
    return {
        "dataset_name": name,
        "source_type": "other",
        "additional_details": {
            "items_source": one.adapter["items_source"],
            "licence": one.task.source.licence,
        },
    }
